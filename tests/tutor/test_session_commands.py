"""Commands of a session: what a learner types, the events that follow, and an answer to every mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.session import LESSON, Diary, session, stand_at
from tutor.errors import TutorError
from tutor.messages import LANGUAGES, Messages
from tutor.session.commands.completion import SIGNALS
from tutor.session.commands.parser import parse
from tutor.session.commands.registry import BY_NAME, COMMANDS
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    EngineChanged,
    Event,
    HintGiven,
    HintOffered,
    LessonOpened,
    Notice,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.session.session import Session

pytestmark = [pytest.mark.root, pytest.mark.peer("runc")]


def shown(diary: Diary) -> LessonView:
    """Return what a face shows after the events."""
    view = LessonView("runc")
    for event in diary.events:
        view.fold(event)
    return view


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("creat", "create"),
        ("frobnicate", "help"),
        ("kill TERM 9", "kill [SIGNAL]"),
        ("answer", "answer CHOICE"),
        ("delete --now", "--force"),
        ("kill 'TERM", "'TERM"),
        ("crun list", "engine crun"),
        ("runc state other", "alpine-test"),
        ("runc spec", "create"),
        ("engine podman", "runt, runc, crun"),
        ("edit", "edit"),
        ("ns", "ns"),
    ],
)
def test_a_mistake_is_one_notice_that_says_what_now(
    learner: Session, diary: Diary, line: str, words: str
) -> None:
    diary.clear()

    learner.execute(line)

    (notice,) = diary.notices()
    assert notice.startswith("error: ")
    assert words in notice
    assert diary.last_notice().next
    assert diary.of(CommandStarted) == []


def test_opening_tells_everything_that_a_face_shows(learner: Session, diary: Diary) -> None:
    diary.until(lambda: bool(diary.of(SnapshotTaken)), "a first snapshot")
    kinds = [type(event) for event in diary.events]

    assert kinds.index(LessonOpened) < kinds.index(EngineChanged) < kinds.index(StepEntered)
    assert diary.origins() == ["opened"]
    opened = diary.of(LessonOpened)[0]
    assert (opened.resumed, opened.passed, opened.read_only) == (False, frozenset(), False)
    assert diary.of(StateChanged)[0] == StateChanged(None, ("create",))
    assert json.loads(learner.config_text)["linux"] == {}
    assert learner.config_path.read_text() == learner.config_text
    assert list(learner.can) == ["create"]
    assert learner.state is None
    assert learner.step == diary.of(StepEntered)[0].step


def test_an_engine_command_is_shown_as_it_runs(learner: Session, diary: Diary) -> None:
    stand_at(learner, "create")
    diary.clear()

    learner.execute("create")

    assert [event.call.typed for event in diary.of(CommandStarted)] == ["runc create alpine-test"]
    assert diary.of(CommandFinished)[0].result.returncode == 0
    (changed,) = diary.of(StateChanged)
    assert changed.state is not None
    assert (changed.state.status, changed.can) == ("created", ("start", "kill"))
    assert learner.state == changed.state
    assert diary.passed() == ["create"]
    diary.until(
        lambda: any(
            event.snapshot.container and event.snapshot.container.pid == learner.state.pid  # type: ignore[union-attr]  # created
            for event in diary.of(SnapshotTaken)
        ),
        "a snapshot of the container",
    )


def test_a_failing_engine_command_has_its_exit_status(learner: Session, diary: Diary) -> None:
    learner.execute("start")

    assert diary.of(CommandFinished)[-1].result.returncode != 0
    assert "does not exist" in diary.printed()
    assert [notice for notice in diary.notices() if notice.startswith("error")] == []


def test_next_says_what_is_missing_and_does_not_go_on(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    diary.clear()

    learner.execute("next")

    assert learner.step is not None
    assert learner.step.id == "echo-config"
    assert 'process.args is ["echo", "alpine"]' in diary.notices()[0]


def test_a_summary_is_read_before_next_goes_on(learner: Session, diary: Diary) -> None:
    stand_at(learner, "generated-config")
    diary.clear()

    learner.execute("next")
    assert (diary.passed(), diary.entered()) == (["generated-config"], [])
    learner.execute("next")
    assert diary.entered() == ["echo-config"]


def test_back_and_forth(learner: Session, diary: Diary) -> None:
    learner.execute("back")
    assert "first step" in diary.notices()[-1]
    learner.execute("next")
    learner.execute("next")
    learner.execute("back")

    assert diary.entered() == ["bundle", "generated-config", "bundle"]
    assert diary.of(StepEntered)[-1].passed is True


def test_a_command_that_changes_to_a_state_unfit_for_the_step_is_answered_with_a_way_back(
    learner: Session, diary: Diary
) -> None:
    stand_at(learner, "change-config")
    diary.clear()

    learner.execute("start")

    assert ["reset" in notice for notice in diary.notices()] == [True]
    learner.execute("reset")
    learner.write_config(learner.config_text.replace("alpine", "other"))
    assert "change-config" in diary.passed()


def test_a_task_may_lead_through_any_state(tmp_path: Path, diary: Diary) -> None:
    with session(tmp_path, diary) as learner:
        learner.open("lifecycle")
        stand_at(learner, "nothing-there")
        diary.clear()

        learner.execute("create")

        assert learner.state is not None
        assert learner.state.status == "created"
        assert diary.notices() == []


def test_a_prediction_passes_with_any_answer(learner: Session, diary: Diary) -> None:
    stand_at(learner, "predict-create")

    learner.execute("answer z")
    assert "a, b, c" in diary.notices()[-1]
    learner.execute("answer A")

    (answered,) = diary.of(QuizAnswered)
    assert (answered.choice, answered.correct) == ("a", False)
    assert answered.feedback
    assert "predict-create" in diary.passed()


def test_a_quiz_passes_only_with_the_right_answer(learner: Session, diary: Diary) -> None:
    stand_at(learner, "review")
    learner.execute("next")
    assert "quiz" in diary.notices()[-1]
    assert shown(diary).notice == diary.last_notice()

    learner.execute("answer a")
    assert "review" not in diary.passed()
    assert shown(diary).notice is None, "it is answered now"
    learner.execute("answer d")
    assert "review" in diary.passed()
    assert diary.of(QuizAnswered)[-1].correct


def test_hints_come_in_order_are_offered_after_failures_and_end(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    assert diary.of(HintOffered) == []

    learner.execute("check")
    assert len(diary.of(HintOffered)) == 1
    for _ in range(4):
        learner.execute("hint")

    assert [(event.number, event.total) for event in diary.of(HintGiven)] == [(1, 3), (2, 3), (3, 3)]
    assert "solve" in diary.notices()[-1]


def test_check_shows_every_verdict_with_its_evidence(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    diary.clear()

    learner.execute("check")

    (checked,) = diary.of(Checked)
    assert checked.asked
    assert not checked.passed
    assert [verdict.passed for verdict in checked.verdicts] == [False, False, True, False]
    for verdict in checked.verdicts:
        for evidence in verdict.evidence:
            assert evidence.looked_at
            assert evidence.expected
            assert evidence.found
            assert evidence.command


def test_a_broken_config_is_told_once_and_not_by_each_check(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    diary.clear()

    learner.write_config('{"process": ')

    verdicts = diary.of(Checked)[-1].verdicts
    assert [verdict.passed for verdict in verdicts] == [False] * 4
    (evidence,) = [evidence for verdict in verdicts for evidence in verdict.evidence]
    assert evidence.looked_at == "config.json"


def test_a_text_that_no_editor_has_shown_is_copied_before_it_is_replaced(
    learner: Session, diary: Diary
) -> None:
    shown_text, config = learner.config_text, learner.config_path
    config.write_text("another program's text", encoding="utf-8")
    assert learner.write_config("mine", shown_text)
    assert config.read_text(encoding="utf-8") == "mine"
    copies = list(config.parent.glob("config.json.bak-*"))
    assert [each.read_text(encoding="utf-8") for each in copies] == ["another program's text"]
    assert any(str(copies[0]) in notice for notice in diary.notices())
    assert learner.write_config("mine too", "mine")
    assert list(config.parent.glob("config.json.bak-*")) == copies


def test_a_hint_is_shown_while_its_mistake_is_there(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    right = json.loads(learner.config_text)
    broken, one_word = '{"process": ', right | {"process": right["process"] | {"args": ["echo alpine"]}}
    for text, hints in (
        (broken, ["invalid"]),
        (json.dumps(one_word), ["one-word"]),
        (json.dumps(right), []),
        (broken, ["invalid"]),
    ):
        learner.write_config(text)
        assert [given.hint.id for given in shown(diary).hints] == hints
    learner.execute("next")
    assert shown(diary).notice == diary.last_notice(), "what is missing"
    learner.execute("hint")
    learner.execute("solve")
    after = shown(diary)
    assert after.step_passed
    assert [given.for_mistake for given in after.hints] == [False], "what was asked for stays"
    assert not after.hint_offered
    assert after.notice != diary.of(Notice)[-2]
    assert "not" not in (after.notice.title if after.notice else "")


def test_only_a_number_of_seconds_is_one(learner: Session, diary: Diary) -> None:
    stand_at(learner, "sleep-config")
    config = json.loads(learner.config_text)
    for seconds, passed in (("changed", False), (1000, False), ("1000", True)):
        config["process"]["args"] = ["sleep", seconds]
        learner.write_config(json.dumps(config))
        assert {each.check_id: each.passed for each in learner.verdicts}["seconds"] is passed


def test_any_right_config_passes(learner: Session, diary: Diary) -> None:
    """Other order, other spacing, more members, `terminal` left out: what counts is what it means."""
    stand_at(learner, "echo-config")
    config = json.loads(learner.config_text)
    del config["process"]["terminal"]
    config["process"]["args"] = ["echo", "alpine"]
    config["mounts"] = [
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
        {"type": "proc", "source": "proc", "destination": "/proc", "options": ["nosuid"]},
    ]

    learner.write_config(json.dumps(dict(reversed(config.items()))))

    assert "echo-config" in diary.passed()


def test_a_faulty_config_is_saved_all_the_same(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")

    learner.write_config('{"process": ')

    assert learner.config_path.read_text() == '{"process": '
    assert diary.origins()[-1] == "learner"
    assert not diary.last_check().passed
    assert "echo-config" not in diary.passed()


def test_solve_keeps_what_the_learner_wrote(learner: Session, diary: Diary) -> None:
    stand_at(learner, "echo-config")
    learner.write_config("my own words")

    learner.execute("solve")

    assert json.loads(learner.config_text)["process"]["args"] == ["echo", "alpine"]
    assert (learner.config_path.parent / "config.json.bak-1").read_text() == "my own words"
    assert any("config.json.bak-1" in notice for notice in diary.notices())
    assert "echo-config" in diary.passed()


def test_reset_brings_back_config_container_and_checks(learner: Session, diary: Diary) -> None:
    stand_at(learner, "start")
    begins_with = learner.config_text
    learner.write_config("{}")
    learner.execute("delete --force")
    assert list(learner.can) == ["create"]

    learner.execute("reset")

    assert list(learner.can) == ["start", "kill"]
    assert learner.config_text == begins_with
    assert (learner.config_path.parent / "config.json.bak-1").read_text() == "{}"
    learner.execute("start")
    diary.until(lambda: "start" in diary.passed(), "the step passed after the reset")


def test_a_container_that_ends_later_is_noticed(learner: Session, diary: Diary) -> None:
    """The poller sees its end, and all of its output arrives."""
    stand_at(learner, "create")
    config = json.loads(learner.config_text)
    config["process"]["args"] = ["sh", "-c", "sleep 1; echo later"]
    learner.write_config(json.dumps(config))
    learner.execute("create")
    learner.execute("start")
    assert learner.state is not None
    assert learner.state.status == "running"

    diary.until(lambda: learner.state is not None and learner.state.status == "stopped", "stopped")

    diary.until(lambda: "later" in diary.printed(), "the output of a container left behind")


def test_another_engine(learner: Session, diary: Diary) -> None:
    stand_at(learner, "waiting")
    before = learner.config_text
    diary.clear()

    learner.execute("engine runt")

    assert [event.engine for event in diary.of(EngineChanged)] == ["runt"]
    assert learner.engine == "runt"
    assert learner.state is not None
    assert learner.state.status == "created"
    assert learner.config_text == before
    assert "`runt`" in learner.step.body or "runt" in learner.step.body  # type: ignore[union-attr]  # a lesson is open
    learner.execute("state")
    assert [event.call.typed for event in diary.of(CommandStarted)][-1] == "runt state alpine-test"
    learner.execute("engine")
    assert "runt" in diary.notices()[-1]
    learner.execute("engine runt")
    assert "already" in diary.notices()[-1]


def test_commands_without_a_lesson(tmp_path: Path, diary: Diary) -> None:
    with session(tmp_path, diary) as learner:
        learner.execute("create")
        learner.write_config("{}")
        learner.interrupt()
        with pytest.raises(TutorError):
            learner.shell_call()
        assert [notice.startswith("error") for notice in diary.notices()] == [True, True]
        assert (learner.lesson, learner.step, learner.can, learner.config_text) == (None, None, (), "")


def test_completions(learner: Session) -> None:
    def values(command: str, prefix: str) -> list[str]:
        return [value for value, _ in learner.completions(BY_NAME[command].arguments[0], prefix)]

    assert values("kill", "k") == ["KILL"]
    assert values("engine", "") == ["runt", "runc", "crun"]
    assert values("answer", "") == []
    stand_at(learner, "predict-create")
    assert values("answer", "") == ["a", "b", "c"]


def test_a_command_that_hangs_can_be_interrupted(learner: Session, diary: Diary) -> None:
    """`create` waits for a hook that never ends; Ctrl-C ends it, and the session goes on."""
    import threading

    config = json.loads(learner.config_text)
    config["process"] |= {"terminal": False}
    config["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "600"]}]}
    learner.write_config(json.dumps(config))
    worker = threading.Thread(target=learner.execute, args=("create",))
    worker.start()
    diary.until(lambda: bool(diary.of(CommandStarted)), "the command has begun")
    assert learner.busy

    learner.interrupt()
    worker.join(20)

    assert not worker.is_alive()
    assert diary.of(CommandFinished)[-1].result.returncode != 0
    learner.execute("next")
    assert "bundle" in diary.passed()


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_in_the_registry_has_its_messages(language: str) -> None:
    messages = Messages.load("ja" if language == "ja" else "en")
    for command in COMMANDS:
        assert messages.has(f"session.command.{command.name}")
        for argument in command.arguments:
            assert messages.has(f"session.argument.{argument.name}")
        for flag in command.flags:
            assert messages.has(f"session.flag.{flag.removeprefix('--')}")
    for kind, names in (("signal", SIGNALS), ("engine", ("runt", "runc", "crun"))):
        assert all(messages.has(f"session.{kind}.{name}") for name in names)


def test_the_engines_own_command_line_is_understood() -> None:
    parsed = parse("runc kill alpine-test TERM", engine="runc", container_id="alpine-test")
    assert parsed is not None
    assert (parsed.command.name, parsed.arguments) == ("kill", ("TERM",))
    parsed = parse("runc delete --force alpine-test", engine="runc", container_id="alpine-test")
    assert parsed is not None
    assert (parsed.command.name, parsed.flags) == ("delete", ("--force",))
    assert parse("   ", engine="runc", container_id="alpine-test") is None


def test_a_step_without_a_solution_is_not_counted_as_solved(learner: Session, diary: Diary) -> None:
    for step_id in ("bundle", "generated-config"):
        stand_at(learner, step_id)
        learner.execute("solve")
        assert "next" in diary.notices()[-1]
    stand_at(learner, "echo-config")

    assert {event.by for event in diary.of(StepPassed)} == {"learner"}


def test_only_what_the_learner_wrote_is_copied_first(learner: Session, diary: Diary) -> None:
    stand_at(learner, "sleep-create")

    assert list(learner.config_path.parent.glob("config.json.bak-*")) == []


def test_a_face_that_raises_does_not_end_the_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbling(Diary):
        def publish(self, event: Event) -> None:
            super().publish(event)
            raise RuntimeError("the screen is gone")

    diary = Stumbling()
    with session(tmp_path, diary) as learner:
        learner.open(LESSON)
        learner.execute("next")
        learner.execute("next")
    assert diary.entered() == ["bundle", "generated-config"]
    assert "the screen is gone" in caplog.text
