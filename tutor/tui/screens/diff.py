"""The difference between two states of `config.json`, alone or as a question whether to take the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tutor.lazy_dataclass import dataclass
from tutor.text import pad
from tutor.text.diff import counts, difference
from tutor.tui.widgets.line_view import MARK_STYLES, LineView

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.messages import Messages
    from tutor.text.diff import DiffLine


@dataclass(frozen=True, slots=True)
class Before:
    """A text to compare with, and what it is called."""

    name: str
    text: str


class DiffView(LineView):
    """The lines of a difference."""

    def __init__(self) -> None:
        super().__init__(id="diff-lines")
        self._shown: tuple[DiffLine, ...] = ()
        self._empty = ""

    def show(self, lines: tuple[DiffLine, ...], empty: str) -> None:
        """Show these lines; if there are none, a text."""
        self._shown, self._empty = lines, empty
        self.scroll_home(animate=False)
        self.redraw()

    def build(self, width: int) -> list[Content]:
        """Return a line for each, with its number."""
        del width
        if not self._shown:
            return [Content.styled(self._empty, "$text-muted")]
        return [_line(each) for each in self._shown]


def _line(line: DiffLine) -> Content:
    if line.mark == "…":
        return Content.styled("   …", "$text-muted")
    style = MARK_STYLES[line.mark]
    number = pad(str(line.number), 4, "right")
    return Content.assemble((f"{number} ", "$text-muted"), (f"{line.mark} {line.text}", style))


class DiffScreen(ModalScreen[bool]):
    """A difference; its result is whether the learner takes the new text. Without `question` it only shows."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar = [
        Binding("y", "take", show=False),
        Binding("enter", "enter", show=False),
        Binding("escape,n,q", "close", show=False),
        Binding("tab,right", "other(1)", show=False),
        Binding("left", "other(-1)", show=False),
    ]

    def __init__(
        self,
        title: str,
        before: tuple[Before, ...],
        now: str,
        messages: Messages,
        *,
        question: str = "",
        body: str = "",
    ) -> None:
        super().__init__()
        self._title, self._before, self._now = title, before, now
        self._messages = messages
        self._question, self._body = question, body
        self._index = 0

    def compose(self) -> ComposeResult:
        """Lay out the lines, and the question below them."""
        with Vertical(classes="dialog diff") as box:
            box.border_title = self._title
            if self._body:
                yield Static(Content(self._body), classes="diff-head")
            yield Static(classes="diff-head", id="diff-head")
            yield DiffView()
            if self._question:
                yield Static(Content.styled(self._question, "bold $text-accent"), classes="diff-question")

    def on_mount(self) -> None:
        """Show the first difference; the arrow keys scroll."""
        self.query_one(DiffView).focus()
        self._show()

    def _show(self) -> None:
        m = self._messages
        before = self._before[self._index]
        lines = difference(before.text, self._now)
        added, taken = counts(lines)
        what = m("tui.diff.head", name=before.name, added=added, taken=taken)
        others = m("tui.diff.other") if len(self._before) > 1 else ""
        self.query_one("#diff-head", Static).update(
            Content.assemble((what, "bold"), "  ", (others, "$text-muted"))
        )
        box = self.query_one(".diff", Vertical)
        box.border_subtitle = m("tui.diff.take_keys" if self._question else "tui.diff.keys")
        view = self.query_one(DiffView)
        self.call_after_refresh(view.show, lines, m("tui.diff.same"))

    def action_other(self, by: int) -> None:
        """Compare with the next text."""
        self._index = (self._index + by) % len(self._before)
        self._show()

    def action_take(self) -> None:
        """Take the new text, if that is the question."""
        if self._question:
            self.dismiss(True)

    def action_enter(self) -> None:
        """Close what is only shown: a question is answered by y or n, so that Enter pressed ahead takes nothing."""
        if not self._question:
            self.dismiss(False)

    def action_close(self) -> None:
        """Close it, and leave everything as it is."""
        self.dismiss(False)
