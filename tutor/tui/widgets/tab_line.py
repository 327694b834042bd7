"""The line of tabs: which pane is shown, and the key of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tutor.text import cell_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import RenderResult
    from textual.events import Click


class TabLine(Widget):
    """The panes that can be brought forward, each with its key; one is highlighted. A click does what the key does."""

    DEFAULT_CSS = "TabLine { height: 1; text-wrap: nowrap; padding: 0 0 0 1; background: $background; }"

    class Picked(Message):
        """The learner clicked on a pane's name."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(
        self,
        label: Callable[[str], str],
        panels: tuple[str, ...],
        name: str,
        tail: Callable[[], tuple[str, ...]] = tuple,
        *,
        has: Callable[[str], bool] = lambda _panel: True,
    ) -> None:
        """`has` tells which of the panels this lesson has."""
        super().__init__(id=name)
        self._tail = tail
        self._label = label
        self._all = panels
        self._has = has
        self._highlighted = panels[0]

    @property
    def _panels(self) -> tuple[str, ...]:
        return tuple(filter(self._has, self._all))

    def highlight(self, panel: str) -> None:
        """Highlight the name of a pane, if it is one of these."""
        if panel in self._all and panel != self._highlighted:
            self._highlighted = panel
            self.refresh()

    @property
    def highlighted(self) -> str:
        """The pane whose name is highlighted."""
        return self._highlighted

    def redraw(self) -> None:
        """Draw the labels again, with their present marks."""
        self.refresh()

    def render(self) -> RenderResult:
        """Return the names, and at the right, after a blank, the longest tail that fits."""
        parts: list[str | tuple[str, str]] = []
        for panel, text in zip(self._panels, self._texts(), strict=True):
            style = (
                "bold $block-cursor-foreground on $block-cursor-background"
                if panel == self._highlighted
                else "$foreground"
            )
            parts += [(text, style)]
        names = Content.assemble(*parts)
        room = self.size.width - names.cell_length
        blank = 0 if names.plain.endswith(" ") else 1
        tail = next((each for each in self._tail() if blank + cell_width(each) <= room), "")
        gap = " " * max(0, room - cell_width(tail))
        return Content.assemble(names, gap, (tail, "bold $text-success"))

    def _texts(self) -> list[str]:
        """Return the names with a blank on both sides; where they and the shortest tail do not fit, on one side only.

        Where that is too much, too, the last ones that are not highlighted are their keys alone.
        """
        labels = [self._label(panel) for panel in self._panels]
        tail = min((cell_width(each) for each in self._tail()), default=0)
        if sum(cell_width(label) + 2 for label in labels) <= self.size.width - tail:
            return [f" {label} " for label in labels]
        room = self.size.width - (tail and tail + 1)
        for place in reversed(range(len(labels))):
            if sum(cell_width(label) + 1 for label in labels) <= room:
                break
            if self._panels[place] != self._highlighted:
                labels[place] = labels[place].split(" ")[0]
        return [f" {label}" for label in labels]

    def on_click(self, event: Click) -> None:
        """Bring the pane under the pointer forward."""
        position = event.x - self.styles.padding.left
        for panel, text in zip(self._panels, self._texts(), strict=True):
            width = cell_width(text)
            if 0 <= position < width:
                self.post_message(self.Picked(panel))
                return
            position -= width
