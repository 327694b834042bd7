"""Events as styled lines, with texts of the catalogue, whatever terminal they are for."""

from __future__ import annotations

from functools import singledispatchmethod
from typing import TYPE_CHECKING

from tutor.course.model import EditConfig, Observe, OwnStep, Quiz, Read, RunOperation, Shell, Task
from tutor.home import command_line
from tutor.own_steps.exercises import exercise as functions_of
from tutor.repl.layout import Line, indent, line, table, wrap_line
from tutor.repl.markdown import render as markdown
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    Explained,
    HintGiven,
    HintOffered,
    LessonFinished,
    LessonOpened,
    Notice,
    QuizAnswered,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.text.glyphs import EXPLAINED, FAILED, FINISHED, NEXT, NOT_YET, PASSED, RECORDED, SEVERITIES, UNLIT
from tutor.text.long_paths import shortener
from tutor.view.lifecycle import stages

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.checks.verdict import Verdict
    from tutor.course.model import Step
    from tutor.engines.model import Status
    from tutor.messages import Messages
    from tutor.session.events import Event

_SEVERITY_STYLES = {"error": "bad", "warning": "warning", "information": "faint"}
_PANEL_COMMANDS = {
    "namespaces": "ns",
    "mounts": "mounts",
    "processes": "ps",
    "cgroup": "cgroup",
    "config": "edit",
    "output": "state",
}


class Renderer:
    """Turns events into lines of at most `width` cells.

    `plain`: states are said in words. It keeps what was shown last (the state, how many checks passed), so that nothing is shown twice.
    """

    def __init__(self, messages: Messages, width: int, *, plain: bool = False) -> None:
        self._messages = messages
        self.width = width
        self._plain = plain
        self._steps = 0
        self._free = False
        self._status: Status | None = None
        self._good: int | None = None

    def another(self) -> Renderer:
        """Return a renderer of the same width that has shown nothing yet."""
        return Renderer(self._messages, self.width, plain=self._plain)

    @singledispatchmethod
    def lines(self, event: Event) -> list[Line]:
        """Return the lines of an event; none for what only `ns`, `mounts` and `ps` show (`SnapshotTaken`)."""
        del event
        return []

    def step(self, index: int, step: Step, *, passed: bool = False) -> list[Line]:
        """Return the lines of a step: its number, the text, what to do."""
        if self._free:
            return [(), *markdown(step.body, self.width)]
        where = self._messages("repl.step.where", number=index + 1, total=self._steps)
        done = f"  {PASSED} {self._messages('repl.step.done')}" if passed else ""
        lines: list[Line] = [(), (("title", f"{where}  {step.title}"), ("good", done)), ()]
        lines += markdown(step.body, self.width)
        lines += [(), *self._task(step)]
        if step.clause:
            lines.append(line(self._messages("repl.step.clause", clause=step.clause), "faint"))
        return lines

    def _task(self, step: Step) -> list[Line]:
        match step.activity:
            case Quiz() as quiz:
                choices = [
                    each
                    for choice in quiz.choices
                    for each in indent(markdown(choice.text, self.width - 6), ("code", f"  {choice.id}) "))
                ]
                key = "answer" if quiz.choices else "answer_text"
                return [*markdown(quiz.question, self.width), *choices, (), *self._do(key)]
            case RunOperation() as run:
                command = command_line((run.operation, *run.arguments))
                return self._do("run", command=command)
            case Observe() as observe:
                return self._do(f"observe_{observe.panel}", command=_PANEL_COMMANDS[observe.panel])
            case EditConfig() as edit:
                return self._do("edit", file=edit.file)
            case OwnStep(exercise=exercise):
                names = ", ".join(f"{each}()" for each in functions_of(exercise).functions)
                return self._do("own_step", functions=names)
            case Shell(suggested=suggested):
                return [*self._do("shell"), *_typed(suggested)]
            case Task(suggested=suggested):
                return [*self._do("task"), *_typed(suggested)]
            case Read():
                return self._do("read")

    def _do(self, key: str, **values: object) -> list[Line]:
        text = markdown(self._messages(f"repl.do.{key}", **values), self.width - 2)
        return indent(text, ("good", f"{NEXT} "))

    @lines.register
    def _(self, event: LessonOpened) -> list[Line]:
        lesson = event.lesson
        self._steps, self._free = len(lesson.steps), lesson.is_free_play
        lines = [line(lesson.title, "title"), *markdown(lesson.summary, self.width)]
        key = "repl.lesson.resumed" if event.resumed else "repl.lesson.keys"
        return [*lines, *wrap_line(line(self._messages(key), "faint"), self.width)]

    @lines.register
    def _(self, event: StepEntered) -> list[Line]:
        self._good = None
        return self.step(event.index, event.step, passed=event.passed)

    @lines.register
    def _(self, event: ConfigChanged) -> list[Line]:
        if event.origin not in ("learner", "outside"):
            return []  # the session publishes a notice of its own
        text = self._messages(f"repl.config.{event.origin}", path=event.path)
        return wrap_line(line(f"{SEVERITIES['information']} {text}", "faint"), self.width)

    @lines.register
    def _(self, event: CommandStarted) -> list[Line]:
        return wrap_line([("faint", "$ "), ("call", event.call.typed)], self.width)

    @lines.register
    def _(self, event: CommandFinished) -> list[Line]:
        result = event.result
        if result.call.recorded:
            text = self._messages("repl.call.recorded", status=result.returncode)
            return [line(f"{RECORDED} {text}", "faint")]
        seconds = f"{result.seconds:.2f}"
        if result.returncode == 0:
            return [line(self._messages("repl.call.done", seconds=seconds), "faint")]
        key = "repl.call.signal" if result.returncode < 0 else "repl.call.failed"
        text = self._messages(key, status=abs(result.returncode), seconds=seconds)
        return [line(f"{FAILED} {text}", "bad")]

    @lines.register
    def _(self, event: StateChanged) -> list[Line]:
        status = event.state.status if event.state is not None else None
        if status == self._status:
            return []
        self._status = status
        can = f"{self._messages('view.state.can')} {' '.join(event.can)}" if event.can else ""
        if status is None:
            return [(("", f"{UNLIT} {self._messages('view.state.none')}"), ("faint", f"  {can}"))]
        if self._plain:  # the states in a row tell a listener nothing
            return [line(f"{self._messages('repl.state.now', status=status)}  {can}")]
        shown: list[tuple[str, str]] = []
        for stage in stages(status):
            shown.append(("faint", stage.arrow))
            shown.append(("current" if stage.present else "faint", f"{stage.glyph} {stage.state}"))
        whole = (*shown, ("faint", f"    {can}"))
        return wrap_line(whole, self.width)

    @lines.register
    def _(self, event: Checked) -> list[Line]:
        if not event.verdicts:
            return [line(self._messages("repl.check.none"))] if event.asked else []
        if event.asked:
            found = [each for verdict in event.verdicts for each in verdict.evidence]
            shorten = shortener(text for each in found for text in (each.looked_at, each.command))
            return [each for verdict in event.verdicts for each in self._verdict(verdict, shorten)]
        good = sum(verdict.passed for verdict in event.verdicts)
        before, self._good = self._good, good
        if before in (None, good):
            return []  # neither the first result in a step nor the same again is shown
        text = self._messages("repl.check.summary", passed=good, total=len(event.verdicts))
        glyph, style = (PASSED, "good") if event.passed else (NOT_YET, "faint")
        return [line(f"{glyph} {text}", style)]

    def _verdict(self, verdict: Verdict, shorten: Callable[[str], str]) -> list[Line]:
        mark = ("good", f"{PASSED} ") if verdict.passed else ("bad", f"{FAILED} ")
        lines = indent(markdown(verdict.text, self.width - 2), mark)
        for number, evidence in enumerate(verdict.evidence):
            # A command that several pieces of evidence share is shown once, below the last of them.
            again = any(each.command == evidence.command for each in verdict.evidence[number + 1 :])
            rows = [
                (line(f"  {self._messages(f'repl.check.{name}')}", "faint"), line(text, style))
                for name, text, style in (
                    # The command has the paths as they are.
                    (
                        "looked_at",
                        shorten(evidence.looked_at) if evidence.command else evidence.looked_at,
                        "",
                    ),
                    ("expected", "" if verdict.passed else evidence.expected, ""),
                    ("found", evidence.found, ""),
                    ("command", "" if again else evidence.command, "call"),
                )
                if text
            ]
            lines += table((), rows, self.width)
        return lines

    @lines.register
    def _(self, event: QuizAnswered) -> list[Line]:
        feedback = indent(markdown(event.feedback, self.width - 2), ("", "  "))
        quiz = event.step.activity
        if isinstance(quiz, Quiz) and quiz.prediction:
            # The next step shows whether it was right.
            return [
                line(
                    f"{SEVERITIES['information']} {self._messages('repl.quiz.predicted', choice=event.choice)}"
                ),
                *feedback,
            ]
        mark = ("good", f"{PASSED} ") if event.correct else ("bad", f"{FAILED} ")
        word = self._messages("repl.quiz.right" if event.correct else "repl.quiz.wrong", choice=event.choice)
        return [(mark, ("", word)), *feedback]

    @lines.register
    def _(self, event: StepPassed) -> list[Line]:
        if not event.step.summary and _passes_by_going_on(event.step):
            return []  # the next step follows at once
        key = "repl.step.passed" if event.by == "learner" else "repl.step.solved"
        lines = [line(f"{PASSED} {self._messages(key, number=event.index + 1)}", "good")]
        if event.step.summary:
            lines += indent(markdown(event.step.summary, self.width - 2), ("", "  "))
        return [*lines, *self._do("next")]

    @lines.register
    def _(self, event: Explained) -> list[Line]:
        where = f"{event.place}  {event.pointer}".strip()
        lines = indent(wrap_line(line(event.title, "warning"), self.width - 2), ("warning", f"{EXPLAINED} "))
        if where:
            lines += indent(wrap_line(line(where, "call"), self.width - 2), ("", "  "))
        if not event.expected:
            if event.cause:
                lines += indent(markdown(event.cause, self.width - 2), ("", "  "))
            if event.fix:
                lines += indent(markdown(event.fix, self.width - 4), ("good", f"  {NEXT} "))
        if event.clause:
            lines.append(line(f"  {self._messages('repl.step.clause', clause=event.clause)}", "faint"))
        return lines

    @lines.register
    def _(self, event: HintGiven) -> list[Line]:
        if event.for_mistake:
            mistake = ("heading", f"{self._messages('repl.hint.mistake')}  ")
            return indent(markdown(event.hint.text, self.width - 8), mistake)
        head = self._messages("repl.hint.number", number=event.number, total=event.total)
        lines = [line(head, "heading"), *indent(markdown(event.hint.text, self.width - 2), ("", "  "))]
        more = event.number < event.total
        return [*lines, line(self._messages("repl.hint.more"), "faint")] if more else lines

    @lines.register
    def _(self, event: HintOffered) -> list[Line]:
        return wrap_line(line(self._messages("repl.hint.offered", total=event.total), "faint"), self.width)

    @lines.register
    def _(self, event: EngineChanged) -> list[Line]:
        text = self._messages("repl.engine.now", engine=event.engine, version=event.version)
        return wrap_line(line(f"{SEVERITIES['information']} {text}", "faint"), self.width)

    @lines.register
    def _(self, event: LessonFinished) -> list[Line]:
        key = "repl.lesson.finished_with_help" if event.solved else "repl.lesson.finished"
        text = self._messages(key, title=event.lesson.title, count=event.solved)
        return [(), *indent(wrap_line(line(text, "good"), self.width - 2), ("good", f"{FINISHED} "))]

    @lines.register
    def _(self, event: Notice) -> list[Line]:
        mark = (_SEVERITY_STYLES[event.severity], f"{SEVERITIES[event.severity]} ")
        lines = indent(wrap_line(line(event.title), self.width - 2), mark)
        if event.body:
            lines += indent(wrap_line(line(event.body), self.width - 2), ("", "  "))
        if event.next:
            lines += indent(wrap_line(line(event.next), self.width - 4), ("good", f"  {NEXT} "))
        return lines


def _typed(commands: tuple[str, ...]) -> list[Line]:
    """Return lines worth trying in the lab's shell as they are typed, each on one line, so that they can be copied."""
    return [line(f"    $ {each}", "call") for each in commands]


def _passes_by_going_on(step: Step) -> bool:
    match step.activity:
        case Read() | Observe():
            return True
        case Shell():
            return not step.checks
        case _:
            return False
