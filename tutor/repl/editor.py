"""A small full-screen editor for `config.json`, if the environment names none: JSON in colours, problems marked during typing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.layout import FloatContainer, HSplit, Layout, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.search import start_search
from prompt_toolkit.widgets import SearchToolbar, TextArea

from tutor.configfile.keystrokes import INDENTATION
from tutor.repl.editor_aids import Aids
from tutor.text import wrap
from tutor.text.glyphs import PASSED, SEVERITIES
from tutor.view.edited_file import INDENTATION as PYTHON_INDENTATION
from tutor.view.edited_file import is_python, newline_of, problems_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from prompt_toolkit.document import Document
    from prompt_toolkit.filters import Filter
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.styles import BaseStyle

    from tutor.configfile import Problem
    from tutor.messages import Messages

_JSON = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))'
    r'|(?P<string>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<number>-?\d[\d.eE+-]*)"
    r"|(?P<word>\b(?:true|false|null)\b)"
)


class JsonLexer(Lexer):
    """Colours JSON line by line (no JSON token spans lines)."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return a function that styles a line."""
        return lambda number: _coloured(document.lines[number])


def _coloured(text: str) -> StyleAndTextTuples:
    fragments: StyleAndTextTuples = []
    end = 0
    for match in _JSON.finditer(text):
        fragments.append(("", text[end : match.start()]))
        fragments.append((f"class:json.{match.lastgroup}", match.group()))
        end = match.end()
    fragments.append(("", text[end:]))
    return fragments


class FaultMarker(Processor):
    """Underlines the problems in the text."""

    def __init__(self, found: Callable[[], tuple[Problem, ...]]) -> None:
        self._problems = found

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Return a line with its problems marked; one that spans lines is marked to the end of its first line."""
        number = transformation_input.lineno + 1
        fragments = explode_text_fragments(transformation_input.fragments)
        for problem in self._problems():
            if problem.line == number:
                end = problem.end_column - 1 if problem.end_line == number else len(fragments)
                for index in range(problem.column - 1, min(max(end, problem.column), len(fragments))):
                    style, text, *_ = fragments[index]
                    fragments[index] = (f"{style} class:fault", text)
        return Transformation(fragments)


class Editor:
    """One text being edited, with its problems and what is warned of."""

    def __init__(
        self, text: str, path: Path, messages: Messages, earlier: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._original = text
        self.name = path.name
        self._messages = messages
        self._warning = ""
        self._confirmed = ("", "")  # the key that was warned about, and the text at that moment
        self._problems: tuple[Problem, ...] = ()
        search = SearchToolbar()
        self._area = TextArea(
            text,
            search_field=search,
            lexer=None if self.is_python else JsonLexer(),
            line_numbers=True,
            scrollbar=True,
            wrap_lines=False,
            input_processors=[FaultMarker(lambda: self._problems)],
        )
        opened = (messages("repl.diff.opened"), text)
        self.aids = Aids(
            self._area.buffer, messages, (opened, *(each for each in earlier if each[1] != text))
        )
        self._area.buffer.on_text_changed.add_handler(lambda _: self._find_problems())
        title = Window(
            FormattedTextControl(lambda: f" {path}"),
            height=1,
            style="class:bottom-toolbar",
            always_hide_cursor=True,
        )
        status = Window(FormattedTextControl(self._status), height=2)
        keys = Window(
            FormattedTextControl(lambda: f" {messages('repl.editor.keys')}"),
            height=1,
            style="class:bottom-toolbar",
        )
        below = HSplit([title, self._area, search, status, keys])
        self.container = FloatContainer(below, self.aids.floats())
        self._find_problems()
        self.go_to_next_problem()

    def focused(self) -> Layout:
        """Return the layout with the text in focus."""
        return Layout(self.container, focused_element=self._area)

    @property
    def text(self) -> str:
        """Return the text in the editor."""
        return self._area.text

    @property
    def is_python(self) -> bool:
        """Whether the text is Python, in which the aids for JSON have no place."""
        return is_python(self.name)

    def newline(self) -> None:
        """Begin a line of Python, indented."""
        buffer = self._area.buffer
        buffer.insert_text(newline_of(buffer.text, buffer.cursor_position))

    def _find_problems(self) -> None:
        self._problems = problems_of(self.text, self.name)
        self._warning = ""

    def _status(self) -> StyleAndTextTuples:
        """Return the lines under the text: the first problem with its place, or that there is none and the place of the cursor."""
        document = self._area.document
        where = f"{document.cursor_position_row + 1}:{document.cursor_position_col + 1}"
        if self._warning:
            return self._wrapped("warning", SEVERITIES["warning"], self._warning)
        if not self._problems:
            return self._wrapped(
                "good",
                PASSED,
                f"{self._messages('repl.editor.fine_python' if self.is_python else 'repl.editor.fine')}  {where}",
            )
        first = self._problems[0]
        others = len(self._problems) - 1
        more = f"  {self._messages('repl.editor.more', count=others)}" if others else ""
        style = "bad" if first.severity == "error" else "warning"
        text = f"{first.line}:{first.column}  {first.message(self._messages)}{more}"
        return self._wrapped(style, SEVERITIES[first.severity], text)

    def _wrapped(self, style: str, glyph: str, text: str) -> StyleAndTextTuples:
        lines = wrap(text, get_app().output.get_size().columns - 4)
        return [(f"class:{style}", f" {glyph} "), ("", "\n   ".join(lines))]

    def lay_out(self) -> None:
        """Format the text; if it is not JSON, go to its first problem."""
        if not self.aids.lay_out():
            self.go_to_next_problem()

    def go_to_next_problem(self) -> None:
        """Move the cursor to the next problem after it, or to the first."""
        here = self._area.document
        place = (here.cursor_position_row + 1, here.cursor_position_col + 1)
        after = [each for each in self._problems if (each.line, each.column) > place]
        if self._problems:
            self._go_to((after or list(self._problems))[0])

    def _go_to(self, problem: Problem) -> None:
        document = self._area.document
        self._area.buffer.cursor_position = document.translate_row_col_to_index(
            problem.line - 1, problem.column - 1
        )

    def may_save(self) -> bool:
        """Tell whether to save: at once if no runtime would refuse the text, else at the second key."""
        errors = [each for each in self._problems if each.severity == "error"]
        if not errors or self._confirms("save"):
            return True
        first = errors[0]
        self._go_to(first)
        place, problem = f"{first.line}:{first.column}", first.message(self._messages)
        self._warning = self._messages("repl.editor.save_anyway", place=place, problem=problem)
        return False

    def may_leave(self) -> bool:
        """Tell whether to leave: at once if nothing was changed, else at the second key."""
        if self.text == self._original or self._confirms("leave"):
            return True
        self._warning = self._messages("repl.editor.leave_anyway")
        return False

    def _confirms(self, key: str) -> bool:
        """Tell whether this key was pressed before on the same text; note that it was pressed."""
        again = self._confirmed == (key, self.text)
        self._confirmed = (key, self.text)
        return again


def _bind_aids(bindings: KeyBindings, aids: Aids, editor: Editor) -> None:
    """Bind the keys of typing, completion, help, layout, differences and search; of the first four those of JSON only."""
    page = Condition(lambda: aids.page_is_open)
    text = ~is_searching & ~page
    offers = text & Condition(lambda: aids.offers)
    chosen = offers & Condition(lambda: aids.chosen)
    simple: list[tuple[str, Condition | Filter, Callable[[], object]]] = [
        ("c-r", ~is_searching, aids.compare),
    ]
    of_json: list[tuple[str, Condition | Filter, Callable[[], object]]] = [
        ("enter", text, aids.newline),
        ("enter", chosen, aids.accept),
        ("backspace", text, aids.backspace),
        ("tab", offers, aids.accept),
        ("down", offers, lambda: aids.move(1)),
        ("up", chosen, lambda: aids.move(-1)),
        ("escape", offers, aids.close),
        ("c-@", text, lambda: aids.offer(asked=True)),
        ("f1", text, aids.describe),
        ("c-o", text, editor.lay_out),
    ]
    simple += [("enter", text, editor.newline)] if editor.is_python else of_json
    for key, where, act in simple:
        bindings.add(key, filter=where)(lambda _event, act=act: act())

    @bindings.add("tab", filter=text & ~offers)
    def _(event: KeyPressEvent) -> None:
        before = event.current_buffer.document.current_line_before_cursor
        if editor.is_python:
            event.current_buffer.insert_text(" " * PYTHON_INDENTATION)
        elif not before.strip() or not aids.offer(asked=True):
            event.current_buffer.insert_text(" " * INDENTATION)

    @bindings.add("<any>", filter=text)
    def _(event: KeyPressEvent) -> None:
        if editor.is_python:
            event.current_buffer.insert_text(event.data)
        elif event.data.isprintable():
            aids.type(event.data)

    @bindings.add("c-f", filter=text)
    def _(event: KeyPressEvent) -> None:
        start_search(event.app.layout.current_control)  # type: ignore[arg-type]  # the text's: nothing else has the focus

    for key in ("<any>", "escape", "enter", "f1", "up", "down"):

        @bindings.add(key, filter=page)
        def _(_event: KeyPressEvent) -> None:
            aids.close_page()


def _bindings(editor: Editor) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("c-s")
    def _(event: KeyPressEvent) -> None:
        if editor.may_save():
            event.app.exit(result=editor.text)

    @bindings.add("c-q")
    @bindings.add("c-c")
    def _(event: KeyPressEvent) -> None:
        if editor.may_leave():
            event.app.exit(result=None)

    @bindings.add("c-n")
    def _(event: KeyPressEvent) -> None:
        del event
        editor.go_to_next_problem()

    @bindings.add("c-z")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.undo()

    _bind_aids(bindings, editor.aids, editor)
    return bindings


async def edit(editor: Editor, style: BaseStyle) -> str | None:
    """Edit a text on the whole screen; return the text that was saved, None if it was not.

    Raises:
        EOFError: the terminal has gone.
    """
    app: Application[str | None] = Application(
        layout=editor.focused(),
        key_bindings=merge_key_bindings([load_key_bindings(), _bindings(editor)]),
        style=style,
        full_screen=True,
        mouse_support=False,
    )
    return await app.run_async(handle_sigint=False)
