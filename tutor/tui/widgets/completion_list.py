"""The completions beside the cursor of the editor: names with their types, and below what the highlighted one means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Offset
from textual.widget import Widget

from tutor.configfile.describe import type_phrase
from tutor.text import cell_width, fit, wrap
from tutor.text.glyphs import CURSOR, INFORMATION

if TYPE_CHECKING:
    from textual.app import RenderResult

    from tutor.configfile.completion import Candidate
    from tutor.messages import Messages

_WIDTH = 58
_MOST_ROWS = 6
_MEANING = 3  # lines


class CompletionList(Widget):
    """A list over the other panes, below the line of the cursor or above it. It takes no key by itself: the text area asks it."""

    DEFAULT_CSS = """
    CompletionList { overlay: screen; display: none; width: 60; height: auto; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, messages: Messages) -> None:
        super().__init__(id="completion-list")
        self._messages = messages
        self._found: tuple[Candidate, ...] = ()
        self._index = 0
        self.at: tuple[int, int] = (0, 0)
        """The location of the cursor that the list is for."""
        self.chosen = False
        """Whether one is highlighted, so that Enter takes it: the learner has asked for the list, or gone down in it."""
        self.is_open = False

    @property
    def highlighted(self) -> Candidate | None:
        """The completion that Tab writes."""
        return self._found[self._index] if self._found else None

    @property
    def labels(self) -> list[str]:
        """What is offered, in order."""
        return [each.label for each in self._found] if self.is_open else []

    def open(self, found: tuple[Candidate, ...], at: tuple[int, int], *, chosen: bool) -> None:
        """Show these completions."""
        self._found, self._index, self.at, self.chosen = found, 0, at, chosen
        self.is_open = True
        self.refresh(layout=True)

    def close(self) -> None:
        """Hide the list."""
        self.is_open = self.chosen = False
        self.display = False

    def passive(self) -> None:
        """Highlight none: Enter is a line end."""
        self.chosen = False
        self.refresh()

    def move(self, by: int) -> None:
        """Highlight another one; down from none to the first."""
        if self.chosen:
            self._index = (self._index + by) % len(self._found)
        self.chosen = True
        self.refresh(layout=True)

    def place(self, cursor: Offset) -> None:
        """Show the list below the cursor, or above where there is no room: its line stays in sight."""
        width, height = self.screen.size
        rows = len(self._lines(self._rows_for(height)))
        below = height - cursor.y - 1
        top = cursor.y + 1 if rows <= below else max(0, cursor.y - rows)
        self.styles.width = min(_WIDTH + 2, width)
        self.styles.height = min(rows, below if rows <= below else cursor.y)
        self.absolute_offset = Offset(max(0, min(cursor.x - 2, width - _WIDTH - 2)), top)
        self.display = True
        self.refresh(layout=True)

    def _rows_for(self, height: int) -> int:
        """Return how many completions are shown at once: fewer on a small screen, so that the text around stays in sight."""
        return max(3, min(_MOST_ROWS, height // 4))

    def render(self) -> RenderResult:
        """Return the lines."""
        return Content("\n").join(self._lines(self._rows_for(self.screen.size.height)))

    def _lines(self, most: int) -> list[Content]:
        if not self._found:
            return []
        first = max(0, min(self._index - most // 2, len(self._found) - most))
        shown = self._found[first : first + most]
        lines = [self._line(each, first + number == self._index) for number, each in enumerate(shown)]
        present = self._found[self._index]
        meaning = present.member.meaning(self._messages, "" if present.key else present.value)
        text = wrap(meaning or present.member.meaning(self._messages), _WIDTH)[:_MEANING]
        lines += [Content(line) for line in text]
        count = f"{self._index + 1}/{len(self._found)}"
        keys = self._messages("tui.config.completion_keys")
        room = _WIDTH - cell_width(count) - cell_width(keys) - 4
        lines.append(Content.styled(f"{fit(present.member.clause, room)}  {keys}  {count}", "$text-muted"))
        return lines

    def _line(self, candidate: Candidate, highlighted: bool) -> Content:
        mark = (CURSOR if self.chosen else INFORMATION) if highlighted else " "
        kind = type_phrase(candidate.member.rule, self._messages) if candidate.key else ""
        if candidate.key and candidate.member.required:
            kind = (
                f"{kind}{self._messages('configfile.help.comma')}{self._messages('configfile.help.required')}"
            )
        name = fit(candidate.label, _WIDTH - 2 if not kind else 28)
        style = "bold $text-accent" if highlighted else ""
        return Content.assemble((f"{mark} {name} ", style), (fit(kind, max(0, _WIDTH - 31)), "$text-muted"))
