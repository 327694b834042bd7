"""The line in which a text to find is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.messages import Messages


class FindInput(Input):
    """The line itself; the arrow keys go from one place to the next."""

    BINDINGS: ClassVar = [
        Binding("up", "walk(-1)", show=False),
        Binding("down", "walk(1)", show=False),
    ]

    def action_walk(self, by: int) -> None:
        """Go to the next place, or to the one before."""
        self.post_message(FindLine.Wanted(self.value, by))


class FindLine(Horizontal):
    """A line below what it searches, hidden until it is opened."""

    DEFAULT_CSS = """
    FindLine { height: 1; display: none; background: $panel; padding: 0 1;
        &.-open { display: block; }
        & .find-label { width: auto; color: $text-accent; text-style: bold; margin: 0 1 0 0; }
        & FindInput { border: none; height: 1; width: 1fr; background: $surface; padding: 0; }
        & FindInput:focus { border: none; }
        & .find-count { width: auto; color: $text-muted; margin: 0 0 0 1; }
    }
    """

    class Wanted(Message):
        """Go to a text: `by` is 1 for the next place, -1 for the one before, 0 for the first at or behind the present one."""

        def __init__(self, text: str, by: int) -> None:
            super().__init__()
            self.text, self.by = text, by

    def __init__(self, messages: Messages, name: str = "find") -> None:
        """`name`: the first part of its id."""
        super().__init__(id=f"{name}-line")
        self._messages = messages

    def compose(self) -> ComposeResult:
        """Lay out the line, and how many places there are."""
        yield Static(Content(self._messages("tui.config.find")), classes="find-label")
        yield FindInput(placeholder=self._messages("tui.config.find_keys"))
        yield Static(classes="find-count")

    @property
    def input(self) -> FindInput:
        """The line."""
        return self.query_one(FindInput)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it, and give it the focus; what was found before is selected."""
        self.add_class("-open")
        self.screen.set_focus(self.input)
        self.input.action_select_all()

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")

    def show_count(self, number: int, total: int) -> None:
        """Show which place of how many it is."""
        m = self._messages
        text = m("tui.config.found", number=number, total=total) if total else m("tui.config.not_found")
        self.query_one(".find-count", Static).update(Content(text if self.input.value else ""))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value, 0))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value, 1))
