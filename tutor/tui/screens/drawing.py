"""What an event of the session changes on the screen of a lesson: what is drawn again, and what comes forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.model import Observe, Task
from tutor.session.events import (
    CommandFinished,
    CommandStarted,
    HintGiven,
    LessonFinished,
    QuizAnswered,
    StepEntered,
)
from tutor.tui.widgets.cgroup import CgroupPanel
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.mounts import MountsPanel
from tutor.tui.widgets.namespaces import NamespacesPanel
from tutor.tui.widgets.notice_bar import NoticeBar
from tutor.tui.widgets.output import OutputPane
from tutor.tui.widgets.processes import ProcessesPanel
from tutor.tui.widgets.quiz import QuizBox, TypedAnswer
from tutor.tui.widgets.status import LastCommand, Lifecycle
from tutor.tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.session.events import Event
    from tutor.tui.navigation import Navigation
    from tutor.tui.screens.base import TutorScreen
    from tutor.tui.screens.panes import Panes
    from tutor.tui.screens.terminals import Terminals
    from tutor.view.lesson_view import LessonView, Part

# The learner runs these for their output, so it is shown even where only one pane fits.
PRINTING = ("state", "list", "exec")


class Drawing:
    """Draws the view of a lesson by the widgets of its screen."""

    def __init__(
        self,
        screen: TutorScreen,
        view: LessonView,
        *,
        panes: Panes,
        terminals: Terminals,
        navigation: Navigation,
    ) -> None:
        self._screen, self._view = screen, view
        self._panes, self._terminals, self._navigation = panes, terminals, navigation

    async def draw(self, parts: frozenset[Part]) -> None:
        """Draw again what an event has changed."""
        if "header" in parts:
            self._screen.query_one(TopLine).refresh()
            self._panes.tabs.redraw()
        if "status" in parts:
            self._screen.query_one(LastCommand).refresh()
            self._screen.query_one(Lifecycle).refresh(layout=True)
            self._screen.refresh_bindings()
        if "output" in parts:
            self._screen.query_one(OutputPane).redraw()
        if "panels" in parts:
            for panel in (NamespacesPanel, ProcessesPanel, MountsPanel, CgroupPanel):
                self._screen.query_one(panel).redraw()
        if "notice" in parts:
            self._screen.query_one(NoticeBar).say(self._view.notice)
        if "guide" in parts:
            await self._screen.query_one(Guide).redraw()

    def follow(self, event: Event) -> None:
        """Bring forward the pane that an event is about."""
        match event:
            case StepEntered(step=step):
                self._enter_step(step.activity)
            case CommandStarted() if not (self._terminals.has_focus or self._terminals.has_console):
                self._panes.set_work("output")
            case LessonFinished(lesson=lesson) if not lesson.is_free_play:
                self._end_lesson(lesson)
            case HintGiven(for_mistake=True) | QuizAnswered():
                self._panes.tabs.redraw()
                if isinstance(event, QuizAnswered) and event.correct and self._screen.query(TypedAnswer):
                    self._screen.set_focus(
                        self._screen.query_one(Guide), scroll_visible=False
                    )  # `n` is a key again
            case CommandFinished(result=result) if (
                self._panes.one_at_a_time and not self._terminals.has_focus
            ):
                words = result.call.typed.split()
                if result.returncode != 0 or any(word in PRINTING for word in words[1:2]):
                    self._panes.show("output")
            case CommandFinished(result=result) if result.returncode != 0 and not self._terminals.has_focus:
                self._panes.set_work("output")  # a container's terminal may be there
            case _:
                pass

    def _end_lesson(self, lesson: Lesson) -> None:
        """Say what was seen and how to go on, and give the guide the focus, unless the learner types."""
        guide = self._screen.query_one(Guide)
        guide.ending = self._navigation.ending_of(lesson.id)
        guide.redraw_keys()
        guide.call_after_refresh(guide.scroll_end, animate=False)
        self._panes.redraw_tabs()
        if not self._screen.typing:
            self._screen.set_focus(guide, scroll_visible=False)

    def _enter_step(self, activity: object) -> None:
        self._panes.want((activity.panel or "") if isinstance(activity, Observe | Task) else "")
        target = (
            self._screen.query_one(QuizBox) if self._screen.query(QuizBox) else self._screen.query_one(Guide)
        )
        if not self._screen.typing:
            self._screen.set_focus(target, scroll_visible=False)
