"""Search in the guide, the output and the panels: marks one place after the other, and brings it into sight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from tutor.tui.widgets.find_line import FindLine
from tutor.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.screen import Screen
    from textual.widget import Widget

    from tutor.messages import Messages

PLACES = ("guide", "output", "namespaces", "mounts", "processes", "cgroup")
"""The panes that can be searched; the editor has a line of its own."""


class Place(NamedTuple):
    """Where the text is: a part of the pane, the line in its text, and the characters."""

    part: Widget
    line: int
    start: int
    end: int

    def is_from(self, other: Place) -> bool:
        """Tell whether this is in the same part as another place, there or behind it."""
        return self.part is other.part and (self.line, self.start) >= (other.line, other.start)


class Search:
    """The line for finding below the panes, and the pane that it searches."""

    def __init__(self, screen: Screen[None], messages: Messages) -> None:
        self._screen = screen
        self._pane: Widget | None = None
        self._at: Place | None = None
        self._from = 0
        self.line = FindLine(messages, "search")

    def open(self, panel: str) -> None:
        """Open the line for a pane; what was found before is still there."""
        self._pane = self._screen.query_one(f"#{panel if panel in PLACES else 'guide'}")
        # A log is searched from what is in sight, a text that is read from its beginning.
        self._from = self._pane.scroll_offset.y if isinstance(self._pane, LineView) else 0
        self._at = None
        self.line.open()

    def close(self) -> bool:
        """Close the line, and give the focus back to the pane; return False if it was closed already."""
        if not self.line.is_open:
            return False
        self.line.close()
        if self._pane is not None and self.line.input.has_focus:
            self._screen.set_focus(self._pane, scroll_visible=False)
        return True

    def find(self, text: str, by: int) -> None:
        """Go to the next place (`by` is 1), the one before (-1), or the first from the present one on (0)."""
        pane = self._pane
        places = list(_places(pane, text)) if pane is not None and text else []
        self._screen.clear_selection()
        if pane is None or not places:
            self.line.show_count(0, 0)
            return
        if by and self._at in places:
            index = (places.index(self._at) + by) % len(places)
        elif self._at is None:
            index = next((at for at, each in enumerate(places) if each.line >= self._from), 0)
        else:  # another text: from the same place on
            here = self._at
            index = next((at for at, each in enumerate(places) if each.is_from(here)), 0)
        found = self._at = places[index]
        self._screen.selections = {
            found.part: Selection(Offset(found.start, found.line), Offset(found.end, found.line))
        }
        _bring_into_sight(pane, found)
        self.line.show_count(index + 1, len(places))


def _places(pane: Widget, text: str) -> Iterator[Place]:
    wanted = re.compile(re.escape(text), re.IGNORECASE)
    for part in _parts(pane):
        selected = part.get_selection(SELECT_ALL)
        for number, line in enumerate(selected[0].split("\n") if selected else ()):
            yield from (Place(part, number, *each.span()) for each in wanted.finditer(line))


def _parts(widget: Widget) -> Iterator[Widget]:
    """Yield the widgets with the text of a pane, in the order of the screen."""
    children = widget.displayed_and_visible_children
    if isinstance(widget, LineView) or not children:
        yield widget
    else:
        for child in children:
            yield from _parts(child)


def _bring_into_sight(pane: Widget, found: Place) -> None:
    if isinstance(pane, LineView):
        x = 0 if found.end <= pane.size.width else found.start - pane.size.width // 3
        pane.scroll_to(x, found.line - pane.size.height // 2, animate=False, immediate=True)
    else:
        pane.scroll_to_widget(found.part, animate=False, center=True, immediate=True)
