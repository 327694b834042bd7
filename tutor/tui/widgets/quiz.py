"""A quiz by keyboard and by mouse: arrows move, Enter or Space answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from tutor.text.glyphs import CHOSEN, CURSOR, NOT_CHOSEN
from tutor.tui.inline_markdown import CODE, inline

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click
    from textual.geometry import Offset

    from tutor.course.model import Choice, Quiz
    from tutor.messages import Messages


class ChoiceRow(Horizontal):
    """One choice: a round box and a text that may take several lines."""

    DEFAULT_CSS = """
    ChoiceRow { height: auto; width: 1fr; padding: 0 1;
        & .box { width: 6; }
        & .text { width: 1fr; height: auto; }
        &:hover { background: $panel; }
    }
    """

    class Chosen(Message):
        """The learner clicked on this choice."""

        def __init__(self, choice_id: str) -> None:
            super().__init__()
            self.choice_id = choice_id

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.choice = choice

    def compose(self) -> ComposeResult:
        """Lay out the box and the text."""
        yield Static(classes="box")
        yield Static(classes="text")

    def on_click(self, event: Click) -> None:
        """Answer."""
        event.stop()
        self.post_message(self.Chosen(self.choice.id))


class QuizBox(Vertical, can_focus=True):
    """The question and its choices. It keeps the place of the cursor; the answer comes from the session."""

    DEFAULT_CSS = """
    QuizBox { height: auto; margin: 1 0 0 0; padding: 0 1; border-left: outer $border-blurred;
        & .question { text-style: bold; height: auto; width: 1fr; }
        & ChoiceRow.-cursor { background: $block-cursor-blurred-background; }
        &:focus { border-left: outer $border; }
        &:focus ChoiceRow.-cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("enter,space", "choose", show=False),
    ]

    class Answered(Message):
        """The learner chose."""

        def __init__(self, choice_id: str) -> None:
            super().__init__()
            self.choice_id = choice_id

    def __init__(self, quiz: Quiz) -> None:
        super().__init__(id="quiz")
        self._quiz = quiz
        self._cursor = 0
        self._chosen: str | None = None

    def compose(self) -> ComposeResult:
        """Lay out the question and the choices."""
        yield Label(inline(self._quiz.question), classes="question")
        for choice in self._quiz.choices:
            yield ChoiceRow(choice)

    def on_mount(self) -> None:
        """Show the cursor."""
        self.action_move(0)

    def show_answer(self, chosen: str | None) -> None:
        """Fill the box of the choice that was answered."""
        self._chosen = chosen
        self.action_move(0)

    @property
    def place_of_cursor(self) -> Offset | None:
        """Where the choice under the cursor is on the screen."""
        rows = list(self.query(ChoiceRow))
        return rows[self._cursor].region.offset if rows else None

    def _cursor_in_sight(self, rows: list[ChoiceRow]) -> bool:
        return not rows or self.screen.can_view_partial(rows[self._cursor])

    def action_move(self, by: int) -> None:
        """Move the cursor, and keep it in sight; while it is not in sight, scroll the text."""
        rows = list(self.query(ChoiceRow))
        if by and not self._cursor_in_sight(rows) and isinstance(self.parent, Widget):
            self.parent.scroll_relative(y=by, animate=False)
            return
        self._cursor = max(0, min(self._cursor + by, len(rows) - 1))
        for index, row in enumerate(rows):
            row.set_class(index == self._cursor, "-cursor")
            # The colour of code can't be read on the ground of the cursor.
            code = "" if index == self._cursor else CODE
            row.query_one(".text", Static).update(inline(row.choice.text, code=code))
            pointer = CURSOR if index == self._cursor else " "
            row.query_one(".box", Static).update(
                f"{pointer} {CHOSEN if row.choice.id == self._chosen else NOT_CHOSEN}"
            )
        if by and rows:
            rows[self._cursor].scroll_visible(animate=False)

    def action_choose(self) -> None:
        """Answer with the choice under the cursor; if it is not in sight, only bring it there."""
        rows = list(self.query(ChoiceRow))
        if not self._cursor_in_sight(rows):
            rows[self._cursor].scroll_visible(animate=False)
        elif rows:
            self.post_message(self.Answered(rows[self._cursor].choice.id))

    @on(ChoiceRow.Chosen)
    def _clicked(self, event: ChoiceRow.Chosen) -> None:
        event.stop()
        rows = list(self.query(ChoiceRow))
        self._cursor = next(index for index, row in enumerate(rows) if row.choice.id == event.choice_id)
        self.action_move(0)
        self.focus()
        self.post_message(self.Answered(event.choice_id))


class TypedAnswer(Vertical):
    """A question whose answer is typed in the line below it; Enter answers, Esc goes back."""

    DEFAULT_CSS = """
    TypedAnswer { height: auto; margin: 1 0 0 0; padding: 0 1; border-left: outer $border-blurred;
        & .question { text-style: bold; height: auto; width: 1fr; }
        & Horizontal { height: 1; margin: 1 0 0 0; }
        & .prompt { width: 2; color: $text-accent; text-style: bold; }
        & Input { border: none; height: 1; width: 1fr; padding: 0; background: $panel; }
        & Input:focus { border: none; }
        &:focus-within { border-left: outer $border; }
    }
    """

    def __init__(self, quiz: Quiz, messages: Messages) -> None:
        super().__init__(id="quiz")
        self._quiz = quiz
        self._messages = messages

    def compose(self) -> ComposeResult:
        """Lay out the question and the line."""
        yield Label(inline(self._quiz.question), classes="question")
        with Horizontal():
            yield Static(CURSOR, classes="prompt")
            yield Input(placeholder=self._messages("tui.guide.answer_here"), select_on_focus=True)

    @property
    def input(self) -> Input:
        """The line."""
        return self.query_one(Input)

    def show_answer(self, answer: str | None) -> None:
        """Show the answer, unless the learner is typing another."""
        if answer is not None and not self.input.has_focus:
            self.input.value = answer

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.post_message(QuizBox.Answered(event.value.strip()))
