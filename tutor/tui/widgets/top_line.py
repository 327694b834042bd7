"""The line at the top: the lesson, its progress as dots, the engine, and the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tutor.home import shown
from tutor.text import cell_width, truncate
from tutor.text.glyphs import BAR_DONE, BAR_TO_DO, STEP_DONE, STEP_HERE, STEP_TO_DO
from tutor.view.host import cgroup_version

if TYPE_CHECKING:
    from textual.app import RenderResult

    from tutor.messages import Messages
    from tutor.view.lesson_view import LessonView

BAR_WIDTH = 10  # cells of the progress where there is no room for a dot a step


class TopLine(Widget):
    """oci-tutor, the lesson, its progress as dots, and on the right the engine, root or rootless, and the version of cgroups.

    `privileged`: this program runs as root.
    """

    DEFAULT_CSS = (
        "TopLine { height: 1; background: $panel; color: $foreground; padding: 0 1; text-wrap: nowrap; }"
    )

    def __init__(self, view: LessonView, messages: Messages, *, privileged: bool) -> None:
        super().__init__(id="top-line")
        self._view = view
        self._privileged = privileged
        self._messages = messages

    def render(self) -> RenderResult:
        """Return the line; the title is cut where there is no room."""
        m, view = self._messages, self._view
        name = Content.styled("oci-tutor", "bold $text-primary")
        engine = f"{view.engine} {view.engine_version}".strip()
        right = Content.assemble((engine, "bold $text-accent"), (f" · {self._machine()}", "$text-muted"))
        lesson = view.lesson
        if lesson is None:
            return self._spread(Content.assemble(name, f"  {m('tui.lesson.preparing')}"), right)
        if lesson.is_free_play:
            place = shown(lesson.folder)
            taken = name.cell_length + cell_width(lesson.title) + 8
            if taken + cell_width(place) + right.cell_length > self.size.width:
                right = Content.styled(view.engine, "bold $text-accent")
            place = truncate(place, max(0, self.size.width - taken - right.cell_length))
            return self._spread(Content.assemble(name, "  ", (lesson.title, "bold"), f"  {place}"), right)
        step = m("tui.lesson.step", number=view.index + 1, count=len(lesson.steps))
        dots = self._dots()
        room = (
            self.size.width - right.cell_length - cell_width(step) - dots.cell_length - name.cell_length - 8
        )
        title = f"{lesson.order} {lesson.title}"
        if room < cell_width(title):
            right = Content.styled(view.engine, "bold $text-accent")
            room = (
                self.size.width
                - right.cell_length
                - cell_width(step)
                - dots.cell_length
                - name.cell_length
                - 8
            )
        title = truncate(title, max(0, room))
        return self._spread(Content.assemble(name, "  ", (title, "bold"), "  ", dots, f"  {step}"), right)

    def _machine(self) -> str:
        m, shot = self._messages, self._view.snapshot
        words = [m("tui.machine.root" if self._privileged else "tui.machine.rootless")]
        if shot is not None and (version := cgroup_version(shot.host)):
            words.append(m("tui.machine.cgroup", version=version))
        return " · ".join(words)

    def _dots(self) -> Content:
        view = self._view
        steps = view.lesson.steps if view.lesson else ()
        if len(steps) > self.size.width // 4:
            done = BAR_WIDTH * len(view.passed) // max(1, len(steps))
            return Content.assemble(
                (BAR_DONE * done, "$text-success"), (BAR_TO_DO * (BAR_WIDTH - done), "$text-muted")
            )
        return Content.assemble(
            *(
                (STEP_HERE, "bold $text-warning")
                if index == view.index
                else (STEP_DONE, "$text-success")
                if step.id in view.passed
                else (STEP_TO_DO, "$text-muted")
                for index, step in enumerate(steps)
            )
        )

    def _spread(self, left: Content, right: Content) -> Content:
        gap = self.size.width - left.cell_length - right.cell_length
        return Content.assemble(left, " " * max(1, gap), right)
