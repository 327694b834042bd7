"""Keeps the editor and the `config.json` on disk in step, whichever of them changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tutor.course.find import course_of
from tutor.errors import TutorError
from tutor.session.events import Notice
from tutor.tui.screens.diff import Before, DiffScreen
from tutor.tui.widgets.notice_bar import NoticeBar
from tutor.view.config_texts import has_snippet, with_snippets
from tutor.view.edited_file import is_python, line_to_write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.session.events import ConfigChanged
    from tutor.session.protocol import SessionProtocol
    from tutor.tui.screens.base import TutorScreen
    from tutor.tui.session_bridge import SessionBridge
    from tutor.tui.widgets.editor import ConfigPane
    from tutor.view.lesson_view import LessonView


class ConfigFile:
    """The `config.json` of the learner: the text on disk, and the text in the editor."""

    def __init__(
        self,
        screen: TutorScreen,
        session: SessionProtocol,
        bridge: SessionBridge,
        pane: ConfigPane,
        view: LessonView,
    ) -> None:
        self._screen = screen
        self._session = session
        self._bridge = bridge
        self.pane = pane
        self._view = view
        self._asking = False

    def changed(self, event: ConfigChanged) -> None:
        """Show the new text of the file; ask before unsaved edits are replaced."""
        self.pane.use(event.path)
        # A skeleton or a solution goes into a file of Python as it is on disk, without the edits that are not saved.
        merged = event.origin == "outside" or (is_python(event.path) and event.origin != "opened")
        if event.origin == "learner" or event.text == self.pane.text:
            self.pane.mark_saved(event.text)
        elif merged and self.pane.unsaved:
            self.pane.note_other(event.text)
            self._ask_about_outside_change()
        else:
            self.pane.load(event.text, begin=event.origin == "opened")
            line = line_to_write(self._view.step, event.text)
            if line and event.origin in ("reset", "solution"):
                self.pane.go_to(line)

    def _ask_about_outside_change(self) -> None:
        if self._asking:
            return
        self._asking = True

        def keep() -> None:
            self._asking = False

        def load() -> None:
            self._asking = False
            self.pane.load(self._session.config_text)

        self._screen.ask("outside", load, keep)

    def save(self, then: Callable[[], object] = lambda: None) -> None:
        """Save the text that the editor has when the turn of this command comes; call `then` if it was saved."""
        saved: list[bool] = []

        def write(text: str, seen: str) -> None:
            saved.append(self._session.write_config(text, seen))

        def done() -> None:
            if saved == [True]:
                then()

        def save() -> None:
            self._bridge.call(partial(write, self.pane.text, self.pane.base), done=done)

        self._bridge.when_idle(self._screen.messages("tui.key.save.short"), save)

    def act(self, name: str) -> None:
        """Do what a key of the editor does, by the last part of its id."""
        match name:
            case "complete" | "describe" | "format" if self.pane.is_python:
                self._say("python")
            case "complete":
                if not self.pane.complete():
                    self._say("nothing_to_complete")
            case "describe":
                path, value = self.pane.member_at_cursor()
                from tutor.tui.screens.member_help import MemberHelp

                screen = self._screen
                look_up = partial(self._look_up, course_of(self._view.lesson))
                screen.app.push_screen(MemberHelp(path, screen.messages, value, look_up), self._described)
            case "problem":
                if not self.pane.go_to_next_problem():
                    self._say("no_problem")
            case "format":
                if not self.pane.lay_out():
                    self._say("not_json")
            case "diff":
                self.show_difference()
            case "find":
                self.pane.find()
            case "undo" | "redo":
                getattr(self.pane.area, name)()

    def show_difference(self) -> None:
        """Show what the text in the editor has that it had not as the step began, and at the last `create`."""
        m, view = self._screen.messages, self._view
        before = [Before(m("tui.diff.step"), view.step_config)]
        if view.created_config is not None:
            before.append(Before(m("tui.diff.create"), view.created_config))
        self._screen.app.push_screen(
            DiffScreen(m("tui.diff.title", file=self._screen.edited_name), tuple(before), self.pane.text, m)
        )

    def insert_snippet(self) -> None:
        """Show what the step's snippets would change in the text in the editor, and put them in if the learner takes it."""
        step = self._view.step
        if step is None or not has_snippet(step):
            self._say("no_snippet")
            return
        text = with_snippets(step, self.pane.text)
        if text is None:
            self._say("snippet_unfit")
        elif text == self.pane.text:
            self._say("snippet_there")
        else:
            self.propose("snippet", text, self._put_in)

    def _put_in(self, text: str) -> None:
        self.pane.area.replace_all(text)
        self._screen.set_focus(self.pane.area)

    def propose(self, name: str, text: str, take: Callable[[str], object], **values: str) -> None:
        """Show the difference to another text, and call `take` with it if the learner takes it (`tui.diff.NAME` asks)."""
        m = self._screen.messages
        now = Before(m("tui.diff.now"), self.pane.text)

        def answered(taken: bool | None) -> None:
            if taken:
                take(text)

        self._screen.app.push_screen(
            DiffScreen(
                m(f"tui.diff.{name}.title"), (now,), text, m,
                question=m(f"tui.diff.{name}.question"), body=m(f"tui.diff.{name}.body", file=self._screen.edited_name, **values),
            ),
            answered,
        )  # fmt: skip

    def _look_up(self, folder: Path, about: str) -> None:
        from tutor.tui.screens.look_up import open_glossary

        try:
            open_glossary(self._screen, folder, self._view.step, about=about, of="member")
        except TutorError as error:  # a course of one's own may have a defective glossary
            self._screen.query_one(NoticeBar).say(self._screen.navigation.notice_of(error))

    def _described(self, keys: bool | None) -> None:
        if keys:
            self._screen.action_help()

    def _say(self, name: str) -> None:
        notice = Notice("information", self._screen.messages(f"tui.config.{name}"))
        self._screen.query_one(NoticeBar).say(notice)

    def unsaved_text(self) -> str | None:
        """Return the text in the editor, None if it is the text on disk."""
        return self.pane.text if self.pane.unsaved else None

    @property
    def edits(self) -> tuple[str, str] | None:
        """The text in the editor and the text that it was made of, if the former is not on disk."""
        pane = self.pane
        if not pane.is_mounted or not pane.unsaved:
            return None
        return pane.text, pane.base
