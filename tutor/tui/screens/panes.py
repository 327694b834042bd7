"""A screen of panes: which of them is in front, by key, by click or by what happens; the styles decide which stand side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from tutor.tui.session_bridge import WorkingScreen
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.quiz import QuizBox
from tutor.tui.widgets.tab_line import TabLine
from tutor.view.glyphs import PASSED
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.session.protocol import SessionProtocol

PANELS = ("guide", "config", "output", "namespaces", "mounts", "processes")
WORK = ("config", "output")


class PanesScreen(WorkingScreen):
    """Brings panes forward; what is in them is not its concern, but for the marks beside their names."""

    panel: reactive[str] = reactive("guide", init=False)

    def __init__(self, session: SessionProtocol, messages: Messages) -> None:
        super().__init__(session, messages)
        self.view = LessonView(engine=session.engine)

    def tab_text(self, panel: str) -> str:
        """Return a pane's name with its key; a mark says that it holds something unsaved."""
        mark = "*" if panel == "config" and self.query_one(ConfigPane).unsaved else ""
        return f"{self.messages(f'tui.key.{panel}.key')} {self.messages(f'tui.panel.{panel}')}{mark}"

    def done_text(self) -> str:
        """Return what the tabs say beside the panes' names: that the step is passed, or a hint has come."""
        if self.view.step_passed:
            return f"{PASSED} n {self.messages('tui.key.next.short')}"
        given = any(hint.for_mistake for hint in self.view.hints) and self.panel != "guide"
        return (
            f"! {self.messages('tui.key.guide.key')} {self.messages('tui.key.hint.short')}" if given else ""
        )

    def action_panel(self, panel: str) -> None:
        """Bring a pane forward and give it the focus."""
        self.panel = panel
        target = self.query_one("#config-text" if panel == "config" else f"#{panel}")
        if panel == "guide" and self.query(QuizBox):
            target = self.query_one(QuizBox)
        self.set_focus(target, scroll_visible=False)  # at once: what is typed next must not fall on the keys

    def watch_panel(self, panel: str) -> None:
        """Show the pane: where only one fits, instead of the others."""
        for each in PANELS:
            self.set_class(each == panel, f"-at-{each}")
        if panel in WORK:
            self.set_work(panel)
        self.query_one("#tabs", TabLine).light(panel)
        self.refresh_bindings()

    def set_work(self, panel: str) -> None:
        """Show config.json or the output where the two share a place."""
        for each in WORK:
            self.set_class(each == panel, f"-work-{each}")
        self.query_one("#work-tabs", TabLine).light(panel)

    @on(TabLine.Picked)
    def _picked(self, event: TabLine.Picked) -> None:
        self.action_panel(event.panel)

    @on(ConfigPane.Edited)
    def _edited(self, event: ConfigPane.Edited) -> None:
        event.stop()
        for tabs in self.query(TabLine):
            tabs.redraw()

    @property
    def one_at_a_time(self) -> bool:
        """Tell whether the terminal is so narrow that only one pane is seen."""
        return self.has_class("-narrow")
