"""What stands over the text of the REPL's editor: completions, what a member means, and the difference to earlier texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout import ConditionalContainer, Float, Window
from prompt_toolkit.layout.controls import FormattedTextControl

from tutor.configfile import keystrokes
from tutor.configfile.completion import candidates
from tutor.configfile.cursor import place_at
from tutor.configfile.describe import describe, type_phrase
from tutor.configfile.formatting import formatted
from tutor.text import cell_width, fit, pad, wrap
from tutor.text.diff import counts, difference
from tutor.text.glyphs import CURSOR, INFORMATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from tutor.configfile.completion import Candidate, Change
    from tutor.configfile.describe import Description
    from tutor.messages import Messages

_WIDTH = 58
_MOST_ROWS = 6
_MEANING = 2  # lines
_MARKS = {"+": "class:good", "-": "class:bad", " ": "", "…": "class:faint"}


class Aids:
    """The helps for one text being edited. `earlier` are texts to compare with, each with its name."""

    def __init__(self, buffer: Buffer, messages: Messages, earlier: tuple[tuple[str, str], ...]) -> None:
        self._buffer = buffer
        self._messages = messages
        self._earlier = earlier
        self._found: tuple[Candidate, ...] = ()
        self._index = 0
        self._at: tuple[str, int] = ("", -1)
        self.chosen = False
        """Whether a completion is highlighted, so that Enter takes it."""
        self._page: Callable[[], StyleAndTextTuples] | None = None
        self._compared = -1

    # -- typing ----------------------------------------------------------------------------------------------------

    def type(self, data: str) -> None:
        """Type a character, with what belongs to it."""
        change = (
            keystrokes.typed(self._buffer.text, self._buffer.cursor_position, data)
            if len(data) == 1
            else None
        )
        if change is None:
            self._buffer.insert_text(data)
        else:
            self._change(change)
        self.offer()

    def newline(self) -> None:
        """Begin a line, indented."""
        self._change(keystrokes.newline(self._buffer.text, self._buffer.cursor_position))

    def backspace(self) -> None:
        """Delete the character before the cursor; in an empty pair, both."""
        offered = self.offers
        change = keystrokes.backspace(self._buffer.text, self._buffer.cursor_position)
        if change is None:
            self._buffer.delete_before_cursor()
        else:
            self._change(change)
        if offered:
            self.offer()

    def lay_out(self) -> bool:
        """Format the text; return False if it is not JSON."""
        text = formatted(self._buffer.text)
        if text is None:
            return False
        if text != self._buffer.text:
            row = self._buffer.document.cursor_position_row
            self._buffer.save_to_undo_stack()
            self._buffer.document = Document(text, Document(text).translate_row_col_to_index(row, 0))
        return True

    def _change(self, change: Change) -> None:
        self._buffer.save_to_undo_stack()
        self._buffer.document = Document(change.applied(self._buffer.text), change.cursor)

    # -- completion ------------------------------------------------------------------------------------------------

    @property
    def offers(self) -> bool:
        """Whether completions are shown: those for the present text and cursor."""
        return bool(self._found) and self._at == (self._buffer.text, self._buffer.cursor_position)

    def offer(self, *, asked: bool = False) -> bool:
        """Show what may be written at the cursor; unasked only while a word is being typed. Return whether there is anything."""
        text, at = self._buffer.text, self._buffer.cursor_position
        found = candidates(text, at)
        if not asked:
            found = tuple(each for each in found if each.change.end > each.change.start)
        self._found, self._index, self._at, self.chosen = found, 0, (text, at), asked
        return bool(found)

    def close(self) -> None:
        """Hide the completions."""
        self._found = ()

    def move(self, by: int) -> None:
        """Highlight another completion; from none, the first."""
        if self.chosen:
            self._index = (self._index + by) % len(self._found)
        self.chosen = True

    def accept(self) -> None:
        """Write the highlighted completion, and offer values behind a key."""
        candidate = self._found[self._index]
        self._change(candidate.change)
        self.close()
        if candidate.key and (candidate.member.values or candidate.member.rule.kind == "boolean"):
            self.offer(asked=True)
            self.chosen = False

    # -- pages -----------------------------------------------------------------------------------------------------

    @property
    def page_is_open(self) -> bool:
        """Whether a page stands over the text."""
        return self._page is not None

    def close_page(self) -> None:
        """Show the text again."""
        self._page = None
        self._compared = -1

    def describe(self) -> None:
        """Show what the member at the cursor means."""
        path = place_at(self._buffer.text, self._buffer.cursor_position).path
        self._page = lambda: self._description(describe(path, self._messages))

    def _description(self, found: Description) -> StyleAndTextTuples:
        m, (width, height) = self._messages, _room()
        lines: StyleAndTextTuples = [("class:title", found.name), ("", f"  {found.kind}\n")]
        lines += [("", f"{line}\n") for line in wrap(found.meaning, width)]
        if found.clause:
            lines.append(("class:faint", f"{m('configfile.help.clause')}  {found.clause}\n"))
        rows = [*found.values, *found.members]
        column = max((cell_width(name) for name, _ in rows), default=0) + 2
        left = height - sum(text.count("\n") for _, text, *_ in lines) - 1
        for name, text in rows[:left]:
            lines += [("class:code", pad(name, column)), ("", f"{fit(text, width - column).rstrip()}\n")]
        return lines

    def compare(self) -> None:
        """Show the difference to the first of the earlier texts, then to the next, then the text again."""
        self._compared += 1
        if self._compared >= len(self._earlier):
            self.close_page()
        else:
            name, text = self._earlier[self._compared]
            self._page = lambda: self._differences(name, text)

    def _differences(self, name: str, before: str) -> StyleAndTextTuples:
        m, (width, height) = self._messages, _room()
        lines = difference(before, self._buffer.text)
        added, taken = counts(lines)
        page: StyleAndTextTuples = [
            ("class:title", f"{m('repl.diff.head', name=name, added=added, taken=taken)}\n")
        ]
        if not lines:
            page.append(("", m("repl.diff.same")))
        for line in lines[: height - 2]:
            number = str(line.number) if line.number else ""
            page.append(
                (
                    _MARKS[line.mark],
                    f"{pad(number, 4, 'right')} {line.mark} {fit(line.text, width - 8).rstrip()}\n",
                )
            )
        if len(lines) > height - 2:
            page.append(("class:faint", m("repl.diff.more", count=len(lines) - height + 2)))
        return page

    # -- layout ----------------------------------------------------------------------------------------------------

    def floats(self) -> list[Float]:
        """Return the completions beside the cursor, never on its line, and the page."""
        popup = ConditionalContainer(
            Window(
                FormattedTextControl(self._popup),
                width=_WIDTH + 2,
                style="class:bottom-toolbar",
                always_hide_cursor=True,
            ),
            filter=Condition(lambda: self.offers and not self.page_is_open),
        )
        page = ConditionalContainer(
            Window(
                FormattedTextControl(self._shown_page),
                style="class:bottom-toolbar",
                always_hide_cursor=True,
                wrap_lines=False,
            ),
            filter=Condition(lambda: self.page_is_open),
        )
        return [Float(popup, xcursor=True, ycursor=True), Float(page, top=1, left=2, right=2, bottom=3)]

    def _shown_page(self) -> StyleAndTextTuples:
        page = self._page() if self._page is not None else []
        return [*page, ("class:faint", f"\n{self._messages('repl.editor.page_keys')}")]

    def _popup(self) -> StyleAndTextTuples:
        m = self._messages
        if not self._found:
            return []
        first = max(0, min(self._index - _MOST_ROWS // 2, len(self._found) - _MOST_ROWS))
        lines: StyleAndTextTuples = []
        for number, each in enumerate(self._found[first : first + _MOST_ROWS], first):
            here = number == self._index
            mark = (CURSOR if self.chosen else INFORMATION) if here else " "
            kind = type_phrase(each.member.rule, m) if each.key else ""
            lines += [
                ("class:strong" if here else "", f" {mark} {fit(each.label, 28 if kind else _WIDTH - 2)} "),
                ("", f"{fit(kind, _WIDTH - 31) if kind else ''}\n"),
            ]
        present = self._found[self._index]
        meaning = present.member.meaning(m, "" if present.key else present.value) or present.member.meaning(m)
        lines += [("", f" {text}\n") for text in wrap(meaning, _WIDTH)[:_MEANING]]
        count = f"{self._index + 1}/{len(self._found)}"
        lines.append(
            ("class:faint", f" {present.member.clause}  {m('repl.editor.completion_keys')}  {count}")
        )
        return lines


def _room() -> tuple[int, int]:
    size = get_app().output.get_size()
    return size.columns - 6, size.rows - 6
