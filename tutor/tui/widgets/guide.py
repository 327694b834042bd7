"""The guide: the text of a step, what to do, the checks with their evidence, hints, and the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static, TextArea

from tutor.course.model import EditConfig, Observe, OwnStep, Quiz, Read, RunOperation, Shell, Task
from tutor.home import command_line
from tutor.text.glyphs import FAILED, FINISHED, NEXT, PASSED
from tutor.tui.inline_markdown import inline
from tutor.tui.japanese import markdown_parser
from tutor.tui.widgets.below import MoreBelow, how_to_scroll
from tutor.tui.widgets.quiz import QuizBox, TypedAnswer
from tutor.tui.widgets.rows import Rows, row
from tutor.tui.widgets.verdicts import Verdicts
from tutor.tui.widgets.way_out import way_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.widget import Widget

    from tutor.course.model import Lesson, Step
    from tutor.messages import Messages
    from tutor.tui.widgets.rows import Row
    from tutor.view.course_view import Ending
    from tutor.view.lesson_view import LessonView


class Guide(VerticalScroll, can_focus=True):
    """One step of the lesson. Its widgets are made when the step is entered; later events change their contents only."""

    def __init__(
        self, view: LessonView, messages: Messages, following: Callable[[], Lesson | None] = lambda: None
    ) -> None:
        """`following` returns the lesson to go on to at the end of this one."""
        super().__init__(id="guide", classes="pane")
        self._view = view
        self._messages = messages
        self._following = following
        self.ending: Ending | None = None
        """What the lesson has shown of the specification; None until it is finished."""
        self._shown: tuple[str, str] | None = None
        self._verdicts = Verdicts(view, messages)
        self._seen_to_end = False
        self._at_end = False
        self._revealed: dict[str, object] = {}
        self._to_reveal = ""  # a selector: to be scrolled to as soon as this pane is shown

    async def redraw(self) -> None:
        """Make the widgets of the step if it is another one; update their contents."""
        step = self._view.step
        lesson = self._view.lesson
        if step is None or lesson is None:
            return
        shown = (lesson.id, step.id)
        if shown != self._shown:
            # Before the widgets change: `watch_virtual_size` reads these when the sizes do.
            self._shown, self._at_end, self._revealed, self._to_reveal = shown, False, {}, ""
            self._verdicts.is_open = self._verdicts.can_fold = self._seen_to_end = False
            async with self.batch():
                await self.remove_children()
                await self.mount_all(self._parts(step))
            self.scroll_home(animate=False)
            self._seen_to_end = False
        self._update(step)

    def _parts(self, step: Step) -> Iterable[Widget]:
        m = self._messages
        free = self._view.lesson is not None and self._view.lesson.is_free_play
        self.border_title = (
            step.title if free else m("tui.guide.step", number=self._view.index + 1, title=step.title)
        )
        self._say_what_is_below()
        yield Static(Content(step.title), classes="step-title")
        if step.body:
            yield _markdown(step.body, "step-body")
        yield Rows(self._to_do(step), classes="task")
        if isinstance(step.activity, Quiz):
            yield QuizBox(step.activity) if step.activity.choices else TypedAnswer(step.activity, m)
            yield Rows(name="feedback")
        if step.checks:
            yield Static(Content(m("tui.guide.checks")), id="checks-heading", classes="heading")
            yield Rows(name="checks")
        yield Rows(name="hints")
        yield _markdown(step.summary, "step-summary")
        yield Rows(name="onward")

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say in the frame whether there is text below."""
        super().watch_scroll_y(old_value, new_value)
        self._seen_to_end |= 0 < new_value >= self.max_scroll_y
        self._say_what_is_below()

    @property
    def unread(self) -> bool:
        """Tell whether the step goes on by `next` alone, and its text was not scrolled to its end."""
        step = self._view.step
        if step is None or self._view.step_passed or not isinstance(step.activity, Read | Observe | Shell):
            return False
        way_on = 2  # lines at the end that only say that `next` goes on
        return self.scroll_y + way_on < self.max_scroll_y and not self._seen_to_end

    def _say_what_is_below(self) -> None:
        """Write into the frame the key of the clause, and how to scroll where text is below the fold."""
        m, step = self._messages, self._view.step
        clause = f"{m('tui.key.clause.key')} {step.clause}" if step is not None and step.clause else ""
        text = "  ".join(filter(None, (how_to_scroll(self, m), clause)))
        if text != self.border_subtitle:
            self.border_subtitle = text
        # Also where the frame says the same: it may have been written while the pane was hidden.
        self.post_message(MoreBelow())

    def _to_do(self, step: Step) -> list[Row]:
        """Return which key to press for what the step asks."""
        m = self._messages
        commands: tuple[str, ...] = ()
        match step.activity:
            case RunOperation(operation=operation, arguments=arguments):
                key = f"tui.key.{operation}.key"
                if m.has(key) and not arguments:
                    text = m("tui.guide.do.run_op", key=m(key), operation=operation)
                else:
                    text = self._here("tui.guide.do.typed_op", line=command_line((operation, *arguments)))
            case EditConfig():
                editing = isinstance(self.screen.focused, TextArea)
                text = m("tui.guide.do.editing") if editing else self._here("tui.guide.do.edit_config")
            case OwnStep():
                editing = isinstance(self.screen.focused, TextArea)
                text = m("tui.guide.do.editing_own") if editing else self._here("tui.guide.do.own_step")
            case Observe(panel=panel):
                key, name = m(f"tui.key.{panel}.key"), m(f"tui.panel.{panel}")
                text = self._here("tui.guide.do.observe", key=key, panel=name)
            case Quiz(choices=choices):
                answering = any(box.input is self.screen.focused for box in self.query(TypedAnswer))
                if answering:
                    text = m("tui.guide.do.answering")
                else:
                    text = self._here("tui.guide.do.quiz" if choices else "tui.guide.do.typed")
            case Task(suggested=suggested):
                text, commands = self._in_terminal("task"), suggested
            case Shell(suggested=suggested):
                text, commands = self._in_terminal("shell"), suggested
            case _:
                return []
        return [
            row((f"{NEXT} ", "bold $text-accent"), (text, "bold")),
            *(row(("  $ ", "$text-muted"), (command, "$text-primary")) for command in commands),
        ]

    @property
    def _way_out(self) -> str:
        return way_out(self.screen.focused)

    def _here(self, key: str, /, **values: object) -> str:
        """Return a text that names keys; while they would be typed, it says first which one leads out."""
        text = self._messages(key, **values)
        return self._messages("tui.guide.out_first", key=self._way_out, text=text) if self._way_out else text

    def _in_terminal(self, name: str) -> str:
        """Return what to do in the terminal; inside, how to come back."""
        if self._way_out == "F9":
            return self._messages(f"tui.guide.do.{name}_inside")
        return self._here(f"tui.guide.do.{name}")

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines behind a `$`: commands to try, and those that show evidence again."""
        step = self._view.step
        if step is None:
            return ()
        suggested = step.activity.suggested if isinstance(step.activity, Shell | Task) else ()
        return tuple(dict.fromkeys((*suggested, *self._verdicts.commands)))

    def redraw_keys(self) -> None:
        """Name the keys that work where the focus is now."""
        step = self._view.step
        if step is not None and self._shown is not None and self.query("#onward"):
            self.query_one(".task", Rows).show(self._to_do(step))
            self.query_one("#hints", Rows).show(self._hints(step))
            self.query_one("#onward", Rows).show(self._onward(step))

    def _update(self, step: Step) -> None:
        view = self._view
        if isinstance(step.activity, Quiz):
            answer = view.answer
            for box in [*self.query(QuizBox), *self.query(TypedAnswer)]:
                box.show_answer(answer.choice if answer else None)
            self.query_one("#feedback", Rows).show(self._feedback(step.activity))
        if step.checks:
            # The learner is to look first: the checks are shown after `next`, or after `check`.
            told = not isinstance(step.activity, Observe) or view.tried or view.step_passed
            self.query_one("#checks", Rows).show(self._verdicts.rows(step) if told else [])
            heading = self.query_one("#checks-heading", Static)
            heading.display = told
            heading.update(self._checks_heading())
        self.query_one("#hints", Rows).show(self._hints(step))
        self.query_one("#step-summary", Markdown).display = view.step_passed and bool(step.summary)
        self.query_one("#onward", Rows).show(self._onward(step))
        self._reveal_what_is_new()

    @property
    def can_fold(self) -> bool:
        """Tell whether there is evidence to open, or to fold."""
        return self._verdicts.can_fold

    def toggle_evidence(self) -> None:
        """Open the evidence of the checks that pass, or fold it."""
        step = self._view.step
        if step is None or not self._verdicts.can_fold:
            return
        self._verdicts.is_open = not self._verdicts.is_open
        self._at_end = False
        self._update(step)
        self.call_after_refresh(self.query_one("#checks-heading").scroll_visible, animate=False, top=True)

    def _checks_heading(self) -> Content:
        m, verdicts = self._messages, self._verdicts
        how = m("tui.guide.fold" if verdicts.is_open else "tui.guide.unfold") if verdicts.can_fold else ""
        return Content.assemble(m("tui.guide.checks"), (f"  {how}", "not bold $text-muted"))

    def _reveal_what_is_new(self) -> None:
        """Scroll to what is new: a hint, feedback, verdicts, or the way on after a passed step."""
        view = self._view
        now = {
            "#hints": (*view.hints, *(["offered"] if view.hint_offered else [])),
            "#feedback": view.answer,
            "#checks": view.verdicts,
            "#onward": (view.step_passed, view.finished) if view.step_passed else None,
        }
        new = [selector for selector, value in now.items() if value and value != self._revealed.get(selector)]
        self._revealed = dict(now)
        if view.step_passed and view.tried and new and new != ["#hints"]:
            self._at_end, self._to_reveal = True, ""  # the verdicts that came just before stand above the end
            self.call_after_refresh(self._stay_at_end)
        elif new and (view.tried or "#hints" in new) and self.query(new[0]):
            self._to_reveal = new[0]
            self.call_after_refresh(self._reveal)

    def on_show(self) -> None:
        """Scroll to what was added while another pane was in front."""
        self.call_after_refresh(self._reveal)
        self.call_after_refresh(self._say_what_is_below)

    def on_resize(self) -> None:
        """Say what is below the fold: a notice, or another terminal, has taken or given lines."""
        self.call_after_refresh(self._say_what_is_below)

    def _reveal(self) -> None:
        if self._to_reveal and self.size.height:
            self.query_one(self._to_reveal).scroll_visible(animate=False)
            self._to_reveal = ""

    def watch_virtual_size(self) -> None:
        """Stay at the end while the widgets after a passed step are still being laid out."""
        self.call_after_refresh(self._say_what_is_below)
        if self._at_end:
            self.call_after_refresh(self._stay_at_end)

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Put the scroll bar where the text is: Textual moves it only while it is shown."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def _stay_at_end(self) -> None:
        if self._at_end:  # it is False if another step was entered since this was scheduled
            self.scroll_end(animate=False, immediate=True)

    def action_scroll_up(self) -> None:
        """Scroll up, and follow the end no longer."""
        self._at_end = False
        super().action_scroll_up()

    def action_scroll_end(self) -> None:
        """Scroll to the end, which counts as seen before the scrolling has ended."""
        self._seen_to_end = True
        super().action_scroll_end()

    def action_page_up(self) -> None:
        """Scroll up by a page, and follow the end no longer."""
        self._at_end = False
        super().action_page_up()

    def _feedback(self, quiz: Quiz) -> list[Row]:
        answer = self._view.answer
        if answer is None:
            return []
        m = self._messages
        if quiz.prediction:
            return [row((f"{NEXT} ", "$text-accent"), inline(answer.feedback or m("tui.guide.predicted")))]
        if answer.correct:
            return [
                row(
                    (f"{PASSED} ", "bold $text-success"),
                    (m("tui.guide.correct") + "  ", "bold $text-success"),
                    inline(answer.feedback),
                )
            ]
        return [
            row(
                (f"{FAILED} ", "bold $text-error"),
                (m("tui.guide.incorrect") + "  ", "bold $text-error"),
                inline(answer.feedback),
            )
        ]

    def _hints(self, step: Step) -> list[Row]:
        m = self._messages
        heads = [
            m("tui.guide.mistake")
            if given.for_mistake
            else m("tui.guide.hint", number=given.number, total=given.total)
            for given in self._view.hints
        ]
        lines = [
            row((f"{head}  ", "bold $text-warning"), inline(given.hint.text))
            for head, given in zip(heads, self._view.hints, strict=True)
        ]
        asked_for = sum(not given.for_mistake for given in self._view.hints)
        if self._view.hint_offered and asked_for < sum(hint.when is None for hint in step.hints):
            lines.append(row("", (self._here("tui.guide.hint_offered"), "$text-warning")))
        return lines

    def _onward(self, step: Step) -> list[Row]:
        m, view = self._messages, self._view
        if view.lesson is not None and view.lesson.is_free_play:
            return []
        if view.finished is not None:
            solved = view.finished.solved
            text = self._here("tui.guide.finished_solved" if solved else "tui.guide.finished", count=solved)
            rows = [row((f"{FINISHED} ", "bold $text-warning"), (text, "bold $text-success"))]
            if (ending := self.ending) is not None and ending.shown:
                values = {"here": ending.shown_here, "seen": ending.seen, "shown": ending.shown}
                rows.append(row("  ", (self._messages("tui.guide.rules_seen", **values), "$text-muted")))
            if following := self._following():
                text = self._here("tui.guide.following", title=following.title)
                rows.append(row((f"{NEXT} ", "bold $text-accent"), (text, "bold")))
            return rows
        onward: list[str | Content | tuple[str, str]] = [
            (f"{self._way_out} n".strip(), "bold $text-warning"),
            f" {m('tui.guide.next')}",
        ]
        if view.step_passed:
            said = m("tui.guide.solved" if view.solved else "tui.guide.passed")
            return [row((f"{PASSED} ", "bold $text-success"), (f"{said}  ", "$text-success"), *onward)]
        if step.checks or isinstance(step.activity, Quiz | Task):
            return []
        return [row((f"{NEXT} ", "$text-accent"), *onward)]


def _markdown(text: str, name: str) -> Markdown:
    return Markdown(text, id=name, parser_factory=markdown_parser, open_links=False)
