"""The stream of events as lines: every kind comes back as it was, in the reader's language, and no line holds a solution."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.session import LESSON, Diary, home, session, stand_at
from tests.support.tui import snapshot
from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.course import Course
from tutor.course.model import EditConfig, Quiz, Run, Shell, Task, Write
from tutor.engines.model import Call, CallResult, ContainerState
from tutor.errors import TutorError
from tutor.messages import LANGUAGES, Messages
from tutor.session import events
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    Event,
    Explained,
    HintEnded,
    HintGiven,
    HintOffered,
    LessonFinished,
    LessonOpened,
    Notice,
    NoticeEnded,
    Output,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.session.free_play import free_play_lesson
from tutor.session.placeholders import Placeholders, for_display, for_execution, placeholders_of
from tutor.session.recording import to_read
from tutor.session.wire import Decoder, Encoder
from tutor.session.wire.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.model import Lesson, Step

COURSE = {language: Course.load(language) for language in LANGUAGES}
PLACES = Placeholders("runt", "/root/labs/x", "/root/labs/x/alpine-bundle", "/root")
CALL = Call(3, ("/usr/bin/runt", "kill", "box", "TERM"), "runt kill box TERM", "/root/labs/x")


def _opened(
    lesson_id: str = LESSON, places: Placeholders = PLACES, *, read_only: bool = False
) -> LessonOpened:
    lesson = for_execution(COURSE["en"].lesson(lesson_id), places)
    lesson = for_display(to_read(lesson) if read_only else lesson, places, Messages("en"))
    passed = frozenset({lesson.steps[0].id, lesson.steps[1].id})
    return LessonOpened(lesson, resumed=True, passed=passed, read_only=read_only, placeholders=places)


def _steps(*kinds: type) -> Iterator[tuple[Lesson, Step]]:
    """Yield the steps of the whole course whose activity is of a kind."""
    for each in COURSE["en"].lessons:
        lesson = for_display(for_execution(each, PLACES), PLACES, Messages("en"))
        yield from ((lesson, step) for step in lesson.steps if isinstance(step.activity, kinds))


def _step_with_hints() -> tuple[Lesson, Step]:
    return next(
        (lesson, step)
        for lesson, step in _steps(Task, EditConfig)
        if len({hint.when is None for hint in step.hints}) == 2
    )


def _samples() -> list[Event]:
    """Return a stream with every kind of event in it."""
    lesson, step = _step_with_hints()
    opened = _opened(lesson.id)
    before, after = snapshot(container=False), snapshot()
    evidence = Evidence("status", "created", "running\x1b[2J", "runt state box")
    verdicts = (
        *(Verdict(check.id, check.text, True, ()) for check in step.checks),
        Verdict("other", "of no check", False, (evidence,)),
    )
    state = ContainerState("box", "paused", 2**70, "/b", annotations={"a": "\udcff"})
    mistake = next(hint for hint in step.hints if hint.when is not None)
    plain = next(hint for hint in step.hints if hint.when is None)
    return [
        opened,
        EngineChanged("runt", "0.1.0"),
        StateChanged(None, ("create",)),
        StateChanged(state, ("kill", "resume")),
        SnapshotTaken(before),
        SnapshotTaken(after),
        StepEntered(opened.lesson.steps.index(step), step, passed=True),
        ConfigChanged("/b/config.json", '{"a": "\udc80\x00"}', "outside"),
        CommandStarted(CALL),
        Output(CALL, "stderr", "\x1b]0;title\x07 \u2028 \ud800"),
        CommandFinished(CallResult(CALL, -9, 0.25, "out", "")),
        Explained(CALL, "id.invalid", "t", "c", "f", line=10**40, expected=True),
        Checked(step, verdicts, passed=False, asked=True),
        HintGiven(plain, 1, 2),
        HintGiven(mistake, 0, 2, for_mistake=True),
        HintEnded(mistake),
        HintOffered(2),
        StepPassed(opened.lesson.steps.index(step), step, "solution"),
        Notice("warning", "t", next="n", key="session.notice.unfit"),
        NoticeEnded("session.notice.unfit"),
        LessonFinished(opened.lesson, 1),
        *_quiz_samples(),
    ]


def _quiz_samples() -> Iterator[Event]:
    """Yield every answer to every quiz of the course, with its feedback."""
    lesson = None
    for each, step in _steps(Quiz):
        if each.id != lesson:
            lesson = each.id
            yield _opened(lesson)
        assert isinstance(step.activity, Quiz)
        for choice in step.activity.choices:
            yield QuizAnswered(step, choice.id, choice.id == step.activity.answer, choice.feedback)
        if not step.activity.choices:
            yield QuizAnswered(step, "4026531836", True, "")
            yield QuizAnswered(step, "no idea", False, step.activity.feedback)


def _pass(sent: list[Event], language: Any = "en") -> list[Event]:
    encoder, decoder = Encoder(COURSE["en"]), Decoder(COURSE[language])
    return [decoder.decode(encoder.encode(event)) for event in sent]


def test_every_kind_of_event_comes_back_as_it_was() -> None:
    sent = _samples()
    assert {type(event) for event in sent} == set(get_args(Event)) == set(KINDS)
    for before, after in zip(sent, _pass(sent), strict=True):
        assert after == before


def test_kinds_have_names_of_their_own() -> None:
    assert KINDS[events.LessonOpened].name == "lesson-opened"
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)


def test_a_line_is_one_line_of_ascii() -> None:
    encoder = Encoder(COURSE["ja"])
    for event in _samples():
        line = encoder.encode(event)
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["v"] == 1


def test_the_reader_reads_in_its_own_language() -> None:
    lesson, step = _step_with_hints()
    theirs = COURSE["ja"].lesson(lesson.id)
    for event in _pass(_samples(), "ja"):
        match event:
            case LessonOpened(lesson=opened) if opened.id == lesson.id:
                assert opened.title == theirs.title
            case Checked(step=seen, verdicts=verdicts):
                assert seen.title == next(each.title for each in theirs.steps if each.id == step.id)
                assert verdicts[0].text != step.checks[0].text
            case HintGiven(hint=hint):
                assert hint.text not in {each.text for each in step.hints}


def test_placeholders_are_filled_in_as_in_the_session() -> None:
    places = replace(PLACES, home="/home/learner", work="/home/learner/w", bundle="/home/learner/w/b")
    opened = _opened("hooks", places)
    received = _pass([opened, StepEntered(0, opened.lesson.steps[0], passed=False)])
    assert isinstance(received[0], LessonOpened)
    bodies = "".join(step.body for step in received[0].lesson.steps)
    assert "~/w/b" in bodies
    assert "{bundle}" not in bodies
    assert received[0] == opened


def test_a_lesson_that_is_only_read_is_read_at_the_other_end_too() -> None:
    opened = _opened("docker-runtime", read_only=True)
    assert _pass([opened]) == [opened]


def test_free_play_names_its_bundle(tmp_path: Path) -> None:
    for language in LANGUAGES:
        messages = Messages(language)
        plain = free_play_lesson(tmp_path, messages)
        places = placeholders_of(plain, "runt", home(tmp_path))
        opened = LessonOpened(for_display(plain, places, messages), False, placeholders=places)
        line = Encoder(COURSE["en"]).encode(replace(opened, resumed=False))
        assert Decoder(COURSE[language]).decode(line) == opened


def test_another_engine_fills_in_the_texts_again() -> None:
    opened = _opened()
    other = replace(PLACES, engine="crun")
    lesson = _opened(places=other).lesson
    sent: list[Event] = [
        opened,
        EngineChanged("crun", "1.0"),
        *(StepEntered(n, s, passed=False) for n, s in enumerate(lesson.steps)),
    ]
    assert _pass(sent) == sent
    assert lesson.steps != opened.lesson.steps


# Solutions


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list | dict):
        for each in data.values() if isinstance(data, dict) else data:
            yield from _strings(each)


def _solutions(lesson: Lesson) -> Iterator[str]:
    """Yield the texts of solutions that the step itself does not suggest."""
    for step in lesson.steps:
        match step.activity:
            case EditConfig(solution=text):
                yield text
            case Shell(solution=lines, suggested=suggested):
                yield from (line for line in lines if line not in suggested)
            case Task(solution=actions, suggested=suggested):
                yield from (each.content for each in actions if isinstance(each, Write))
                yield from (
                    each.line for each in actions if isinstance(each, Run) and each.line not in suggested
                )


def _leaked(lines: list[str], lesson: Lesson) -> list[str]:
    strings = [text for line in lines for text in _strings(json.loads(line))]
    return [
        each
        for solution in _solutions(lesson)
        if (each := solution.strip()) and any(each in text for text in strings)
    ]


@pytest.mark.parametrize("lesson_id", [lesson.id for lesson in COURSE["en"].lessons])
def test_what_was_applied_or_typed_as_the_solution_has_it_is_not_in_the_lines(lesson_id: str) -> None:
    opened = _opened(lesson_id)
    encoder, decoder = Encoder(COURSE["en"]), Decoder(COURSE["ja"])
    lines = [encoder.encode(opened)]
    decoder.decode(lines[0])
    for number, text in enumerate(_solutions(opened.lesson)):
        call = Call(number, ("/bin/sh", "-c", text), text, "/")
        for event in (
            ConfigChanged("/b/config.json", text, "solution"),
            CommandStarted(call),
            Output(call, "stdout", f"$ cat it\n{text}\n$ "),
            Notice("error", "a command had to fail", text),
        ):
            lines.append(encoder.encode(event))
            assert decoder.decode(lines[-1]) == event
    assert _leaked(lines, opened.lesson) == []


def test_the_answer_that_a_lesson_names_is_not_in_the_lines() -> None:
    encoder = Encoder(COURSE["en"])
    answers = 0
    for event in _quiz_samples():
        line = json.loads(encoder.encode(event))
        if isinstance(event, QuizAnswered):
            assert isinstance(event.step.activity, Quiz)
            right = event.choice == event.step.activity.answer
            assert ("choice" in line) is not right
            answers += right
        assert "feedback" not in line
    assert answers > 10


@pytest.mark.root
@pytest.mark.parametrize("lesson_id", [LESSON, "bundle"])
def test_a_whole_lesson_as_it_is_played(tmp_path: Path, lesson_id: str) -> None:
    """Solve a lesson from its first step to its last: its lines give the same events, and none holds a solution."""
    diary = Diary()
    with session(tmp_path, diary, "runt") as learner:
        learner.open(lesson_id)
        lesson = learner.lesson
        assert lesson is not None
        stand_at(learner, lesson.steps[-1].id)
        learner.execute("solve")
        learner.execute("check")
        learner.execute("hint")
        learner.execute("next")
        learner.leave()
    assert diary.of(LessonFinished)
    encoder, decoder = Encoder(COURSE["en"]), Decoder(COURSE["en"])
    lines = [encoder.encode(event) for event in diary.events]
    assert [decoder.decode(line) for line in lines] == diary.events
    assert _leaked(lines, lesson) == []


# Reading


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("", "malformed"),
        ('{"v": 1, "kind": "notice", "sever', "malformed"),
        ("[1]", "malformed"),
        ('"v"', "malformed"),
        ("[" * 100_000, "malformed"),
        (b'{"v": 1, "kind": "\xff"}', "malformed"),
        ('{"v": 1, "kind": "hint-offered", "total": NaN}', "malformed"),
        ('{"v": 1, "kind": "hint-offered", "total": ' + "9" * 5000 + "}", "malformed"),
        ("{}", "version"),
        ('{"v": 2, "kind": "hint-offered", "total": 1}', "version"),
        ('{"v": true, "kind": "hint-offered", "total": 1}', "version"),
        ('{"v": "\\u001b[2J", "kind": "hint-offered", "total": 1}', "version"),
        ('{"v": 1}', "kind"),
        ('{"v": 1, "kind": ["notice"]}', "kind"),
        ('{"v": 1, "kind": "lesson-closed"}', "kind"),
        ('{"v": 1, "kind": "hint-offered"}', "member"),
        ('{"v": 1, "kind": "hint-offered", "total": true}', "member"),
        ('{"v": 1, "kind": "hint-offered", "total": 1.5}', "member"),
        ('{"v": 1, "kind": "notice", "severity": "bad", "title": "t"}', "member"),
        ('{"v": 1, "kind": "notice", "severity": ["error"], "title": "t"}', "member"),
        ('{"v": 1, "kind": "notice", "severity": "error", "title": [1]}', "member"),
        (
            '{"v": 1, "kind": "notice", "severity": "error", "title": [{"step": "create", "solution": 99}]}',
            "member",
        ),
        ('{"v": 1, "kind": "output", "call": 1, "stream": "stdout", "text": "t"}', "member"),
        ('{"v": 1, "kind": "state-changed", "state": {"id": "x"}, "can": []}', "member"),
        ('{"v": 1, "kind": "state-changed", "state": null, "can": {"create": 1}}', "member"),
        ('{"v": 1, "kind": "snapshot-taken", "snapshot": {"taken": 1e999}}', "member"),
        ('{"v": 1, "kind": "snapshot-taken", "snapshot": {"taken": ' + "9" * 400 + "}}", "member"),
        ('{"v": 1, "kind": "checked", "step": "create", "passed": true, "asked": true}', "member"),
        (
            '{"v": 1, "kind": "checked", "step": "create", "verdicts": [1], "passed": true, "asked": true}',
            "member",
        ),
        ('{"v": 1, "kind": "step-entered", "index": 0, "step": "nowhere", "passed": true}', "step"),
        ('{"v": 1, "kind": "hint-given", "step": "create", "hint": "none", "number": 1, "total": 1}', "hint"),
        ('{"v": 1, "kind": "hint-given", "step": "create", "number": 0, "total": 1}', "hint"),
        ('{"v": 1, "kind": "lesson-finished", "lesson": "hooks", "solved": 0}', "member"),
        ('{"v": 1, "kind": "lesson-opened", "lesson": "nowhere", "resumed": false}', "lesson"),
        ('{"v": 1, "kind": "lesson-opened", "lesson": "play", "resumed": false}', "lesson"),
        (
            '{"v": 1, "kind": "lesson-opened", "lesson": "hooks", "resumed": false, "placeholders": [1]}',
            "member",
        ),
    ],
)
def test_a_line_that_is_no_event_is_one_error_in_words(line: str | bytes, key: str) -> None:
    decoder = Decoder(COURSE["en"])
    decoder.decode(Encoder(COURSE["en"]).encode(_opened()))
    with pytest.raises(TutorError) as caught:
        decoder.decode(line)
    assert caught.value.key == f"session.wire.{key}"
    for language in LANGUAGES:
        title, body, following = caught.value.render(Messages(language))
        assert title != caught.value.key
        assert following
        assert body.isprintable()
        assert len(body) < 200
    after = Notice("information", "the next line is read all the same")
    assert decoder.decode(Encoder(COURSE["en"]).encode(after)) == after


def test_a_stream_is_read_from_its_beginning() -> None:
    line = '{"v": 1, "kind": "step-entered", "index": 0, "step": "create", "passed": true}'
    with pytest.raises(TutorError) as caught:
        Decoder(COURSE["en"]).decode(line)
    assert caught.value.key == "session.wire.no_lesson"


def test_an_image_of_which_this_version_knows_nothing_is_the_learners_own() -> None:
    for image in ("[]", '{"source": "moon", "reference": "", "release": "", "archive": ""}', "[" * 100_000):
        opened = _pass([replace(_opened("bundle"), placeholders=replace(PLACES, image=image))])[0]
        assert isinstance(opened, LessonOpened)
        assert Messages("en")("images.origin.own") in "".join(step.body for step in opened.lesson.steps)


def _with_more(data: Any) -> Any:
    """Return JSON with a member more in every object but those that map names of their own."""
    if isinstance(data, list):
        return [_with_more(each) for each in data]
    if isinstance(data, dict):
        return {"": [{"later": None}]} | {
            name: each if name == "annotations" else _with_more(each) for name, each in data.items()
        }
    return data


def test_members_of_a_later_version_are_skipped() -> None:
    encoder, decoder = Encoder(COURSE["en"]), Decoder(COURSE["en"])
    for event in _samples():
        line = json.dumps(_with_more(json.loads(encoder.encode(event))))
        assert decoder.decode(line) == event


_any_text = st.text(st.characters())


@given(_any_text, _any_text, st.integers(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_and_any_number_comes_through(one: str, two: str, number: int, seconds: float) -> None:
    call = Call(number, (one, two), one, two)
    sent: list[Event] = [
        _opened(),
        Notice("error", one, two),
        CommandStarted(call),
        Output(call, "stdout", one),
        CommandFinished(CallResult(call, number, seconds, one, two)),
        StateChanged(ContainerState(one, "running", number, two, annotations={one: two}), (one,)),
    ]
    assert _pass(sent) == sent
