"""What a member of `config.json` means (F1 in the editor): its type, its values, its members, the clause."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tutor.configfile.describe import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from tutor.configfile.meanings import Path
    from tutor.messages import Messages


class MemberHelp(ModalScreen[bool]):
    """The description of one member; its result is whether the list of keys is wanted (F1 once more)."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [
        Binding("escape,q,enter,space", "close", show=False),
        Binding("f1,question_mark", "keys", show=False),
        Binding("left,backspace", "outer", show=False),
        Binding("g", "glossary", show=False),
    ]

    def __init__(
        self, path: Path, messages: Messages, value: str = "", look_up: Callable[[str], object] | None = None
    ) -> None:
        """`look_up` opens the glossary with the terms of a text first."""
        super().__init__()
        self._look_up = look_up
        self._value = value
        self._path = path
        self._messages = messages

    def compose(self) -> ComposeResult:
        """Lay out the description."""
        with VerticalScroll(classes="dialog help member-help") as box:
            box.border_subtitle = self._messages("tui.member_help.keys")
            yield from self._parts()

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self._show_name()

    def _show_name(self) -> None:
        box = self.query_one(".member-help", VerticalScroll)
        box.border_title = describe(self._path, self._messages).name
        box.focus()

    def _parts(self) -> Iterable[Widget]:
        m = self._messages
        found = describe(self._path, m)
        if found.kind:
            yield Static(Content.styled(found.kind, "$text-muted"), classes="member-kind")
        yield Static(Content(found.meaning), classes="dialog-body")
        for value, text in found.values:
            if value == self._value and text:
                here = Content.assemble((value, "bold $text-warning"), f"  {text}")
                yield Static(here, classes="dialog-body member-value")
        if found.clause:
            label = f"{m('configfile.help.clause')}  "
            yield Static(Content.assemble((label, "bold"), (found.clause, "$text-primary")))
        for title, rows in (
            (m("configfile.help.values"), found.values),
            (m("configfile.help.members"), found.members),
        ):
            if rows:
                yield Static(Content(title), classes="dialog-title")
            for name, text in rows:
                yield Horizontal(
                    Static(Content.styled(name, "bold $text-warning"), classes="member-name"),
                    Static(Content(text), classes="help-text"),
                    classes="help-row",
                )
        if any(name.endswith("*") for name, _ in found.members):
            yield Static(Content(m("configfile.help.required_mark")), classes="dialog-body")

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(False)

    def action_keys(self) -> None:
        """Show the list of keys instead."""
        self.dismiss(True)

    def action_glossary(self) -> None:
        """Open the glossary with the terms of this member first."""
        if self._look_up is not None:
            found = describe(self._path, self._messages)
            values = (f"{value} {text}" for value, text in found.values if value == self._value)
            self._look_up("\n".join((found.name, found.meaning, *values)))

    async def action_outer(self) -> None:
        """Describe the object or array that this member is in."""
        if not self._path:
            return
        self._path = self._path[:-1]
        box = self.query_one(".member-help", VerticalScroll)
        async with box.batch():
            await box.remove_children()
            await box.mount_all(self._parts())
        box.scroll_home(animate=False)
        self._show_name()
