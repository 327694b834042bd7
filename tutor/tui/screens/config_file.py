"""Keeps the editor and the `config.json` on disk in step, whichever of them changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.session.events import ConfigChanged
    from tutor.session.protocol import SessionProtocol
    from tutor.tui.screens.base import TutorScreen
    from tutor.tui.session_bridge import SessionBridge
    from tutor.tui.widgets.editor import ConfigPane


class ConfigFile:
    """The `config.json` of the learner: the text on disk, and the text in the editor."""

    def __init__(
        self, screen: TutorScreen, session: SessionProtocol, bridge: SessionBridge, pane: ConfigPane
    ) -> None:
        self._screen = screen
        self._session = session
        self._bridge = bridge
        self.pane = pane
        self._asking = False

    def changed(self, event: ConfigChanged) -> None:
        """Show the new text of the file; ask before unsaved edits are replaced."""
        if event.origin == "learner" or event.text == self.pane.text:
            self.pane.mark_saved(event.text)
        elif event.origin == "outside" and self.pane.unsaved:
            self.pane.mark_saved(event.text)
            self._ask_about_outside_change()
        else:
            self.pane.load(event.text)

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

        def write(text: str) -> None:
            saved.append(self._session.write_config(text))

        def done() -> None:
            if saved == [True]:
                then()

        def save() -> None:
            self._bridge.call(partial(write, self.pane.text), done=done)

        self._bridge.when_idle(self._screen.messages("tui.key.save.short"), save)

    def unsaved_text(self) -> str | None:
        """Return the text in the editor, None if it is the text on disk."""
        return self.pane.text if self.pane.unsaved else None

    @property
    def edits(self) -> tuple[str, str] | None:
        """The text in the editor and the text that it was made of, if they differ; "" where that is not on disk any more."""
        pane = self.pane
        if not pane.is_mounted or not pane.unsaved:
            return None
        return pane.text, "" if self._asking else pane.saved
