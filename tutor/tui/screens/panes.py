"""The panes of a screen: which of them is in front. The style sheet decides which are side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.text.glyphs import PASSED
from tutor.tui.widgets.quiz import QuizBox
from tutor.tui.widgets.tab_line import TabLine

if TYPE_CHECKING:
    from textual.screen import Screen

    from tutor.messages import Messages
    from tutor.tui.widgets.editor import ConfigPane
    from tutor.view.lesson_view import LessonView

PANELS = ("guide", "config", "output", "namespaces", "mounts", "processes")
WORK = ("config", "output")


class Panes:
    """Brings panes forward, and writes the tabs with their names."""

    def __init__(
        self, screen: Screen[None], view: LessonView, config: ConfigPane, messages: Messages
    ) -> None:
        self._screen = screen
        self._view = view
        self._config = config
        self._messages = messages
        self._panel = "guide"
        self.tabs = TabLine(self._tab_text, PANELS, "tabs", self._tail)
        self.work_tabs = TabLine(self._tab_text, WORK, "work-tabs")

    @property
    def panel(self) -> str:
        """The pane in front."""
        return self._panel

    @property
    def one_at_a_time(self) -> bool:
        """Tell whether the terminal is so narrow that only one pane fits."""
        return self._screen.has_class("-narrow")

    def begin(self) -> None:
        """Show the guide, and config.json beside it."""
        self._screen.add_class("-at-guide", "-work-config")

    def bring(self, panel: str) -> None:
        """Bring a pane forward and give it the focus."""
        self.show(panel)
        target = self._screen.query_one("#config-text" if panel == "config" else f"#{panel}")
        if panel == "guide" and self._screen.query(QuizBox):
            target = self._screen.query_one(QuizBox)
        self._screen.set_focus(target, scroll_visible=False)  # at once: the next key is for this pane

    def show(self, panel: str) -> None:
        """Bring a pane forward without the focus."""
        if panel == self._panel:
            return
        self._panel = panel
        for each in PANELS:
            self._screen.set_class(each == panel, f"-at-{each}")
        if panel in WORK:
            self.set_work(panel)
        self.tabs.highlight(panel)
        self._screen.refresh_bindings()

    def set_work(self, panel: str) -> None:
        """Show config.json or the output where the two share a place."""
        for each in WORK:
            self._screen.set_class(each == panel, f"-work-{each}")
        self.work_tabs.highlight(panel)

    def want(self, panel: str) -> None:
        """Mark the pane that a step is about; an empty name marks none."""
        for each in PANELS:
            self._screen.query_one(f"#{each}").set_class(each == panel, "-wanted")
        if panel in WORK:
            self.set_work(panel)

    def redraw_tabs(self) -> None:
        """Draw the names again, with their present marks."""
        self.tabs.redraw()
        self.work_tabs.redraw()

    def _tab_text(self, panel: str) -> str:
        """Return the name of a pane with its key, and `*` if it has unsaved edits."""
        m = self._messages
        mark = "*" if panel == "config" and self._config.unsaved else ""
        return f"{m(f'tui.key.{panel}.key')} {m(f'tui.panel.{panel}')}{mark}"

    def _tail(self) -> str:
        """Return the text after the names: that the step is passed, or that there is a hint."""
        m = self._messages
        if self._view.step_passed:
            return f"{PASSED} n {m('tui.key.next.short')}"
        given = any(hint.for_mistake for hint in self._view.hints) and self._panel != "guide"
        return f"! {m('tui.key.guide.key')} {m('tui.key.hint.short')}" if given else ""
