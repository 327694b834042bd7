"""What one looks up: a clause of the specification, the glossary and a term of it, each on top of the screen below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Markdown, OptionList, Static
from textual.widgets.option_list import Option

from tutor.tui.japanese import markdown_parser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from tutor.course.glossary import Term
    from tutor.messages import Messages


class Reading(ModalScreen[None]):
    """A text to read, in Markdown. Esc, Enter or q closes it; arrow keys and Page Down scroll."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [Binding("escape,enter,q,m,g", "close", show=False)]

    def __init__(self, title: str, text: str, messages: Messages) -> None:
        super().__init__()
        self._title, self._text, self._messages = title, text, messages

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="dialog reading") as box:
            box.border_title = self._title
            box.border_subtitle = self._messages("tui.reading.close")
            yield Markdown(self._text, parser_factory=markdown_parser, open_links=False)

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)


class GlossaryList(ModalScreen[None]):
    """The terms, those of the present step first; what is typed narrows them. Enter opens one, Esc closes the list."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [
        Binding("escape", "close", show=False),
        Binding("down", "move('cursor_down')", show=False, priority=True),
        Binding("up", "move('cursor_up')", show=False, priority=True),
        Binding("pagedown", "move('page_down')", show=False, priority=True),
        Binding("pageup", "move('page_up')", show=False, priority=True),
    ]

    def __init__(
        self,
        here: Sequence[Term],
        others: Sequence[Term],
        messages: Messages,
        show: Callable[[Term], object],
        heading: str,
    ) -> None:
        """`heading` stands over the terms `here`."""
        super().__init__()
        self._here, self._others = here, others
        self._heading = heading
        self._messages = messages
        self._show = show

    def compose(self) -> ComposeResult:
        """Lay out the line and the list."""
        m = self._messages
        with Vertical(classes="dialog reading") as box:
            box.border_title = m("tui.glossary.title")
            box.border_subtitle = m("tui.glossary.keys")
            yield Input(placeholder=m("tui.glossary.placeholder"))
            yield OptionList()
            yield Static(Content.styled(m("tui.glossary.none"), "$text-muted"), id="none")

    def on_mount(self) -> None:
        """Show all terms."""
        self._fill("")

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value.strip())

    def _fill(self, typed: str) -> None:
        m, terms = self._messages, self.query_one(OptionList)
        terms.clear_options()
        rest = m("view.term.others" if self._here else "view.term.all")
        for title, some in ((self._heading, self._here), (rest, self._others)):
            left = [term for term in some if _matches(term, typed)]
            if left:
                heading = Content.styled(title, "bold $text-primary")
                terms.add_option(Option(heading, disabled=True))
                terms.add_options([Option(Content(term.word), id=term.id) for term in left])
        terms.highlighted = next(
            (index for index, option in enumerate(terms.options) if not option.disabled), None
        )
        terms.display = bool(terms.option_count)
        self.query_one("#none").display = not terms.option_count

    def action_move(self, action: str) -> None:
        """Move in the list while the focus stays in the line."""
        getattr(self.query_one(OptionList), f"action_{action}")()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._show(next(term for term in (*self._here, *self._others) if term.id == event.option_id))

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)


def _matches(term: Term, typed: str) -> bool:
    words = (term.word, term.id, *term.also)
    return any(typed.casefold() in word.casefold() for word in words)
