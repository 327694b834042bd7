"""Lessons on a runtime of the learner's own: their file, its check, and how a session and the editors go about them."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.session import Diary, home
from tests.support.tui import opened, screen_text, scripted_app, settled, snapshot
from tutor.course.checks import CheckContext, find
from tutor.course.course import Course
from tutor.course.errors import LessonError
from tutor.course.model import Condition, Define, OwnStep
from tutor.engines.model import ContainerState
from tutor.errors import TutorError
from tutor.messages import Messages
from tutor.own_steps import source
from tutor.own_steps.differences import Difference
from tutor.own_steps.judge import Judgement
from tutor.own_steps.learner_file import LearnerFile
from tutor.own_steps.mishaps import Mishap
from tutor.own_steps.trial_view import snapshot_of
from tutor.session.commands.registry import BY_NAME
from tutor.session.events import CommandFinished, ConfigChanged, HintGiven, SnapshotTaken, StateChanged
from tutor.session.own_runtime import OwnRuntime
from tutor.session.session import Session
from tutor.tui.widgets.editor import ConfigPane
from tutor.view.config_texts import solution_of
from tutor.view.edited_file import newline_of, problems_of
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from pathlib import Path

LOGIC = """\
format: 1
order: 1
minutes: 5
spec: "1.3.0"
lab: {bundle: bundle, container: mine}
steps:
  - id: write
    kind: own-step
    exercise: hostname
    variants: [right.py]
    clause: config.md#hostname
    checks:
      - {id: step, own_step: {exercise: hostname}}
    hints:
      - {id: host, when: {own_step: {exercise: hostname, differs: [hostname]}}}
    wrong:
      - {id: nothing, do: [{define: wrong.py}], hint: host}
"""
TEXT = """\
title: Own
summary: One function.
steps:
  write:
    title: Write
    body: Do.
    checks: {step: it is set}
    hints: {host: Call sethostname.}
"""
RIGHT = "from syscalls import sethostname\n\n\ndef set_hostname(c):\n    sethostname(c.config['hostname'])\n"
WRONG = "def set_hostname(c):\n    pass\n"
OTHER = "def kill(c, signum):\n    return 1  # mine\n"


def course(folder: Path, logic: str = LOGIC) -> Course:
    lesson = folder / "course" / "own-one"
    (lesson / "solutions").mkdir(parents=True)
    (lesson / "lesson.yaml").write_text(logic)
    for language in ("ja", "en"):
        (lesson / f"text.{language}.yaml").write_text(TEXT)
    (lesson / "solutions/right.py").write_text(RIGHT)
    (lesson / "solutions/wrong.py").write_text(WRONG)
    return Course.load("en", folder / "course")


@pytest.fixture
def learner(tmp_path: Path) -> LearnerFile:
    return LearnerFile(tmp_path / "folder" / source.FILE)


# The file


def test_a_function_is_replaced_with_a_copy_and_the_others_are_never_lost(learner: LearnerFile) -> None:
    learner.create()
    learner.write(learner.read() + "\n\n" + OTHER)
    assert learner.begin(["set_hostname"])
    assert not learner.begin(["set_hostname"])
    assert learner.define(RIGHT) is None, "a skeleton needs no copy"
    before = learner.read()
    assert OTHER in before
    assert "sethostname(c.config" in before
    kept = learner.reset(["set_hostname"])
    assert kept is not None
    assert kept.read_text() == before
    assert source.missing(learner.read(), ["set_hostname", "kill"]) == ("set_hostname",)
    learner.define(RIGHT)
    assert learner.reset(["set_hostname"]) == kept, "the same text is kept once"
    assert OTHER in learner.read()


def test_a_file_that_is_not_python_is_refused_with_its_place_and_stays(learner: LearnerFile) -> None:
    learner.write("import os\nif x = 1:\n")
    for change in (
        lambda: learner.begin(["kill"]),
        lambda: learner.define(RIGHT),
        lambda: learner.reset(["kill"]),
    ):
        with pytest.raises(source.SourceError) as refused:
            change()
        assert (refused.value.line, refused.value.column) == (2, 4)
    assert learner.read() == "import os\nif x = 1:\n"


def test_a_link_to_the_file_stays_one_and_edits_that_nobody_saw_are_kept(
    learner: LearnerFile, tmp_path: Path
) -> None:
    real = tmp_path / "elsewhere.py"
    real.write_text(OTHER)
    learner.edited_path.parent.mkdir()
    learner.edited_path.symlink_to(real)
    kept = learner.keep_unseen("new", seen="another text")
    learner.write("new")
    assert kept is not None
    assert (real.read_text(), kept.read_text(), learner.edited_path.is_symlink()) == ("new", OTHER, True)
    assert learner.keep_unseen("newer", seen="new") is None
    beside = learner.keep_edits("edits", before="not what is there")
    assert beside is not None
    assert (beside.read_text(), real.read_text()) == ("edits", "new")


# Lessons


def test_a_lesson_names_its_exercise_its_variants_and_its_definitions(tmp_path: Path) -> None:
    lesson = course(tmp_path).lessons[0]
    (step,) = lesson.steps
    assert step.activity == OwnStep("hostname", (("right.py", Define(RIGHT)),))
    assert step.wrong[0].actions == (Define(WRONG),)
    assert lesson.is_own


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exercise: hostname\n", "exercise: host\n"),
        ("variants: [right.py]", "variants: [absent.py]"),
        ("define: wrong.py", "define: {reference: [nobody]}"),
        ("own_step: {exercise: hostname}", "own_step: {}"),
    ],
)
def test_a_defective_lesson_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in LOGIC
    with pytest.raises(LessonError):
        course(tmp_path, LOGIC.replace(old, new, 1))


DIFFERENT = Difference("mounts", "/data", "config.md#mounts", "running", "rw", "ro", "cat")
MISHAP = Mishap(
    "exception",
    "set_hostname",
    3,
    "  sethostname(x)",
    "SyscallError",
    "no",
    "sethostname",
    (),
    "EPERM",
    "why",
)


@pytest.mark.parametrize(
    ("judged", "arguments", "holds"),
    [
        (Judgement(passed=True), {}, True),
        (Judgement(False, (DIFFERENT,)), {}, False),
        (Judgement(False, (DIFFERENT,)), {"differs": ("mounts",)}, True),
        (Judgement(False, (DIFFERENT,)), {"differs": ("root", "mounts:/data")}, True),
        (Judgement(False, (DIFFERENT,)), {"differs": ("mounts:/other",)}, False),
        (Judgement(False, (), MISHAP), {"mishap": ("EPERM",)}, True),
        (Judgement(False, (), MISHAP), {"mishap": ("KeyError",)}, False),
        (Judgement(passed=False, missing=("set_hostname",)), {"missing": True}, True),
        (Judgement(passed=True), {"missing": True}, False),
        ("no sandbox here", {}, False),
        ("no sandbox here", {"differs": ("mounts",)}, False),
    ],
)
def test_the_check_and_its_hints(
    tmp_path: Path, judged: Judgement | str, arguments: dict[str, object], holds: bool
) -> None:
    context = CheckContext(
        Messages.load("en"), "runt", "mine", tmp_path, None, None, own=lambda _exercise: judged
    )
    finding = find(Condition("own_step", {"exercise": "hostname", **arguments}), context)
    assert finding.passed is holds
    said = " ".join(f"{each.looked_at} {each.expected} {each.found}" for each in finding.evidence)
    for text in ("line 3", "sethostname(x)", "why") if "mishap" in arguments else ():
        assert text in said
    if isinstance(judged, str):
        assert judged in said


@pytest.mark.root
def test_a_session_puts_skeletons_in_judges_what_any_editor_saves_and_takes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge itself is tried by `verify` and by its own tests: here is what is made of what it says."""
    judged: list[str] = []

    def judge(self: OwnRuntime, exercise: str, text: str) -> Judgement:
        judged.append(text)
        if source.missing(text, ["set_hostname"]):
            return Judgement(passed=False, missing=("set_hostname",))
        if "sethostname" in text:
            return Judgement(passed=True)
        return Judgement(False, (replace(DIFFERENT, aspect="hostname", detail=""),))

    monkeypatch.setattr(OwnRuntime, "_judge", judge)
    diary = Diary()
    place = home(tmp_path)
    path = source.file_of(place)
    path.parent.mkdir(parents=True)
    path.write_text(OTHER)
    with Session(course=course(tmp_path), engine="runt", publish=diary.publish, home=place) as session:
        session.open("own-one")
        assert session.config_path == path
        assert source.missing(session.config_text, ["set_hostname", "kill"]) == ("set_hostname",)
        session.do((Define(WRONG),))
        assert [each.hint.id for each in diary.of(HintGiven)] == ["host"]
        another = path.read_text().replace(
            "    pass\n", "    import syscalls\n    syscalls.sethostname('x')\n"
        )
        path.with_name("draft").write_text(another)
        path.with_name("draft").rename(path)
        diary.until(lambda: diary.passed() == ["write"], "what another program saved is judged", seconds=3)
        assert len(judged) == len(set(judged)) == 3, "once for each text"
        theirs = path.read_text()
        session.execute("reset")
        assert session.passed == frozenset()
        assert source.missing(session.config_text, ["set_hostname"])
        assert theirs in [each.read_text() for each in path.parent.glob(f"{path.name}.bak-*")]
        session.execute("solve")
        assert session.passed == {"write"}
        assert OTHER in path.read_text()
        _my(session, diary)
        assert session.write_config("if x = 1:\n", session.config_text)
        session.execute("reset")
        assert any("line 1" in each.lower() for each in diary.notices()), (
            "a file that is not Python is refused, with its place"
        )
        assert path.read_text() == "if x = 1:\n"


def test_the_wait_for_a_function_that_hangs_can_be_ended_and_its_verdict_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, woken = threading.Event(), threading.Event(), threading.Event()

    def judge(self: OwnRuntime, exercise: str, text: str) -> Judgement:
        began.set()
        assert go_on.wait(20)
        return Judgement(passed=False, missing=("set_hostname",))

    monkeypatch.setattr(OwnRuntime, "_judge", judge)
    own = OwnRuntime(home(tmp_path), Messages.load("en"), on_trial=lambda _shown: None, wake=woken.set)

    def interrupt() -> None:
        began.wait(20)
        own.interrupt()

    threading.Thread(target=interrupt).start()
    assert isinstance(own.judgement("hostname"), str)
    assert isinstance(own.judgement("hostname"), str), "nor does another look wait"
    go_on.set()
    assert woken.wait(20)
    assert own.judgement("hostname") == Judgement(passed=False, missing=("set_hostname",))


def _my(session: Session, diary: Diary) -> None:
    """Use the words of `my` after the exercise of the present step has passed."""
    diary.clear()
    session.execute("my status")
    (line,) = [each for each in diary.printed().splitlines() if " hostname " in each]
    assert "passed" in line
    session.execute("my diff")
    assert "same" in diary.printed(), "of the present step, where none is named"
    session.execute("my export mine")
    script = session.home.labs / "own-one" / "bundle" / "mine"
    assert script.read_text().startswith("#!")
    session.execute("my reset kill")
    assert source.missing(session.config_text, ["kill", "set_hostname"]) == ("kill",)
    assert diary.of(CommandFinished)[-1].result.returncode == 0
    for wrong, said in (
        ("my nothing", "status, run"),
        ("my diff fifo", "fifo"),
        ("my run nowhere", "nowhere"),
    ):
        session.execute(wrong)
        assert said in diary.notices()[-1]
    assert [each for each, _ in session.completions(BY_NAME["my"].arguments[0], "r")] == ["run", "reset"]
    assert [each for each, _ in session.completions(BY_NAME["my"].arguments[1], "h")] == ["hostname", "hooks"]


def test_what_could_not_be_judged_is_judged_again_when_the_learner_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def judged(exercise: str, *_: object, **__: object) -> Judgement:
        calls.append(exercise)
        if len(calls) == 1:
            raise TutorError("own.sandbox.slow")
        return Judgement(passed=False, missing=("set_hostname",))

    monkeypatch.setattr("tutor.own_steps.judge.judge", judged)
    own = OwnRuntime(home(tmp_path), Messages("en"), on_trial=lambda _: None, wake=lambda: None)
    own.create()
    first = own.judgement("hostname")
    assert isinstance(first, str)
    assert own.judgement("hostname") == first, "not again with each look"
    own.forget_failures()
    assert isinstance(own.judgement("hostname"), Judgement)


def test_the_panels_show_the_container_of_a_trial_until_the_lab_has_one() -> None:
    view = LessonView("runt")
    view.fold(SnapshotTaken(snapshot(container=False)))
    assert view.container is None
    view.fold(SnapshotTaken(replace(shown := snapshot(), container=shown.container), trial=True))
    view.fold(SnapshotTaken(snapshot(container=False)))
    assert view.container == shown.container
    view.fold(StateChanged(ContainerState("mine", "created", 1, "/b"), ()))
    assert view.container is None


def test_a_snapshot_is_made_of_what_was_recorded_and_of_nothing_defective() -> None:
    process = {
        "status": "Name:\tsh\nState:\tS (sleeping)\nNSpid:\t7\t1\nThreads:\t1\nNoNewPrivs:\t1\n",
        "mountinfo": "20 1 0:5 / / rw - tmpfs none rw\n", "cgroup": "0::/\n", "root": "/\x1b[2J", "cwd": "/",
        "exe": "/bin/sh", "cmdline": ["sh"], "namespace_links": {"uts": ["uts:[11]", "uts:[12]"], "net": ["net:[9]", "net:[9]"]},
    }  # fmt: skip
    record = {"look": "running", "init": 7, "host_mounts": "", "process": process}
    made = snapshot_of([{"did": ["create"]}, record, {"look": "deleted"}])
    assert made is not None
    view = made.container
    assert view is not None
    assert [(each.kind, each.shared) for each in view.namespaces] == [("net", True), ("uts", False)]
    assert (view.processes[0].ns_pid, view.mounts[0].target, view.no_new_privs) == (1, "/", True)
    assert "\x1b" not in view.root
    assert snapshot_of([{**record, "process": {"status": "", "mountinfo": None}}]) is None
    assert snapshot_of([{"look": "deleted"}]) is None


# The editors


def test_what_an_editor_says_of_python_and_types_at_enter() -> None:
    (problem,) = problems_of("import os\nif x = 1:\n", "my_runtime.py")
    assert (problem.line, problem.column, problem.severity) == (2, 4, "error")
    assert "'=='" in problem.message(Messages.load("en"))
    assert not problems_of("x = {}\n", "/work/my_runtime.py")
    assert problems_of("x = {}\n", "config.json")
    text = "def f():\n    g(\n        1)\n"
    assert [newline_of(text, at) for at in (8, 15, 26)] == ["\n    ", "\n        ", "\n        "]


def test_solve_shows_what_it_would_make_of_the_text_in_the_editor(tmp_path: Path) -> None:
    (step,) = course(tmp_path).lessons[0].steps
    made = solution_of(step, OTHER)
    assert made is not None
    assert OTHER in made
    assert "def set_hostname" in made
    assert solution_of(step, "if x = 1:\n") is None


async def test_the_pane_edits_python_without_the_helps_of_json(tmp_path: Path) -> None:
    app = scripted_app(tmp_path, "en")
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        pane = screen.query_one(ConfigPane)
        app.script.publish(ConfigChanged("/labs/my_runtime.py", "def f():", "opened"))
        await settled(pilot, lambda: pane.text == "def f():")
        pane.area.focus()
        await pilot.press("ctrl+end", "enter", *"x = {", "enter", "1", "backspace", *"[2", "ctrl+o")
        await settled(pilot, lambda: "config.json only" in screen_text(app))
        assert pane.text == "def f():\n    x = {\n        [2"
        assert str(pane.border_title).startswith("my_runtime.py")
        app.script.publish(ConfigChanged("/labs/my_runtime.py", OTHER, "solution"))
        await settled(
            pilot, lambda: "my_runtime.py was changed" in screen_text(app) or "unsaved" in screen_text(app)
        )
        assert pane.text != OTHER, "edits that are not saved are asked about"
