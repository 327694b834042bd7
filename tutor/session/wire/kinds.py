"""Every kind of event: write its members, and read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.model import Quiz
from tutor.engines.model import Call, CallResult, EngineName, Stream
from tutor.errors import TutorError
from tutor.session import events
from tutor.session.placeholders import Placeholders
from tutor.session.wire.values import BadValueError, Json, fields_to_json, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.course.model import Hint, Step
    from tutor.session.wire.end import End

Line = dict[str, Json]


class Kind(NamedTuple):
    """A kind of event: its name in a line, and the functions that write and read its members."""

    name: str
    write: Callable[[End, Any], Line]
    read: Callable[[End, Line], Any]


# Reading members


def _get(end: End, line: Line, name: str, kind: Any) -> Any:
    if name not in line:
        raise BadValueError(name)
    return from_json(kind, line[name], end.reveal, name)


def _step(end: End, line: Line) -> Step:
    return end.copy.step(_get(end, line, "step", str))


def _call(end: End, line: Line) -> Call:
    number = _get(end, line, "call", int)
    if number not in end.calls:
        raise BadValueError("call")
    return end.calls[number]


# The lesson and its steps


def _write_lesson_opened(end: End, event: events.LessonOpened) -> Line:
    end.open(event.lesson.id, event.placeholders, read_only=event.read_only)
    return {"lesson": event.lesson.id} | fields_to_json(event, str, "lesson")


def _read_lesson_opened(end: End, line: Line) -> events.LessonOpened:
    placeholders = (
        from_json(Placeholders, line["placeholders"], _text, "placeholders")
        if line.get("placeholders")
        else None
    )
    read_only = _get(end, {"read_only": False} | line, "read_only", bool)
    resumed, passed = (
        _get(end, line, "resumed", bool),
        _get(end, {"passed": []} | line, "passed", frozenset[str]),
    )
    lesson = end.open(_get(end, line, "lesson", str), placeholders, read_only=read_only)
    return events.LessonOpened(lesson, resumed, passed, read_only, placeholders)


def _text(data: Json) -> str:
    if isinstance(data, str):
        return data
    raise ValueError(data)


def _write_lesson_finished(end: End, event: events.LessonFinished) -> Line:
    return {"lesson": end.copy.lesson.id, "solved": event.solved}


def _read_lesson_finished(end: End, line: Line) -> events.LessonFinished:
    if _get(end, line, "lesson", str) != end.copy.lesson.id:
        raise BadValueError("lesson")
    return events.LessonFinished(end.copy.lesson, _get(end, line, "solved", int))


def _write_engine_changed(end: End, event: events.EngineChanged) -> Line:
    end.use(end.copy.with_engine(event.engine))
    return {"engine": event.engine, "version": event.version}


def _read_engine_changed(end: End, line: Line) -> events.EngineChanged:
    event = events.EngineChanged(_get(end, line, "engine", EngineName), _get(end, line, "version", str))
    end.use(end.copy.with_engine(event.engine))
    return event


def _write_step_entered(end: End, event: events.StepEntered) -> Line:
    end.step = end.copy.step(event.step.id)
    return {"index": event.index, "step": event.step.id, "passed": event.passed}


def _read_step_entered(end: End, line: Line) -> events.StepEntered:
    passed = _get(end, line, "passed", bool)
    end.step = _step(end, line)
    return events.StepEntered(end.copy.index(end.step), end.step, passed)


def _write_step_passed(_: End, event: events.StepPassed) -> Line:
    return {"index": event.index, "step": event.step.id, "by": event.by}


def _read_step_passed(end: End, line: Line) -> events.StepPassed:
    by = _get(end, line, "by", Literal["learner", "solution"])
    step = _step(end, line)
    return events.StepPassed(end.copy.index(step), step, by)


# Checks, questions and hints


def _write_checked(end: End, event: events.Checked) -> Line:
    texts = {check.id: check.text for check in event.step.checks}
    verdicts = [
        {
            "check": verdict.check_id,
            "passed": verdict.passed,
            "evidence": to_json(verdict.evidence, end.hide),
            **({"text": verdict.text} if texts.get(verdict.check_id) != verdict.text else {}),
        }
        for verdict in event.verdicts
    ]
    return {"step": event.step.id, "verdicts": verdicts, "passed": event.passed, "asked": event.asked}


def _read_checked(end: End, line: Line) -> events.Checked:
    step, written = _step(end, line), line.get("verdicts")
    if not isinstance(written, list):
        raise BadValueError("verdicts")
    texts = {check.id: check.text for check in step.checks}
    verdicts = tuple(
        _read_verdict(end, each, texts, f"verdicts[{number}]") for number, each in enumerate(written)
    )
    return events.Checked(step, verdicts, _get(end, line, "passed", bool), _get(end, line, "asked", bool))


def _read_verdict(end: End, data: Json, texts: dict[str, str], place: str) -> Verdict:
    if not isinstance(data, dict):
        raise BadValueError(place)
    try:
        check_id = _get(end, data, "check", str)
        text = _get(end, {"text": texts.get(check_id)} | data, "text", str)
        evidence = _get(end, data, "evidence", tuple[Evidence, ...])
        return Verdict(check_id, text, _get(end, data, "passed", bool), evidence)
    except BadValueError as error:
        raise BadValueError(f"{place}.{error.place}") from error


def _write_quiz_answered(end: End, event: events.QuizAnswered) -> Line:
    quiz = event.step.activity
    line = {"step": event.step.id, "correct": event.correct}
    if not isinstance(quiz, Quiz) or not quiz.answer or event.choice != quiz.answer:
        line["choice"] = end.hide(event.choice)
    if event.feedback != _feedback(event.step, event.choice, correct=event.correct):
        line["feedback"] = end.hide(event.feedback)
    return line


def _read_quiz_answered(end: End, line: Line) -> events.QuizAnswered:
    step, correct = _step(end, line), _get(end, line, "correct", bool)
    answer = step.activity.answer if isinstance(step.activity, Quiz) and step.activity.answer else None
    choice = _get(end, {"choice": answer} | line, "choice", str)
    feedback = _get(end, {"feedback": _feedback(step, choice, correct=correct)} | line, "feedback", str)
    return events.QuizAnswered(step, choice, correct, feedback)


def _feedback(step: Step, choice: str, *, correct: bool) -> str:
    """Return the lesson's feedback to an answer."""
    quiz = step.activity
    if not isinstance(quiz, Quiz):
        return ""
    if quiz.choices:
        return next((each.feedback for each in quiz.choices if each.id == choice), "")
    return "" if correct else quiz.feedback


def _write_hint_given(end: End, event: events.HintGiven) -> Line:
    step = end.step
    if step is None:
        raise TutorError("session.wire.no_lesson")
    if not any(each.id == event.hint.id and each.when == event.hint.when for each in step.hints):
        raise TutorError("session.wire.hint", step=step.id)
    line = {"step": step.id, "number": event.number, "total": event.total, "for_mistake": event.for_mistake}
    return line | ({"hint": event.hint.id} if event.hint.id else {})


def _read_hint_given(end: End, line: Line) -> events.HintGiven:
    step, number = _step(end, line), _get(end, line, "number", int)
    return events.HintGiven(
        _find_hint(step, _get(end, {"hint": ""} | line, "hint", str), number),
        number,
        _get(end, line, "total", int),
        _get(end, {"for_mistake": False} | line, "for_mistake", bool),
    )


def _write_hint_ended(end: End, event: events.HintEnded) -> Line:
    if end.step is None:
        raise TutorError("session.wire.no_lesson")
    return {"step": end.step.id, "hint": event.hint.id}


def _read_hint_ended(end: End, line: Line) -> events.HintEnded:
    return events.HintEnded(_find_hint(_step(end, line), _get(end, line, "hint", str), 0))


def _find_hint(step: Step, hint_id: str, number: int) -> Hint:
    in_order = [hint for hint in step.hints if hint.when is None]
    if hint_id:
        found = next((hint for hint in step.hints if hint.id == hint_id), None)
    else:
        found = in_order[number - 1] if 1 <= number <= len(in_order) else None
    if found is None:
        raise TutorError("session.wire.hint", step=step.id)
    return found


# Commands


def _write_command_started(end: End, event: events.CommandStarted) -> Line:
    return {"call": to_json(event.call, end.hide)}


def _read_command_started(end: End, line: Line) -> events.CommandStarted:
    call = _get(end, line, "call", Call)
    end.calls[call.id] = call
    return events.CommandStarted(call)


def _write_output(end: End, event: events.Output) -> Line:
    return {"call": event.call.id, "stream": event.stream, "text": end.hide(event.text)}


def _read_output(end: End, line: Line) -> events.Output:
    return events.Output(_call(end, line), _get(end, line, "stream", Stream), _get(end, line, "text", str))


def _write_command_finished(end: End, event: events.CommandFinished) -> Line:
    return {"call": event.result.call.id} | fields_to_json(event.result, end.hide, "call")


def _read_command_finished(end: End, line: Line) -> events.CommandFinished:
    return events.CommandFinished(from_json(CallResult, line, end.reveal, call=_call(end, line)))


def _write_explained(end: End, event: events.Explained) -> Line:
    return {"call": event.call.id} | fields_to_json(event, end.hide, "call")


def _read_explained(end: End, line: Line) -> events.Explained:
    return from_json(events.Explained, line, end.reveal, call=_call(end, line))


def _kind(event: type, write: Callable[[End, Any], Line], read: Callable[[End, Line], Any]) -> Kind:
    return Kind(re.sub(r"(?<!^)(?=[A-Z])", "-", event.__name__).lower(), write, read)


def _as_it_is(event: type) -> Kind:
    """Return the kind of an event whose members are its fields."""
    return _kind(
        event,
        lambda end, each: fields_to_json(each, end.hide),
        lambda end, line: from_json(event, line, end.reveal),
    )


KINDS: dict[type, Kind] = {
    events.LessonOpened: _kind(events.LessonOpened, _write_lesson_opened, _read_lesson_opened),
    events.StepEntered: _kind(events.StepEntered, _write_step_entered, _read_step_entered),
    events.ConfigChanged: _as_it_is(events.ConfigChanged),
    events.CommandStarted: _kind(events.CommandStarted, _write_command_started, _read_command_started),
    events.Output: _kind(events.Output, _write_output, _read_output),
    events.CommandFinished: _kind(events.CommandFinished, _write_command_finished, _read_command_finished),
    events.Explained: _kind(events.Explained, _write_explained, _read_explained),
    events.StateChanged: _as_it_is(events.StateChanged),
    events.SnapshotTaken: _as_it_is(events.SnapshotTaken),
    events.Checked: _kind(events.Checked, _write_checked, _read_checked),
    events.QuizAnswered: _kind(events.QuizAnswered, _write_quiz_answered, _read_quiz_answered),
    events.StepPassed: _kind(events.StepPassed, _write_step_passed, _read_step_passed),
    events.HintGiven: _kind(events.HintGiven, _write_hint_given, _read_hint_given),
    events.HintEnded: _kind(events.HintEnded, _write_hint_ended, _read_hint_ended),
    events.HintOffered: _as_it_is(events.HintOffered),
    events.EngineChanged: _kind(events.EngineChanged, _write_engine_changed, _read_engine_changed),
    events.LessonFinished: _kind(events.LessonFinished, _write_lesson_finished, _read_lesson_finished),
    events.Notice: _as_it_is(events.Notice),
    events.NoticeEnded: _as_it_is(events.NoticeEnded),
}
"""By the event's class."""
