"""The lesson screen: folds the events of the session into a view, has widgets draw it, and turns keys into commands."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Container, Vertical
from textual.widgets import Static, TextArea

from tutor.lab.user_namespace import is_ordinary_user
from tutor.session.events import (
    ConfigChanged,
    Notice,
    StepEntered,
)
from tutor.tui.keys import IN_TERMINAL, LESSON_KEYS, bindings
from tutor.tui.screens.base import TutorScreen
from tutor.tui.screens.config_file import ConfigFile
from tutor.tui.screens.dispatch import VIEW_COMMANDS, Commands
from tutor.tui.screens.drawing import Drawing
from tutor.tui.screens.leaving import Leaving
from tutor.tui.screens.panes import Panes
from tutor.tui.screens.search import Search
from tutor.tui.screens.terminals import HandedOver, Terminals
from tutor.tui.session_bridge import SessionBridge, SessionEvent, SessionIdle
from tutor.tui.widgets.below import MoreBelow
from tutor.tui.widgets.cgroup import CgroupPanel
from tutor.tui.widgets.command_line import CommandLine
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.find_line import FindLine
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
from tutor.tui.widgets.terminal import TerminalPane, TerminalView
from tutor.tui.widgets.top_line import TopLine
from tutor.view.edited_file import edited_name
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import ComposeResult
    from textual.widget import Widget

    from tutor.course.model import Lesson, Step
    from tutor.messages import Messages
    from tutor.session.protocol import SessionProtocol
    from tutor.tui.navigation import Navigation
    from tutor.tui.palette import PaletteCommand

# The actions of letters and digits, which are no keys while the focus is in a text.
LETTERS = (
    "shell",
    "to_shell",
    "to_console",
    "run_line",
    "lesson",
    "snippet",
    "dispatch",
    "look_up",
    "search",
    "panel",
    "to_guide",
    "command",
    "help",
    "home",
    "uncover",
)


class LessonScreen(TutorScreen):
    """One lesson: guide, config.json, output, the state of the container, and what the kernel shows of it.

    Its parts do the work: `bridge` calls the session, `panes` brings panes forward, `commands` runs lines.
    """

    CSS_PATH: ClassVar = ["base.tcss", "lesson.tcss"]
    KEYS = LESSON_KEYS
    BINDINGS: ClassVar = bindings("lesson", LESSON_KEYS)
    AUTO_FOCUS: ClassVar[str | None] = "#guide"

    def __init__(
        self,
        session: SessionProtocol,
        opening: Callable[[], None],
        messages: Messages,
        navigation: Navigation,
    ) -> None:
        super().__init__(messages, navigation)
        # The guide is shown, and config.json beside it. A class that is there before the widgets are costs no second styling.
        self.add_class("-at-guide", "-work-config", "-lower-output", update=False)
        self._session = session
        self._opening = opening
        self.view = LessonView(engine=session.engine)
        self._asked_in: Step | None = None
        self._question: Notice | None = None
        self._notices = NoticeBar()
        self._line = CommandLine(messages, session.completions)
        pane = ConfigPane(messages)
        self.bridge = SessionBridge(
            self,
            self._notices,
            messages,
            notice_of=navigation.notice_of,
            is_slow=lambda: self.view.running is not None,
        )
        self.panes = Panes(self, self.view, pane, messages, lambda: self.following)
        self._config = ConfigFile(self, session, self.bridge, pane, self.view)
        self.terminals = Terminals(
            self,
            session,
            self.bridge,
            panes=self.panes,
            config=self._config,
            notices=self._notices,
            pane=TerminalPane(messages),
        )
        self.leaving = Leaving(
            self,
            session,
            self.bridge,
            navigation=navigation,
            config=self._config,
            view=self.view,
            interrupt=self.action_interrupt,
        )
        self.drawing = Drawing(
            self, self.view, panes=self.panes, terminals=self.terminals, navigation=navigation
        )
        self.search = Search(self, messages)
        self.commands = Commands(
            self,
            session,
            self.bridge,
            self.view,
            config=self._config,
            line=self._line,
            notices=self._notices,
            own={name: partial(self.panes.bring, panel) for name, panel in VIEW_COMMANDS.items()}
            | {"help": self.action_help, "quit": self.action_quit_gently}
            | dict.fromkeys(("shell", "!"), self.action_shell),
            run_in_shell=self.terminals.run,
        )

    @property
    def following(self) -> Lesson | None:
        """The lesson to go on to, at the end of this one."""
        done = self.view.finished
        return self.navigation.lesson_after(done.lesson.id) if done is not None else None

    @property
    def edits(self) -> tuple[str, str] | None:
        """The text in the editor and the text that it was made of, if they differ."""
        return self._config.edits

    def parts(self) -> ComposeResult:
        """Lay out every pane once; the style sheet decides which are side by side."""
        view, m = self.view, self.messages
        yield TopLine(view, m, privileged=not is_ordinary_user())
        yield self.panes.tabs
        with Container(id="body") as body:
            body.display = False
            yield Guide(view, m, lambda: self.following)
            with Vertical(id="status"):
                yield LastCommand(view, m)
                yield Lifecycle(view, m)
            with Container(id="work"):
                yield self.panes.work_tabs
                yield self._config.pane
                yield OutputPane(view, m)
                yield self.terminals.pane
            with Container(id="panels"):
                yield NamespacesPanel(view, m)
                yield ProcessesPanel(view, m)
                yield MountsPanel(view, m)
                yield CgroupPanel(view, m)
        yield Static(m("tui.lesson.preparing"), id="loading")
        yield self.search.line
        yield self._notices
        yield self._line
        yield KeyBar(m, LESSON_KEYS)

    def on_mount(self) -> None:
        """Open the lesson."""
        self.terminals.begin()
        self.watch(self, "focused", self._name_keys, init=False)
        self.bridge.call(self._opening, done=self._opened)

    @property
    def preparing(self) -> bool:
        """Whether the lesson is still being opened, and that is all that is shown."""
        return self.query_one("#body").styles.inline.has_rule("display")

    @preparing.setter
    def preparing(self, preparing: bool) -> None:
        # Not by a class of the screen: with that, every widget would be styled again.
        # Nor by a style that outlasts it: in a terminal that is too small, the style sheet hides the body.
        for part, hidden in (("#loading", not preparing), ("#body", preparing)):
            styles = self.query_one(part).styles
            if hidden:
                styles.display = "none"
            else:
                styles.clear_rule("display")

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """Give a widget the focus; whatever has it is in sight: a pane that is hidden is brought forward."""
        if widget is not None and widget is not self.terminals.pane.view:
            self.terminals.unzoom()
        if widget is not None:
            self.panes.reveal(widget)
        super().set_focus(widget, scroll_visible, from_app_focus)

    def _name_keys(self) -> None:
        self.query_one(Guide).redraw_keys()
        self.panes.tabs.redraw()

    @property
    def edited_name(self) -> str:
        """The name of the file that the learner edits."""
        return edited_name(self.view.lesson)

    def on_resize(self) -> None:
        """Keep the focus in sight in another width."""
        self.call_after_refresh(self._reveal_focus)

    def _reveal_focus(self) -> None:
        if self.focused is not None:
            self.panes.reveal(self.focused)

    def _opened(self) -> None:
        self.preparing = False
        if self.view.lesson is None:
            self.bridge.forget_waiting()
            self.navigation.go_back(self.view.notice)

    @on(SessionIdle)
    def _idle(self, message: SessionIdle) -> None:
        self.bridge.idle(message)

    # -- events of the session ------------------------------------------------------------------------------------

    @on(SessionEvent)
    async def _take(self, message: SessionEvent) -> None:
        event = message.event
        if isinstance(event, ConfigChanged):
            self._config.changed(event)
        parts = self.view.fold(event)
        with self.app.batch_update():
            await self.drawing.draw(parts)
            if isinstance(event, StepEntered):
                self.preparing = False
            self.drawing.follow(event)

    # -- keys ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether the key of an action works now."""
        if self.terminals.has_focus and self.typing:
            return action in IN_TERMINAL and (action != "operate" or self.view.lesson is not None)
        if action in self._only_where:
            return self._only_where[action]()
        if action in LETTERS and self.typing:
            return False
        if action in ("uncover", "home", "quit_gently"):
            return self.leaving.uncovers == (action == "uncover")
        if action in ("lesson", "dispatch") and self.view.plays_freely:
            return parameters == ("reset",)
        if action in ("operate", "shell", "lesson", "dispatch", "terminal", "zoom", "to_shell", "run_line"):
            return self.view.lesson is not None
        return True

    @property
    def _only_where(self) -> dict[str, Callable[[], bool]]:
        """The conditions of keys that work in one place only."""
        return {
            "to_console": lambda: self.terminals.has_console and not self.typing,
            "interrupt": lambda: self.view.running is not None and not self.has_selection,
            "copy_text": lambda: self.has_selection,
            "leave": lambda: self.typing,
            "save": lambda: isinstance(self.focused, TextArea),
            "editor": lambda: isinstance(self.focused, TextArea),
            "evidence": lambda: self.panes.panel_of_focus == "guide" and self.query_one(Guide).can_fold,
            "answer": lambda: bool(self.query(TypedAnswer)) and not self.typing,
        }

    def action_operate(self, operation: str) -> None:
        """Run an operation of the runtime."""
        self.commands.execute(operation)

    def action_lesson(self, command: str) -> None:
        """Run a command of the lesson; after its end, `next` is the next lesson."""
        following = self.following if command == "next" else None
        if command == "next" and self._asks_to_read_on():
            return
        if following is None:
            self.commands.execute(command)
        else:
            self.leaving.go_on_to(following)

    def _asks_to_read_on(self) -> bool:
        """Ask, the first time in a step, whether to go on although text is below the fold."""
        guide, m = self.query_one(Guide), self.messages
        if not guide.unread or self._asked_in is self.view.step or self.bridge.busy:
            return False
        self._asked_in = self.view.step
        self.panes.bring("guide")  # with the focus: PgDn is the next key
        self._question = Notice("information", m("tui.guide.unread"), next=m("tui.guide.unread_next"))
        self._notices.cover(self._question)
        return True

    def action_evidence(self) -> None:
        """Open the evidence of the checks that pass, or fold it."""
        self.query_one(Guide).toggle_evidence()

    def action_dispatch(self, line: str) -> None:
        """Run a command as if it was typed, with the question before it."""
        self.commands.dispatch(line)

    def action_look_up(self, command: str) -> None:
        """Open the step's clause of the specification, or the glossary."""
        self.commands.dispatch(command)

    def action_answer(self) -> None:
        """Give the focus to the line in which the answer is typed."""
        self.panes.show("guide")
        self.set_focus(self.query_one(TypedAnswer).input)

    def action_save(self) -> None:
        """Save config.json."""
        self._config.save()

    def action_editor(self, name: str) -> None:
        """Do what a key of the editor does."""
        self._config.act(name)

    def action_snippet(self) -> None:
        """Put the step's snippet into config.json, after a look at the difference."""
        self._config.insert_snippet()

    def action_panel(self, panel: str) -> None:
        """Bring a pane forward and give it the focus."""
        self.panes.bring(panel)

    @on(TabLine.Picked)
    def _picked(self, event: TabLine.Picked) -> None:
        self.panes.bring(event.panel)

    @on(MoreBelow)
    def _more_below(self, event: MoreBelow) -> None:
        event.stop()
        self.panes.say_below()
        unread = self._asked_in is self.view.step and self.query_one(Guide).unread
        if self._question is not None and not unread:
            self._notices.withdraw(self._question)
            self._question = None

    @on(ConfigPane.Edited)
    def _edited(self, event: ConfigPane.Edited) -> None:
        event.stop()
        self.panes.redraw_tabs()

    def action_interrupt(self) -> None:
        """Interrupt the command that runs, and drop the commands that wait."""
        self.bridge.forget_waiting()
        self._notices.hide()
        self._session.interrupt()

    def action_leave(self) -> None:
        """Leave the command line, the editor or a panel, and go back to the guide; first close what stands over the editor."""
        if self._config.pane.leave_part(self.focused) or self.search.close():
            return
        self._line.close()
        self.clear_selection()
        self._notices.hide()
        self.panes.bring("guide")

    def action_to_guide(self) -> None:
        """Go back to the guide, and hide the notice."""
        self.action_leave()

    def action_search(self) -> None:
        """Open the line that searches the pane with the focus."""
        self.search.open(self.panes.panel_of_focus)

    @on(FindLine.Wanted)
    def _find(self, event: FindLine.Wanted) -> None:
        event.stop()
        self.search.find(event.text, event.by)

    def action_command(self) -> None:
        """Open the command line."""
        self._line.open()

    @on(CommandLine.Entered)
    def _entered(self, event: CommandLine.Entered) -> None:
        event.stop()
        self.panes.bring(self.panes.panel)
        self.commands.dispatch(event.line)

    @on(QuizBox.Answered)
    def _answered(self, event: QuizBox.Answered) -> None:
        event.stop()
        asked = self.view.step

        def answer() -> None:
            if self.view.step is asked:  # an answer typed ahead is for this question only
                self.commands.execute_now(f"answer {shlex.quote(event.choice_id)}")

        self.bridge.when_idle("answer", answer)

    def action_shell(self) -> None:
        """Run a shell inside the lab, on the whole terminal."""
        self.terminals.run_outside()

    def action_terminal(self) -> None:
        """Lead into the terminal beside the text, or out of it."""
        self.terminals.toggle()

    def action_zoom(self) -> None:
        """Give the terminal the whole screen, or take it back."""
        self.terminals.zoom()

    def action_to_shell(self) -> None:
        """Give the keys to the shell of the lab, beside the text."""
        self.terminals.enter_shell()

    def action_to_console(self) -> None:
        """Give the keys to the terminal of the container."""
        self.terminals.enter_console()

    def action_run_line(self) -> None:
        """Run a line of the guide in the terminal beside the text."""
        self.terminals.pick_line(self.query_one(Guide).lines)

    @on(HandedOver)
    def _handed_over(self, message: HandedOver) -> None:
        self.terminals.handed_over(message)

    @on(TerminalView.Entered)
    def _entered_terminal(self) -> None:
        self.terminals.open_if_closed()

    def on_unmount(self) -> None:
        """Hang up the terminals."""
        self.terminals.close()

    def action_home(self) -> None:
        """Leave the lesson: remove the lab, keep the progress."""
        self.leaving.go_back()

    def action_uncover(self) -> None:
        """Leave free play for the screen below."""
        self.leaving.go_back()

    def action_quit_gently(self) -> None:
        """End the program, or leave free play for the screen below; ask only if something would be lost."""
        if self.leaving.uncovers:
            self.leaving.go_back()
        else:
            self.leaving.quit()

    def action_quit_anywhere(self) -> None:
        """End the program; ask only if something would be lost."""
        self.leaving.quit()

    def palette_commands(self) -> Iterator[PaletteCommand]:
        """Yield every command of the registry, and the keys that have no command."""
        m = self.messages
        yield from self.commands.for_palette()
        yield m("tui.key.home.short"), m("tui.key.home.long"), self.action_home
        yield m("tui.key.theme.short"), m("tui.key.theme.long"), self.action_theme
