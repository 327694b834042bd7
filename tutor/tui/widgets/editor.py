"""The editor of `config.json`: JSON in colours, with its problems marked during typing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from tutor.configfile.cursor import place_at
from tutor.configfile.formatting import formatted
from tutor.text.glyphs import PASSED, SEVERITIES, UNSAVED
from tutor.tui.inline_markdown import inline
from tutor.tui.widgets.completion_list import CompletionList
from tutor.tui.widgets.find_line import FindLine
from tutor.tui.widgets.json_area import Fault, JsonArea
from tutor.view.edited_file import CONFIG, is_python, problems_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult, RenderResult
    from textual.timer import Timer

    from tutor.configfile import Problem
    from tutor.configfile.meanings import Path
    from tutor.messages import Messages

_TYPING_PAUSE = 0.15  # seconds after the last keystroke before the text is checked


class ProblemLine(Widget):
    """The text under the editor: the problem nearest to the cursor, or that there is none."""

    DEFAULT_CSS = "ProblemLine { height: auto; max-height: 4; padding: 0 1; background: $panel; }"

    def __init__(self) -> None:
        super().__init__(id="problem-line")
        self._content = Content("")

    def show(self, content: Content) -> None:
        """Show a text."""
        if content.plain != self._content.plain:
            self._content = content
            self.refresh(layout=True)

    def render(self) -> RenderResult:
        """Return the text."""
        return self._content


class ConfigPane(Vertical):
    """The editor with the text of its nearest problem. It keeps the text on disk, to tell whether there are unsaved edits."""

    class Edited(Message):
        """`unsaved` has changed."""

    def __init__(self, messages: Messages) -> None:
        super().__init__(id="config", classes="pane")
        self._messages = messages
        self._file_name = CONFIG
        self._saved = ""
        self._base = ""
        self._timer: Timer | None = None
        self._problems: Sequence[Problem] = ()
        self._was_unsaved = False
        self._popup = CompletionList(messages)
        self._find = FindLine(messages)

    def compose(self) -> ComposeResult:
        """Lay out the editor and the lines below it."""
        yield JsonArea(self._popup)
        yield self._find
        yield ProblemLine()
        yield self._popup

    def on_mount(self) -> None:
        """Use the colours of the theme, now and after each change of it."""
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._use_colours())
        self._use_colours()
        self._update()

    def _use_colours(self) -> None:
        self.area.use_colours(self.app.theme_variables)

    @property
    def area(self) -> JsonArea:
        """The text area."""
        return self.query_one(JsonArea)

    @property
    def text(self) -> str:
        """The text in the editor."""
        return self.area.text

    @property
    def base(self) -> str:
        """The text that was edited: what was on disk when it was shown here, or saved, last."""
        return self._base

    @property
    def unsaved(self) -> bool:
        """Tell whether the text in the editor is another than on disk."""
        return self.text != self._saved

    @property
    def is_python(self) -> bool:
        """Whether the file is Python, in which the helps for JSON have no place."""
        return is_python(self._file_name)

    def use(self, path: str) -> None:
        """Show the file at this path from now on."""
        name = path.rpartition("/")[2]
        if name != self._file_name:
            self._file_name = name
            self.area.use_language(python=self.is_python)

    def load(self, text: str, *, begin: bool = False) -> None:
        """Replace the text in the editor by the text on disk; the cursor stays on its line.

        What was there can be had again by undo, but not with `begin`, when a lesson is opened.
        """
        self._saved = self._base = text
        if begin:
            self.area.load_text(text)
        else:
            self.area.replace_all(text)
        self._find_problems()

    def go_to(self, line: int) -> None:
        """Go to the end of a line, counted from 1."""
        self.area.move_cursor((line - 1, len(self.area.document[line - 1])))

    def mark_saved(self, text: str) -> None:
        """Note that `text` is on disk, and was in the editor."""
        self._saved = self._base = text
        self._update()

    def note_other(self, text: str) -> None:
        """Note that `text` is on disk, which was never in the editor."""
        self._saved = text
        self._update()

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_TYPING_PAUSE, self._find_problems)
        self._update()

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        if self._popup.is_open and not self.area.offers:
            self._popup.close()
        self._update()

    # -- keys ------------------------------------------------------------------------------------------------------

    def leave_part(self, focused: Widget | None) -> bool:
        """Close what stands over the editor, if Esc is for that: the line for finding, or completions that were asked for."""
        if self._find.is_open:
            self._find.close()
            if focused is self._find.input:
                self.screen.set_focus(self.area)
                return True
        chosen = self.area.offers and self._popup.chosen
        self._popup.close()
        return chosen

    def complete(self) -> bool:
        """Show what may be written at the cursor; return whether there is anything."""
        return self.area.offer(asked=True)

    def member_at_cursor(self) -> tuple[Path, str]:
        """Return the path of the member at the cursor, and the string that it has there; empty if the cursor is in none."""
        text = self.text
        place = place_at(text, self.area.offset_of_cursor)
        return place.path, text[place.start : place.end].strip('"') if place.role == "value" else ""

    def lay_out(self) -> bool:
        """Lay the text out, as one change that can be undone; return False if it is not JSON."""
        text = formatted(self.text)
        if text is None:
            self._find_problems()
            self.go_to_next_problem()
            return False
        self.area.replace_all(text)
        return True

    def go_to_next_problem(self) -> bool:
        """Go to the problem behind the cursor, or to the first one; return False if there is none."""
        self._find_problems()
        row, column = self.area.cursor_location
        places = sorted((each.line - 1, each.column - 1) for each in self._problems)
        if not places:
            return False
        self.area.move_cursor(next((each for each in places if each > (row, column)), places[0]))
        return True

    def find(self) -> None:
        """Open the line for finding."""
        self._popup.close()
        self._find.open()

    @on(FindLine.Wanted)
    def _go_to_text(self, event: FindLine.Wanted) -> None:
        event.stop()
        area = self.area
        places = [each.start() for each in re.finditer(re.escape(event.text), self.text, re.IGNORECASE)]
        if not event.text or not places:
            self._find.show_count(0, 0)
            return
        here = area.index_of(min(area.selection.start, area.selection.end))
        if event.by < 0:
            before = [at for at in places if at < here]
            at = before[-1] if before else places[-1]
        else:
            at = next((at for at in places if at >= here + event.by), places[0])
        ends = (area.location_of(index) for index in (at, at + len(event.text)))
        area.selection = Selection(*ends)
        area.scroll_cursor_visible(center=True)
        self._find.show_count(places.index(at) + 1, len(places))

    def on_resize(self) -> None:
        """Keep the completions beside the line of the cursor."""
        self.call_after_refresh(self.area.place_popup)

    def _find_problems(self) -> None:
        """Find the problems of the text, and show them."""
        self._problems = problems_of(self.text, self._file_name) if self.text.strip() or self._saved else ()
        faults: dict[int, Fault] = {}
        for problem in reversed(self._problems):
            end = problem.end_column - 1 if problem.end_line == problem.line else None
            faults[problem.line - 1] = Fault(problem.column - 1, end, problem.severity)
        self.area.show_faults(faults)
        self._update()

    def _update(self) -> None:
        m = self._messages
        row, column = self.area.cursor_location
        place = m("tui.config.place", line=row + 1, column=column + 1)
        nearest = min(self._problems, key=lambda problem: abs(problem.line - 1 - row), default=None)
        if nearest is None:
            fine = m("tui.config.fine_python" if self.is_python else "tui.config.fine")
            text = Content.assemble((f"{PASSED} ", "$text-success"), (fine, "$text-success"))
        else:
            where = m("tui.config.place", line=nearest.line, column=nearest.column)
            style = "$text-error" if nearest.severity == "error" else "$text-warning"
            parts: list[str | Content | tuple[str, str]] = [
                (f"{SEVERITIES[nearest.severity]} {where}  ", f"bold {style}"),
                inline(nearest.message(m), style),
            ]
            if nearest.clause:
                parts.append((f"  {nearest.clause}", "$text-muted"))
            if len(self._problems) > 1:
                parts.append((f"  {m('tui.config.more', count=len(self._problems) - 1)}", "$text-muted"))
            text = Content.assemble(*parts)
        self.query_one(ProblemLine).show(text)
        saved = m("tui.config.unsaved") if self.unsaved else m("tui.config.saved")
        glyph = UNSAVED if self.unsaved else PASSED
        self.border_title = f"{self._file_name}  {glyph} {saved}"
        self.border_subtitle = place
        if self.unsaved != self._was_unsaved:
            self._was_unsaved = self.unsaved
            self.post_message(self.Edited())
