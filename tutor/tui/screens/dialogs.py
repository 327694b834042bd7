"""Small screens on top of another: a question, a message, a choice, a line to type, and the list of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, cast

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tutor.text.glyphs import CHOSEN, NEXT, NOT_CHOSEN

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.messages import Messages


Answer = Literal["yes", "no", "instead"]


class Ask(ModalScreen[Answer]):
    """A question with two or three answers; the safe one, `no`, has the focus. `y`, `d` (instead), and `n` or Esc answer as well.

    `quits`: it is asked because the program is to end; to ask for the end once more is to say yes.
    """

    CSS_PATH = "dialogs.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (80, "-narrow")]  # noqa: RUF012  (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (24, "-low")]  # noqa: RUF012  (as Textual declares it)
    BINDINGS: ClassVar = [
        Binding("y", "answer('yes')", show=False),
        Binding("d", "answer('instead')", show=False),
        Binding("n,escape", "answer('no')", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self, title: str, body: str, yes: str, no: str, instead: str = "", *, quits: bool = False
    ) -> None:
        super().__init__()
        self.quits = quits
        self._title, self._body = title, body
        self._answers: dict[Answer, str] = {"yes": f"{yes} (y)"}
        if instead:
            self._answers["instead"] = f"{instead} (d)"
        self._answers["no"] = f"{no} (n)"

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="dialog-title")
            yield Static(Content(self._body), classes="dialog-body")
            with Horizontal(classes="dialog-buttons"):
                for answer, text in self._answers.items():
                    safe = answer == "no"
                    yield Button(Content(text), id=answer, variant="primary" if safe else "warning")

    def on_mount(self) -> None:
        """Give the focus to the answer that loses nothing."""
        self.query_one("#no").focus()

    def action_answer(self, answer: Answer) -> None:
        """Close with an answer."""
        if answer in self._answers:
            self.dismiss(answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.action_answer(cast("Answer", event.button.id))


class Say(ModalScreen[None]):
    """A message that must be read: what happened, where, and what to do now. Enter, Esc or Space closes it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("enter,escape,space,q", "close", show=False)]

    def __init__(self, title: str, body: str, following: str, close: str) -> None:
        super().__init__()
        self._texts = (title, body, following, close)

    def compose(self) -> ComposeResult:
        """Lay out the message."""
        title, body, following, close = self._texts
        with Vertical(classes="dialog"):
            yield Static(Content(title), classes="dialog-title")
            if body:
                yield Static(Content(body), classes="dialog-body")
            if following:
                yield Static(
                    Content.assemble((f"{NEXT} ", "bold $text-accent"), following), classes="dialog-body"
                )
            yield Static(Content.styled(close, "$text-muted"), classes="dialog-body")

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)


class Pick(ModalScreen[str | None]):
    """A choice among a few values. Esc chooses none."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("escape,q", "cancel", show=False)]

    def __init__(self, title: str, options: tuple[tuple[str, str], ...], present: str) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._present = present

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="dialog-title")
            yield OptionList(
                *(
                    Option(
                        Content.assemble(
                            f"{CHOSEN if value == self._present else NOT_CHOSEN} ",
                            (value, "bold"),
                            f"  {text}",
                        ),
                        id=value,
                    )
                    for value, text in self._options
                )
            )

    def on_mount(self) -> None:
        """Highlight the present value."""
        values = [value for value, _ in self._options]
        self.query_one(OptionList).highlighted = values.index(self._present) if self._present in values else 0

    def action_cancel(self) -> None:
        """Close without a choice."""
        self.dismiss(None)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class AskText(ModalScreen[str | None]):
    """A question whose answer is typed; Enter answers, Esc does not."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("escape", "cancel", show=False)]

    def __init__(self, title: str, body: str, placeholder: str) -> None:
        super().__init__()
        self._texts = (title, body, placeholder)

    def compose(self) -> ComposeResult:
        """Lay out the question and the line."""
        title, body, placeholder = self._texts
        with Vertical(classes="dialog"):
            yield Static(Content(title), classes="dialog-title")
            yield Static(Content(body), classes="dialog-body")
            yield Input(placeholder=placeholder)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)


class Help(ModalScreen[None]):
    """All keys of a screen, in groups, as the user has remapped them."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("escape,q,question_mark,f1,enter", "close", show=False)]

    def __init__(
        self, messages: Messages, groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    ) -> None:
        super().__init__()
        self._messages = messages
        self._groups = groups

    def compose(self) -> ComposeResult:
        """Lay out the groups."""
        with VerticalScroll(classes="dialog help") as box:
            box.border_title = self._messages("tui.help.title")
            box.border_subtitle = self._messages("tui.help.close")
            for title, keys in self._groups:
                yield Static(Content(title), classes="dialog-title")
                for key, text in keys:
                    with Horizontal(classes="help-row"):
                        yield Static(Content.styled(key, "bold $text-warning"), classes="help-key")
                        yield Static(Content(text), classes="help-text")
            yield Static(Content(self._messages("tui.help.note")), classes="dialog-body")

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)
