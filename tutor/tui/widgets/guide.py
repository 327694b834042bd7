"""The guide: what this step is about, what to do, what was checked and what was found, hints, and what to take along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from tutor.course.model import EditConfig, Observe, Quiz, Read, RunOperation, Shell
from tutor.tui.kinsoku import markdown_parser
from tutor.tui.prose import inline
from tutor.tui.widgets.quiz import QuizBox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.widget import Widget

    from tutor.course.model import Check, Step
    from tutor.messages import Messages
    from tutor.session.events import Verdict
    from tutor.tui.view import LessonView


class Guide(VerticalScroll, can_focus=True):
    """One step of the lesson, top to bottom. Entering a step builds it; what happens in it changes only what it concerns."""

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="guide", classes="pane")
        self._view = view
        self._messages = messages
        self._shown: tuple[str, str] | None = None

    async def redraw(self) -> None:
        """Draw the step anew if it is another one, else only what may have changed in it."""
        step = self._view.step
        lesson = self._view.lesson
        if step is None or lesson is None:
            return
        shown = (lesson.id, step.id)
        if shown != self._shown:
            self._shown = shown
            async with self.batch():
                await self.remove_children()
                await self.mount_all(self._parts(step))
            self.scroll_home(animate=False)
        self._update(step)

    def _parts(self, step: Step) -> Iterable[Widget]:
        m = self._messages
        self.border_title = m("tui.guide.step", number=self._view.index + 1, title=step.title)
        self.border_subtitle = step.clause
        yield Static(Content(step.title), classes="step-title")
        if step.body:
            yield _markdown(step.body, "step-body")
        if task := self._to_do(step):
            yield Static(task, classes="task")
        if isinstance(step.action, Quiz):
            yield QuizBox(step.action)
            yield Static(id="feedback")
        if step.checks:
            yield Static(Content(m("tui.guide.checks")), classes="heading")
            yield Static(id="checks")
        yield Static(id="hints")
        yield _markdown(step.summary, "step-summary")
        yield Static(id="onward")

    def _to_do(self, step: Step) -> Content | None:
        """Return how this face does what the step asks for: the key to press."""
        m = self._messages
        match step.action:
            case Read():
                return None
            case RunOperation(operation=operation):
                text = m("tui.guide.do.run_op", key=m(f"tui.key.{operation}.key"), operation=operation)
            case EditConfig():
                text = m("tui.guide.do.edit_config")
            case Observe(panel=panel):
                text = m("tui.guide.do.observe", key=m(f"tui.key.{panel}.key"), panel=m(f"tui.panel.{panel}"))
            case Quiz():
                text = m("tui.guide.do.quiz")
            case Shell(suggested=suggested):
                lines = "".join(f"\n  $ {command}" for command in suggested)
                text = m("tui.guide.do.shell") + lines
        return Content.assemble(("▸ ", "bold $text-accent"), (text, "bold"))

    def _update(self, step: Step) -> None:
        view = self._view
        if isinstance(step.action, Quiz):
            answer = view.answer
            self.query_one(QuizBox).show_answer(answer.choice if answer else None)
            self._show("#feedback", self._feedback(step.action))
        if step.checks:
            self.query_one("#checks", Static).update(self._checks(step))
        self._show("#hints", self._hints(step))
        summary = self.query_one("#step-summary", Markdown)
        summary.display = view.step_passed and bool(step.summary)
        onward = self._onward()
        self._show("#onward", onward)
        if view.step_passed and onward is not None:
            self.call_after_refresh(self._reveal)

    def _reveal(self) -> None:
        """Bring what follows a passed step into sight, without hiding what the learner reads."""
        if self._view.answer is not None or self._view.verdicts:
            self.scroll_end(animate=False)

    def _show(self, selector: str, content: Content | None) -> None:
        widget = self.query_one(selector, Static)
        widget.display = content is not None
        if content is not None:
            widget.update(content)

    def _feedback(self, quiz: Quiz) -> Content | None:
        answer = self._view.answer
        if answer is None:
            return None
        if quiz.prediction:
            return Content.assemble(
                ("▸ ", "$text-accent"), inline(answer.feedback or self._messages("tui.guide.predicted"))
            )
        key = "tui.guide.correct" if answer.correct else "tui.guide.incorrect"
        glyph, style = ("✓", "$text-success") if answer.correct else ("✗", "$text-error")
        return Content.assemble(
            (f"{glyph} {self._messages(key)}  ", f"bold {style}"), inline(answer.feedback)
        )

    def _checks(self, step: Step) -> Content:
        verdicts = {verdict.check_id: verdict for verdict in self._view.verdicts}
        return Content("\n").join([self._check(check, verdicts.get(check.id)) for check in step.checks])

    def _check(self, check: Check, verdict: Verdict | None) -> Content:
        m = self._messages
        if verdict is None:
            if self._view.step_passed:
                return Content.assemble(("✓ ", "bold $text-success"), inline(check.text))
            return Content.assemble(("· ", "$text-muted"), inline(check.text))
        glyph, style = ("✓", "$text-success") if verdict.passed else ("✗", "$text-error")
        lines = [
            Content.assemble(
                (f"{glyph} ", f"bold {style}"), inline(verdict.text, "" if verdict.passed else "bold")
            )
        ]
        for evidence in verdict.evidence:
            lines.append(Content.styled(f"    {evidence.looked_at} = {evidence.found}", "$text-muted"))
            if not verdict.passed:
                lines.append(
                    Content.styled(
                        "    " + m("tui.guide.expected", expected=evidence.expected), "$text-error"
                    )
                )
            if evidence.command:
                lines.append(
                    Content.assemble(
                        (f"    {m('tui.guide.see_again')} ", "$text-muted"),
                        (f"$ {evidence.command}", "$text-primary"),
                    )
                )
        return Content("\n").join(lines)

    def _hints(self, step: Step) -> Content | None:
        m = self._messages
        lines = [
            Content.assemble(
                (m("tui.guide.hint", number=given.number, total=given.total) + "  ", "bold $text-warning"),
                inline(given.hint.text),
            )
            for given in self._view.hints
        ]
        if self._view.hint_offered and len(lines) < len(step.hints):
            lines.append(Content.styled(m("tui.guide.hint_offered"), "$text-warning"))
        return Content("\n").join(lines) if lines else None

    def _onward(self) -> Content | None:
        m, view = self._messages, self._view
        if view.finished is not None:
            text = (
                m("tui.guide.finished")
                if not view.finished.solved
                else m("tui.guide.finished_solved", count=view.finished.solved)
            )
            return Content.assemble(("★ ", "bold $text-warning"), (text, "bold $text-success"))
        if not view.step_passed and not isinstance(view.step.action if view.step else None, Read | Observe):
            return None
        passed = [
            ("✓ ", "bold $text-success"),
            (m("tui.guide.solved" if view.solved else "tui.guide.passed") + "  ", "$text-success"),
        ]
        return Content.assemble(
            *(passed if view.step_passed else []), ("n", "bold reverse"), f" {m('tui.guide.next')}"
        )


def _markdown(text: str, name: str) -> Markdown:
    return Markdown(text, id=name, parser_factory=markdown_parser, open_links=False)
