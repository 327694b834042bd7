"""What the REPL prints for each event, and the views of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tutor.course.checks.verdict import Evidence, Verdict
from tutor.course.course import Course
from tutor.course.model import (
    Choice,
    Hint,
    LabPlan,
    Lesson,
    Observe,
    Quiz,
    Read,
    RunOperation,
    Shell,
    Step,
    Task,
)
from tutor.engines.model import Call, CallResult, ContainerState
from tutor.messages import LANGUAGES, Language, Messages
from tutor.observe import ContainerView, HostView, Mount, NamespaceView, Process, Snapshot, Wait
from tutor.observe.model import NAMESPACE_KINDS
from tutor.repl import views
from tutor.repl.layout import plain, width_of
from tutor.repl.render import Renderer
from tutor.repl.repl import Printer
from tutor.session.events import (
    Checked,
    CommandFinished,
    CommandStarted,
    ConfigChanged,
    EngineChanged,
    HintGiven,
    HintOffered,
    LessonFinished,
    LessonOpened,
    Notice,
    Output,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from tutor.engines.model import Stream
    from tutor.repl.layout import Line
    from tutor.session.events import Event

READ = Step("intro", "read", "Filesystem bundle", "本文です。", Read(), summary="", clause="bundle.md")
CREATE = Step("create", "run-op", "create", "作ります。", RunOperation("create"), summary="**まとめ**です。")
QUESTION = Quiz("どれでしょう。", (Choice("a", "はい", "よく見て"), Choice("b", "いいえ", "そのとおり")), "b")
QUIZ = Step("quiz", "quiz", "クイズ", "考えます。", QUESTION)
LESSON = Lesson(
    id="first-container",
    order=1,
    minutes=20,
    spec_version="1.3.0",
    engines=("runt", "runc"),
    title="はじめての\u3000コンテナ",
    summary="概要",
    steps=(READ, CREATE, QUIZ),
    lab=LabPlan("bundle", "alpine-test", "mini"),
    folder=Path("/nowhere"),
)
STATE = ContainerState("alpine-test", "created", 29017, "/bundle")
CALL = Call(1, ("/usr/bin/runt", "create", "alpine-test"), "runt create alpine-test", "/bundle")
VERDICT = Verdict(
    "status", "状態は `created` です", True, (Evidence("state.status", "created", "created", "runt state x"),)
)
FAILED = replace(
    VERDICT, passed=False, evidence=(Evidence("state.status", "created", "stopped", "runt state x"),)
)
HOST = HostView(1, (), ())
PROCESS = Process(
    pid=29017,
    ns_pid=1,
    ppid=1,
    state="S",
    comm="python3",
    cmdline=("runt", "init"),
    exe="/usr/bin/python3",
    threads=1,
    depth=0,
    waits_for=Wait(29017, "openat", 257, (), 'openat("exec.fifo", O_WRONLY)', "/run/exec.fifo", None, "",
                   "observe.wait.openat_exec_fifo"),
)  # fmt: skip
CONTAINER = ContainerView(
    pid=29017,
    alive=True,
    namespaces=tuple(
        NamespaceView(kind, 4026532200 + index, 4026531800 + index, shared=False)
        if kind in ("mnt", "pid")
        else NamespaceView(kind, 4026531800 + index, 4026531800 + index, shared=True)
        for index, kind in enumerate(NAMESPACE_KINDS)
    ),
    mounts=(
        Mount(1, 0, "8:1", "/rootfs", "/", ("rw", "relatime"), ("private",), "ext4", "/dev/sda1", ()),
        Mount(2, 1, "0:5", "/", "/proc", ("rw", "nosuid"), ("private",), "proc", "proc", ()),
    ),
    processes=(PROCESS,),
)
SNAPSHOT = Snapshot(0.0, HOST, CONTAINER)

EVENTS: tuple[Event, ...] = (
    LessonOpened(LESSON, resumed=False),
    LessonOpened(LESSON, resumed=True),
    StepEntered(0, READ, passed=True),
    StepEntered(1, CREATE, passed=False),
    StepEntered(2, QUIZ, passed=False),
    ConfigChanged("/labs/config.json", "{}", "learner"),
    ConfigChanged("/labs/config.json", "{}", "outside"),
    CommandStarted(CALL),
    CommandFinished(CallResult(CALL, 0, 0.021, "", "")),
    CommandFinished(CallResult(CALL, 1, 0.021, "", "")),
    CommandFinished(CallResult(CALL, -9, 0.021, "", "")),
    StateChanged(STATE, ("start", "kill")),
    StateChanged(None, ("create",)),
    StateChanged(replace(STATE, status="paused"), ()),
    Checked(CREATE, (VERDICT, FAILED), passed=False, asked=True),
    Checked(CREATE, (), passed=True, asked=True),
    QuizAnswered(QUIZ, "a", correct=False, feedback="よく見て"),
    QuizAnswered(QUIZ, "b", correct=True, feedback="そのとおり"),
    StepPassed(1, CREATE, "learner"),
    StepPassed(1, CREATE, "solution"),
    HintGiven(Hint("`create` です"), 1, 2),
    HintOffered(2),
    EngineChanged("runc", "1.1.5"),
    LessonFinished(LESSON, 0),
    LessonFinished(LESSON, 2),
    Notice("error", "題", "本文", "次"),
    Notice("warning", "題"),
    Notice("information", "題"),
)


def said(event: Event, language: Language = "ja", width: int = 80) -> str:
    renderer = Renderer(Messages(language), width)
    renderer.lines(LessonOpened(LESSON, resumed=False))
    return "\n".join(plain(each) for each in renderer.lines(event))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_said_within_the_width(event: Event, width: int, language: Language) -> None:
    renderer = Renderer(Messages(language), width)
    renderer.lines(StateChanged(replace(STATE, status="running"), ()))
    lines = renderer.lines(event)
    assert "".join(plain(each) for each in lines).strip()
    assert max(width_of(each) for each in lines) <= max(width, 66)


def test_a_step_says_where_what_and_what_to_do() -> None:
    text = said(StepEntered(1, CREATE, passed=False))
    assert "手順 2/3  create" in text
    assert "作ります。" in text
    assert "▸ create と入力します。" in text
    assert "仕様: bundle.md" in said(StepEntered(0, READ, passed=False))
    assert "済み" in said(StepEntered(0, READ, passed=True))


def test_a_quiz_shows_its_choices_with_what_to_type() -> None:
    text = said(StepEntered(2, QUIZ, passed=False))
    assert "  a) はい\n  b) いいえ" in text
    assert "answer a" in text


@pytest.mark.parametrize(
    ("panel", "command"),
    [
        ("namespaces", "ns"),
        ("mounts", "mounts"),
        ("processes", "ps"),
        ("config", "edit"),
        ("output", "state"),
    ],
)
def test_an_observation_names_the_command_that_shows_it(panel: str, command: str) -> None:
    panels = {"namespaces": Observe("namespaces"), "mounts": Observe("mounts"), "processes": Observe("processes"),
              "config": Observe("config"), "output": Observe("output")}  # fmt: skip
    step = replace(READ, kind="observe", activity=panels[panel])
    assert f"▸ {command} " in said(StepEntered(0, step, passed=False))


def test_the_lifecycle_lights_the_present_state_once() -> None:
    renderer = Renderer(Messages("ja"), 100)
    (shown,) = renderer.lines(StateChanged(STATE, ("start", "kill")))
    assert "○ creating ──▶ ● created ──▶ ○ running ──▶ ○ stopped" in plain(shown)
    assert "start kill" in plain(shown)
    assert renderer.lines(StateChanged(replace(STATE, pid=0), ("start",))) == []
    assert "paused" in said(StateChanged(replace(STATE, status="paused"), ()))


def test_a_failed_check_shows_what_was_expected_and_how_to_see_it() -> None:
    text = said(Checked(CREATE, (FAILED,), passed=False, asked=True))
    assert text.startswith("✗ 状態は created です")
    for part in ("state.status", "created", "stopped", "runt state x"):
        assert part in text
    twice = replace(FAILED, evidence=FAILED.evidence * 2)
    assert said(Checked(CREATE, (twice,), passed=False, asked=True)).count("runt state x") == 1
    passed = said(Checked(CREATE, (VERDICT,), passed=True, asked=True))
    assert passed.startswith("✓")
    assert "期待" not in passed


def test_checks_that_ran_by_themselves_speak_up_only_when_something_is_new() -> None:
    renderer = Renderer(Messages("ja"), 80)
    renderer.lines(StepEntered(1, CREATE, passed=False))
    beginning = Checked(CREATE, (FAILED, FAILED), passed=False, asked=False)
    assert renderer.lines(beginning) == []
    assert renderer.lines(beginning) == []
    (half,) = renderer.lines(Checked(CREATE, (VERDICT, FAILED), passed=False, asked=False))
    assert "1/2" in plain(half)
    (whole,) = renderer.lines(Checked(CREATE, (VERDICT, VERDICT), passed=True, asked=False))
    assert plain(whole).startswith("✓")


def test_a_prediction_is_not_judged() -> None:
    guess = replace(QUIZ, activity=replace(QUESTION, prediction=True))
    text = said(QuizAnswered(guess, "a", correct=False, feedback="次で確かめましょう。"))
    assert "✗" not in text
    assert "次で確かめましょう。" in text
    assert said(QuizAnswered(QUIZ, "a", correct=False, feedback="")).startswith("✗")


def test_a_step_that_passes_by_going_on_says_no_more_than_the_next_one() -> None:
    assert said(StepPassed(0, READ, "learner")) == ""
    look = replace(READ, kind="shell", activity=Shell(("ls",)))
    assert said(StepPassed(0, look, "learner")) == ""
    text = said(StepPassed(1, CREATE, "learner"))
    assert "✓ 手順 2 を終えました。" in text
    assert "まとめです。" in text
    assert "next" in text


def test_lines_for_the_shell_are_shown_as_they_are_typed() -> None:
    """Each on its own line, and no Markdown: a slash between them looks like a part of a path."""
    lines = (r"tr '\0' ' ' </proc/$$/cmdline; echo", "cat /proc/self/cgroup")
    for activity in (Shell(lines), Task((), lines)):
        text = said(StepEntered(0, replace(READ, activity=activity), passed=False))
        assert "".join(f"\n    $ {each}" for each in lines) in text


def test_a_snapshot_is_drawn_only_when_asked_for() -> None:
    assert said(SnapshotTaken(SNAPSHOT)) == ""


def test_output_is_printed_as_it_comes_and_the_next_thing_has_a_line_of_its_own() -> None:
    printer = Printer(Renderer(Messages("ja"), 80), escapes=False, colours=False)
    text = "".join(
        printer.event(event)
        for event in (
            CommandStarted(CALL),
            Output(CALL, "stdout", "al"),
            Output(CALL, "stdout", "pine"),
            Output(CALL, "stderr", "warn"),
            CommandFinished(CallResult(CALL, 0, 0.5, "", "")),
        )
    )
    assert text == "$ runt create alpine-test\nalpinewarn\n終了ステータス 0（0.50 秒）\n"
    assert printer.failed == 0


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("\x1b[2J\x1b[31mred", r"\x1b[2J\x1b[31mred"),
        ("a\rb", r"a\rb"),
        ("bell\x07", r"bell\x07"),
        ("csi \x9b", r"csi \x9b"),
        ("dos\r\nline\ttab", "dos\nline\ttab"),
        ("\u202efdp.exe 名前　空間", r"\u202efdp.exe 名前　空間"),
    ],
)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_container_cannot_take_the_terminal_over(text: str, harmless: str, stream: Stream) -> None:
    printer = Printer(Renderer(Messages("ja"), 80), escapes=False, colours=False)
    assert printer.event(Output(CALL, stream, text)) == harmless


def test_what_fails_is_counted() -> None:
    printer = Printer(Renderer(Messages("ja"), 80), escapes=False, colours=False)
    for event in (
        CommandFinished(CallResult(CALL, 1, 0.1, "", "")),
        Checked(CREATE, (FAILED,), passed=False, asked=True),
        Notice("error", "x"),
    ):
        printer.event(event)
    assert printer.failed == 3
    for event in (
        CommandFinished(CallResult(CALL, 0, 0.1, "", "")),
        Checked(CREATE, (FAILED,), passed=False, asked=False),
        Notice("warning", "x"),
    ):
        printer.event(event)
    assert printer.failed == 3


def shown(snapshot: Snapshot, *later: Snapshot) -> LessonView:
    """Return the view of a step that began with the first snapshot."""
    view = LessonView("runt")
    view.fold(StateChanged(STATE, ()))
    view.fold(StepEntered(1, CREATE, passed=False))
    for each in (snapshot, *later):
        view.fold(SnapshotTaken(each))
    return view


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_changed_since_the_step_began_is_marked(language: Language) -> None:
    m = Messages(language)
    root, proc = CONTAINER.mounts
    child = replace(PROCESS, pid=29018, ppid=29017, depth=1, cmdline=("sleep", "9"), waits_for=None)
    now = replace(
        CONTAINER,
        namespaces=(replace(CONTAINER.namespaces[0], inode=4026532999), *CONTAINER.namespaces[1:]),
        mounts=(replace(root, options=("ro",)), replace(proc, id=3, target="/sys", fstype="sysfs")),
        processes=(PROCESS, child),
    )
    view = shown(SNAPSHOT, replace(SNAPSHOT, container=now))

    def marked(lines: list[Line]) -> list[list[str]]:
        return [plain(each).split()[:2] for each in lines if plain(each)[:2] in ("+ ", "- ", "~ ")]

    assert marked(views.mounts(view, m, 100)) == [["~", "/"], ["+", "/sys"], ["-", "/proc"]]
    assert marked(views.namespaces(view, m, 100)) == [["~", NAMESPACE_KINDS[0]]]
    assert marked(views.processes(view, m, 100)) == [["+", "29018"]]
    for lines in (views.mounts(view, m, 100), views.namespaces(view, m, 100), views.processes(view, m, 100)):
        assert m("repl.view.marks") in [plain(each) for each in lines], "what the marks mean"

    view.fold(StepEntered(2, QUIZ, passed=False))
    for lines in (views.mounts(view, m, 100), views.namespaces(view, m, 100), views.processes(view, m, 100)):
        assert marked(lines) == []
        assert m("repl.view.marks") not in "\n".join(map(plain, lines))


def test_namespaces_show_own_and_shared_by_glyph_word_and_inode() -> None:
    lines = [plain(each) for each in views.namespaces(shown(SNAPSHOT), Messages("ja"), 80)]
    rows = {each.split()[0]: each.split()[1:] for each in lines[2:]}
    assert set(rows) == set(NAMESPACE_KINDS)
    assert rows["mnt"][:3] == ["◆", "専用", "4026532200"]
    assert rows["net"][:3] == ["○", "共有", "4026531802"]
    unknown = replace(CONTAINER, namespaces=(NamespaceView("mnt", None, 5, shared=False, reason="EACCES"),))
    text = views.namespaces(shown(replace(SNAPSHOT, container=unknown)), Messages("ja"), 80)
    assert plain(text[2]).split()[:4] == ["mnt", "?", "不明", "EACCES"]


def test_mounts_are_a_table_and_say_whose_namespace_it_is() -> None:
    lines = [plain(each) for each in views.mounts(shown(SNAPSHOT), Messages("en"), 100)]
    assert any("/proc" in each and "nosuid" in each and "private" in each for each in lines)
    assert any("/dev/sda1[/rootfs]" in each for each in lines)
    assert lines[-1].startswith("◆")
    assert not any(each.startswith(("+", "-", "~")) for each in lines), "nothing has changed"


def test_processes_show_what_they_wait_for() -> None:
    lines = [plain(each) for each in views.processes(shown(SNAPSHOT), Messages("ja"), 100)]
    assert any("29017" in each and "runt init" in each for each in lines)
    assert any('openat("exec.fifo", O_WRONLY)' in each for each in lines)


@pytest.mark.parametrize("view", [views.namespaces, views.mounts, views.processes])
def test_without_a_process_a_view_says_why(view: object) -> None:
    assert callable(view)
    m = Messages("en")
    nothing = plain(view(LessonView("runt"), m, 80)[0])
    dead = replace(CONTAINER, alive=False, processes=())
    ended = plain(view(shown(Snapshot(0.0, HOST, dead)), m, 80)[0])
    assert "no container" in nothing
    assert "ended" in ended


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_of_every_lesson_can_be_shown_at_eighty_columns(language: Language) -> None:
    for lesson in Course.load(language).lessons:
        renderer = Renderer(Messages(language), 80)
        renderer.lines(LessonOpened(lesson, resumed=False))
        for index, step in enumerate(lesson.steps):
            lines = renderer.lines(StepEntered(index, step, passed=False))
            assert max(map(width_of, lines)) <= 80, step.id
            text = "\n".join(map(plain, lines))
            assert "**" not in text
            assert step.title in text
