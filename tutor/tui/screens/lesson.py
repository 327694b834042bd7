"""The lesson screen: it folds the session's events into a view, has the widgets draw it, and turns keys into commands."""

from __future__ import annotations

import os
import shlex
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Container, Vertical
from textual.widgets import Static, TextArea

from tutor.course.model import Observe, Task
from tutor.session.events import (
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    HintGiven,
    QuizAnswered,
    StepEntered,
)
from tutor.tui.keys import LESSON_KEYS, bindings
from tutor.tui.screens.dispatch import CommandingScreen
from tutor.tui.screens.panes import PANELS, WORK
from tutor.tui.session_bridge import SessionEvent, SessionIdle
from tutor.tui.shell import ShellCall, run_shell
from tutor.tui.widgets.command_line import CommandLine
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.guide import Guide
from tutor.tui.widgets.key_bar import KeyBar
from tutor.tui.widgets.mounts import MountsPanel
from tutor.tui.widgets.namespaces import NamespacesPanel
from tutor.tui.widgets.notice_bar import NoticeBar
from tutor.tui.widgets.output import OutputPane
from tutor.tui.widgets.processes import ProcessesPanel
from tutor.tui.widgets.quiz import QuizBox, TypedAnswer
from tutor.tui.widgets.status import LastCommand, Lifecycle
from tutor.tui.widgets.tab_line import TabLine
from tutor.tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tutor.messages import Messages
    from tutor.session.events import Event
    from tutor.session.protocol import SessionProtocol
    from tutor.view.lesson_view import Part

# Letters and digits that are keys, unless one types.
LETTERS = ("shell", "lesson", "panel", "to_guide", "command", "help", "home", "uncover")
# What these print is what the learner asked for, so it comes into sight even where only one pane fits.
PRINTING = ("state", "list", "exec")


class LessonScreen(CommandingScreen):
    """One lesson, one learner: guide, config.json, output, the container's life, and what the kernel shows."""

    CSS_PATH: ClassVar = ["base.tcss", "lesson.tcss"]
    KEYS = LESSON_KEYS
    BINDINGS: ClassVar = bindings("lesson", LESSON_KEYS)
    AUTO_FOCUS: ClassVar[str | None] = "#guide"

    def __init__(self, session: SessionProtocol, opening: Callable[[], None], messages: Messages) -> None:
        super().__init__(session, messages)
        self._opening = opening
        self._asking = False

    def parts(self) -> ComposeResult:
        """Lay out every pane once; the styles decide which stand side by side."""
        view, m = self.view, self.messages
        yield TopLine(view, m, privileged=os.geteuid() == 0)
        yield TabLine(self.tab_text, PANELS, "tabs", self.done_text)
        with Container(id="body"):
            yield Guide(view, m)
            with Vertical(id="status"):
                yield LastCommand(view, m)
                yield Lifecycle(view, m)
            with Container(id="work"):
                yield TabLine(self.tab_text, WORK, "work-tabs")
                yield ConfigPane(m)
                yield OutputPane(view, m)
            with Container(id="panels"):
                yield NamespacesPanel(view, m)
                yield ProcessesPanel(view, m)
                yield MountsPanel(view, m)
            yield Static(m("tui.lesson.preparing"), id="loading")
        yield NoticeBar()
        yield CommandLine(m, self.session.completions)
        yield KeyBar(m, LESSON_KEYS)

    def on_mount(self) -> None:
        """Open the lesson."""
        self.add_class("-at-guide", "-work-config", "-opening")
        self.call_session(self._opening, done=self._opened)

    def _opened(self) -> None:
        self.remove_class("-opening")
        if self.view.lesson is None:
            self.forget_waiting()
            self.tutor.go_back(self.view.notice)

    # -- what the session says -------------------------------------------------------------------------------------

    @on(SessionEvent)
    async def _take(self, message: SessionEvent) -> None:
        event = message.event
        if isinstance(event, ConfigChanged):
            self._take_config(event)
        parts = self.view.fold(event)
        with self.app.batch_update():
            await self._draw(parts)
            self._follow(event)

    async def _draw(self, parts: frozenset[Part]) -> None:
        if "header" in parts:
            self.query_one(TopLine).refresh()
            self.query_one("#tabs", TabLine).redraw()
        if "status" in parts:
            self.query_one(LastCommand).refresh()
            self.query_one(Lifecycle).refresh(layout=True)
            self.refresh_bindings()
        if "output" in parts:
            self.query_one(OutputPane).redraw()
        if "panels" in parts:
            for panel in (NamespacesPanel, ProcessesPanel, MountsPanel):
                self.query_one(panel).redraw()
        if "notice" in parts:
            self.query_one(NoticeBar).say(self.view.notice)
        if "guide" in parts:
            await self.query_one(Guide).redraw()

    def _follow(self, event: Event) -> None:
        """Bring forward what an event is about."""
        match event:
            case StepEntered(step=step):
                self.remove_class("-opening")
                self._enter_step(step.action)
            case CommandStarted():
                self.set_work("output")
            case HintGiven(for_mistake=True) | QuizAnswered():
                self.query_one("#tabs", TabLine).redraw()
                if isinstance(event, QuizAnswered) and event.correct and self.query(TypedAnswer):
                    self.set_focus(self.query_one(Guide), scroll_visible=False)  # `n` is a key again
            case CommandFinished(result=result) if self.one_at_a_time:
                words = result.call.typed.split()
                if result.returncode != 0 or any(word in PRINTING for word in words[1:2]):
                    self.panel = "output"
            case _:
                pass

    def _enter_step(self, action: object) -> None:
        wanted = (action.panel or "") if isinstance(action, Observe | Task) else ""
        for panel in PANELS:
            self.query_one(f"#{panel}").set_class(panel == wanted, "-wanted")
        self.panel = "guide"
        if wanted in WORK:
            self.set_work(wanted)
        target = self.query_one(QuizBox) if self.query(QuizBox) else self.query_one(Guide)
        if not self.typing:
            self.set_focus(target, scroll_visible=False)

    def _take_config(self, event: ConfigChanged) -> None:
        pane = self.query_one(ConfigPane)
        if event.origin == "learner" or event.text == pane.text:
            pane.mark_saved(event.text)
        elif event.origin == "outside" and pane.unsaved:
            pane.mark_saved(event.text)
            self._ask_about_outside_change()
        else:
            pane.load(event.text)

    def _ask_about_outside_change(self) -> None:
        if self._asking:
            return
        self._asking = True

        def keep() -> None:
            self._asking = False

        def load() -> None:
            self._asking = False
            self.query_one(ConfigPane).load(self.session.config_text)

        self.ask("outside", load, keep)

    # -- keys ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002  (Textual's signature)
        """Tell which keys work now: letters not while typing, operations not while one runs."""
        if action == "interrupt":
            return self.view.running is not None
        if action == "leave":
            return self.typing
        if action == "save":
            return isinstance(self.focused, TextArea)
        if action == "answer":
            return bool(self.query(TypedAnswer)) and not self.typing
        if action in LETTERS and self.typing:
            return False
        if action in ("uncover", "home", "quit_gently"):
            return self.covers == (action == "uncover")
        if action == "lesson" and self.plays_freely:
            return False
        if action in ("operate", "shell", "lesson"):
            return self.view.lesson is not None
        return True

    def action_operate(self, operation: str) -> None:
        """Run an operation of the runtime."""
        self._when_typed(partial(self.execute, operation))

    def action_lesson(self, command: str) -> None:
        """Run a command of the lesson."""
        self.execute(command)

    def action_answer(self) -> None:
        """Go to where the answer is typed."""
        self.panel = "guide"
        self.set_focus(self.query_one(TypedAnswer).input)

    def action_save(self) -> None:
        """Save config.json as it stands in the editor when its turn has come."""
        pane = self.query_one(ConfigPane)

        def save() -> None:
            self.call_session(partial(self._write, pane.text))

        self._when_typed(partial(self.when_idle, self.messages("tui.key.save.short"), save))

    def _when_typed(self, do: Callable[[], object]) -> None:
        """Do something after the editor has taken in what was typed before: such keys come first, its letters queue."""
        self.query_one(ConfigPane).area.call_later(do)

    def _write(self, text: str) -> None:
        self.session.write_config(text)

    def action_interrupt(self) -> None:
        """Interrupt the command that runs, and forget what was typed ahead."""
        self.forget_waiting()
        self.query_one(NoticeBar).say(None)
        self.session.interrupt()

    def action_leave(self) -> None:
        """Leave what one is in: the command line, the editor, a panel; back to the guide."""
        self.query_one(CommandLine).close()
        self.query_one(NoticeBar).say(None)
        self.action_panel("guide")

    def action_to_guide(self) -> None:
        """Go back to the guide, and put away what was said."""
        self.action_leave()

    def action_command(self) -> None:
        """Open the command line."""
        self.query_one(CommandLine).open()

    @on(CommandLine.Entered)
    def _entered(self, event: CommandLine.Entered) -> None:
        event.stop()
        self.action_panel(self.panel)
        self.dispatch(event.line)

    @on(QuizBox.Answered)
    def _answered(self, event: QuizBox.Answered) -> None:
        event.stop()
        asked = self.view.step

        def answer() -> None:
            if self.view.step is asked:  # typed ahead, it must not answer another question
                self.execute_now(f"answer {shlex.quote(event.choice_id)}")

        self.when_idle("answer", answer)

    def action_shell(self) -> None:
        """Give the learner a shell inside the lab, on the whole terminal."""
        self.when_idle("shell", self._shell)

    def _shell(self) -> None:
        pane = self.query_one(ConfigPane)
        text = pane.text if pane.unsaved else None
        calls: list[ShellCall] = []

        def prepare() -> None:
            if text is not None:
                self.session.write_config(text)
            calls.append(self.session.shell_call())

        def enter() -> None:
            for call in calls:  # none, where it could not be prepared: that has been said
                self.busy = True  # what was typed ahead waits for the shell's end
                self.run_worker(self._run_shell(call), group="session")

        self.call_session(prepare, done=enter)

    async def _run_shell(self, call: ShellCall) -> None:
        try:
            await run_shell(self.app, *call, self.messages)
        except Exception as error:  # noqa: BLE001  (a learner gets a notice, never a traceback)
            self.post_message(SessionEvent(self.tutor.notice_of(error)))
            self.post_message(SessionIdle(None))
        else:
            self.post_message(SessionIdle(partial(self.call_session, self.session.back_from_shell)))

    def action_home(self) -> None:
        """Leave the lesson; the lab goes, progress stays."""
        self._ask_if_lost(self._leave_lesson)

    def _leave_lesson(self) -> None:
        self.forget_waiting()
        self.tutor.go_back()
        self.say_busy()

    @property
    def covers(self) -> bool:
        """Whether this is free play on top of a lesson, or of the list, to which leaving it leads back."""
        return self.plays_freely and not self.tutor.only_plays

    def action_uncover(self) -> None:
        """Leave free play for what is below."""
        self.action_home()

    def action_quit_gently(self) -> None:
        """End the program, or leave free play for what is below; ask only when something would be lost."""
        if self.covers:
            self.action_home()
        else:
            self.action_quit_anywhere()

    def action_quit_anywhere(self) -> None:
        """End the program; ask only when something would be lost."""
        self._ask_if_lost(lambda: self.app.exit(0))

    def _ask_if_lost(self, proceed: Callable[[], object]) -> None:
        if not self.query_one(ConfigPane).unsaved and self.view.running is None:
            proceed()
            return

        def go() -> None:
            self.action_interrupt()
            proceed()

        self.ask("unsaved" if self.query_one(ConfigPane).unsaved else "running", go)
