"""What every face shows, folded from events alone: the same events give the same view, in the TUI and in the REPL."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.session import LESSON, Diary, every_engine, session
from tests.support.tui import INIT, MOUNTS, mount, snapshot
from tutor.course.course import Course
from tutor.engines.model import ContainerState
from tutor.messages import LANGUAGES, Language, Messages
from tutor.observe import NAMESPACE_KINDS, NamespaceView, diff
from tutor.repl import views
from tutor.repl.layout import plain
from tutor.session.events import (
    Checked,
    ConfigChanged,
    EngineChanged,
    LessonFinished,
    LessonOpened,
    Notice,
    NoticeEnded,
    QuizAnswered,
    SnapshotTaken,
    StateChanged,
    StepEntered,
    StepPassed,
)
from tutor.tui.widgets.mounts import MountsPanel
from tutor.tui.widgets.namespaces import NamespacesPanel
from tutor.view.lesson_view import LessonView
from tutor.view.lifecycle import stages
from tutor.view.mounts import counts, mount_rows
from tutor.view.namespaces import namespace_rows
from tutor.view.processes import process_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.engines.model import EngineName
    from tutor.session.events import Event
    from tutor.session.session import Session


def facts(view: LessonView) -> dict[str, Any]:
    """Return what a view shows at this moment: the fold changes runs in place."""
    shown = {each.name: getattr(view, each.name) for each in fields(view)}
    return shown | {"runs": [replace(run, chunks=list(run.chunks)) for run in view.runs]}


class Learner:
    """Folds the events of a session as they come, as a face does, and records where the fold and the session disagree."""

    def __init__(self, diary: Diary, engine: EngineName) -> None:
        self._diary = diary
        self.view = LessonView(engine)
        self.seen: list[dict[str, Any]] = []
        self.disagreements: list[str] = []
        self.session: Session | None = None

    def publish(self, event: Event) -> None:
        self._diary.publish(event)
        self.view.fold(event)
        self.seen.append(facts(self.view))
        if self.session is not None:
            for name in _told_by(event):
                said, shown = getattr(self.session, name), getattr(self.view, name)
                if said != shown:
                    self.disagreements.append(f"{event}: {name} is {said}, shown as {shown}")


def _told_by(event: Event) -> tuple[str, ...]:
    """Return the part of a session's state that an event settles; events of other threads may still be on their way."""
    match event:
        case LessonOpened():
            return ("passed", "lesson")
        case StepEntered() | StepPassed():
            return ("passed", "index", "step")
        case EngineChanged():
            return ("engine",)
        case StateChanged():
            return ("state", "can")
        case ConfigChanged():
            return ("config_text",)
        case SnapshotTaken():
            return ("snapshot",)
        case Checked(asked=True):
            return ("verdicts",)
        case _:
            return ()


@pytest.mark.root
@every_engine
def test_the_record_of_a_whole_lesson_gives_the_same_view_at_every_event(
    tmp_path: Path, engine: EngineName
) -> None:
    diary = Diary()
    learner = Learner(diary, engine)
    resets: list[int] = []
    with session(tmp_path, diary, engine, publish=learner.publish) as played:
        learner.session = played
        played.open(LESSON)
        for _ in range(200):
            if diary.of(LessonFinished):
                break
            assert played.step is not None
            if played.step.id not in played.passed:
                played.execute("solve")
            played.execute("check")
            if played.step.id == "create" and not resets:
                resets.append(len(diary.events))
                played.execute("reset")
            played.execute("next")
        learner.session = None
    assert diary.of(LessonFinished)
    assert learner.disagreements == []

    again = LessonView(engine)
    for event, shown in zip(diary.events, learner.seen, strict=True):
        again.fold(event)
        assert facts(again) == shown, event
    assert again.passed == {step.id for step in Course.load("en").lesson(LESSON).steps}
    assert any(seen["changes"] for seen in learner.seen), "the kernel showed something new in some step"


@pytest.mark.root
def test_what_was_passed_before_and_what_a_reset_takes_back_is_in_the_events(tmp_path: Path) -> None:
    diary = Diary()
    with session(tmp_path, diary, "runt") as learner:
        learner.open(LESSON)
        for _ in range(3):
            learner.execute("next")
        passed = learner.passed
    assert len(passed) == 2
    diary.clear()
    with session(tmp_path, diary, "runt") as learner:
        learner.open(LESSON)
        view = folded(diary.events)
        assert view.passed == learner.passed == passed
        learner.execute("back")
        learner.execute("reset")
        view = folded(diary.events)
        assert view.passed == learner.passed < passed
        assert not view.step_passed


def folded(events: list[Event]) -> LessonView:
    view = LessonView("runt")
    for event in events:
        view.fold(event)
    return view


def test_what_is_said_when_a_lesson_opens_stays_until_the_next_step() -> None:
    lesson = Course.load("en").lesson(LESSON)
    view, said = LessonView("runt"), Notice("warning", "cannot be done by hand")
    view.fold(LessonOpened(lesson, resumed=False, passed=frozenset()))
    view.fold(said)
    view.fold(StepEntered(0, lesson.steps[0], passed=False))
    notices = [view.notice]
    view.fold(StepEntered(1, lesson.steps[1], passed=False))
    notices.append(view.notice)
    view.fold(said)
    view.fold(EngineChanged("runc", "1.3.5"))
    notices.append(view.notice)  # it was about the engine before
    view.fold(said)
    view.fold(StepEntered(1, lesson.steps[1], passed=False))
    notices.append(view.notice)
    assert notices == [said, None, None, said]


def test_a_message_goes_when_what_it_says_ends() -> None:
    step = next(each for each in Course.load("en").lesson(LESSON).steps if each.checks)
    passed, looked = StepPassed(0, step, "learner"), Checked(step, (), passed=False, asked=True)
    right = QuizAnswered(step, "a", correct=True, feedback="")
    created, saved = StateChanged(None, ()), ConfigChanged("config.json", "{}", "learner")
    ended: dict[str, tuple[Event, ...]] = {
        "session.notice.not_yet": (passed, looked),
        "session.notice.answer_first": (passed, right),
        "session.notice.unfit": (passed, created),
        "session.notice.dead_end": (passed, NoticeEnded("session.notice.dead_end")),
        "session.notice.steps_left": (passed,),
        "session.error.unknown_command": (passed, looked, right),
        "session.error.no_space": (saved,),
        "session.config.missing": (saved,),
        "session.error.lab_ended": (NoticeEnded("session.error.lab_ended"),),
        "session.notice.kept": (),
    }
    events: tuple[Event, ...] = (
        passed,
        looked,
        right,
        created,
        saved,
        *(NoticeEnded(key) for key in ended if "_end" in key),
    )
    for key, by in ended.items():
        assert Messages("en").has(f"{key}.title"), key
        for event in events:
            view, said = LessonView("runt"), Notice("warning", "x", key=key)
            view.fold(said)
            assert view.notice == said
            parts = view.fold(event)
            assert (view.notice is None) == (event in by), (key, event)
            assert ("notice" in parts) == (event in by)
    view = LessonView("runt", notice=Notice("error", "x", key="session.config.missing"))
    view.fold(ConfigChanged("config.json", "", "outside"))
    assert view.notice is not None, "it still can't be read"


def test_what_is_shown_is_not_older_than_what_is_said() -> None:
    """The state and the snapshot come from two threads."""
    step = Course.load("en").lesson(LESSON).steps[0]
    view, shot = LessonView("runt"), snapshot()
    assert shot.container is not None
    created = ContainerState("alpine-test", "created", shot.container.pid, "/bundle")
    view.fold(StepEntered(0, step, passed=False))
    gone = SnapshotTaken(replace(shot, container=replace(shot.container, alive=False)))
    said = []
    for event in (
        StateChanged(created, ("start",)),
        SnapshotTaken(shot),
        StateChanged(replace(created, pid=created.pid + 1), ("start",)),
        StateChanged(replace(created, status="stopped", pid=0), ("delete",)),
        StateChanged(created, ("start",)),
        gone,
        StateChanged(None, ()),
    ):
        view.fold(event)
        said.append("shown" if view.container and view.container.alive else view.absence)
        if said == ["unseen", "shown"]:
            assert view.changes == diff(replace(shot, container=None), shot), "it came in this step"
    assert said == ["unseen", "shown", "unseen", "ended", "shown", "ended", "no_container"]
    for language in LANGUAGES:
        m = Messages(language)
        absences = set(said) - {"shown"}
        assert all(m.has(f"{face}.{each}") for face in ("tui.panel", "repl.view") for each in absences)


def test_the_present_state_is_lit_and_paused_stands_only_while_paused() -> None:
    assert "".join(f"{each.arrow}{each.glyph} {each.state}" for each in stages("created")) == (
        "○ creating ──▶ ● created ──▶ ○ running ──▶ ○ stopped"
    )
    assert [each.state for each in stages(None) if each.present] == []
    assert "".join(f"{each.arrow}{each.glyph} {each.state}" for each in stages("paused")).endswith(
        "○ running ⇄ ● paused ──▶ ○ stopped"
    )


def test_mounts_stand_below_what_they_are_mounted_on_with_what_became_of_them() -> None:
    root, proc, dev, pts = MOUNTS
    moved = replace(proc, options=("ro",))
    new = mount(709, 702, "/dev/shm", "tmpfs", "shm")
    before, now = snapshot(mounts=(root, proc, dev, pts)), snapshot(mounts=(root, moved, dev, new))
    assert now.container is not None
    rows = mount_rows(now.container.mounts, diff(before, now))
    assert [(row.mark, row.target) for row in rows] == [
        (" ", "/"),
        ("~", "  /proc"),
        (" ", "  /dev"),
        ("+", "    /dev/shm"),
        ("-", "    /dev/pts"),
    ]
    assert counts(rows) == "+1 -1 ~1"
    assert {row.mark for row in mount_rows(now.container.mounts)} == {" "}, "nothing to compare with"
    late = (root, pts, proc, dev)  # as `mountinfo` lists them after a mount was moved
    assert [row.target.strip() for row in mount_rows(late)] == ["/", "/proc", "/dev", "/dev/pts"]


def test_a_process_is_marked_by_what_it_runs_and_named_in_two_lengths() -> None:
    same, other = replace(INIT, state="R"), replace(INIT, cmdline=("/bin/sleep", "9"))
    zombie = replace(INIT, pid=29018, comm="sh", cmdline=(), state="Z", depth=1)
    before = snapshot()
    assert before.container is not None
    now = replace(before, container=replace(before.container, processes=(other, zombie)))
    assert now.container is not None
    rows = process_rows(now.container, diff(before, now))
    assert [(row.mark, row.indent, row.command, row.short_command) for row in rows] == [
        ("~", "", "/bin/sleep 9", "sleep 9"),
        ("+", "  ", "[sh]", "[sh]"),
    ]
    assert rows[1].state(Messages("en")).startswith("Z ")
    quoted = replace(INIT, cmdline=("/bin/sh", "-c", "sleep 9"))
    assert process_rows(replace(now.container, processes=(quoted,)))[0].command == "/bin/sh -c 'sleep 9'"
    woken = replace(before, container=replace(before.container, processes=(same,)))
    assert woken.container is not None
    assert [row.mark for row in process_rows(woken.container, diff(before, woken))] == [" "]


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_faces_say_the_same_of_a_namespace_and_show_the_same_tree(language: Language) -> None:
    m = Messages(language)
    shot = snapshot(mounts=(MOUNTS[0], MOUNTS[3], MOUNTS[2]))
    assert shot.container is not None
    unreadable = NamespaceView("time", None, None, shared=False, reason="EACCES")
    seen = (*shot.container.namespaces[:-1], unreadable)
    shot = replace(shot, container=replace(shot.container, namespaces=seen))
    assert shot.container is not None
    state = ContainerState("alpine-test", "created", shot.container.pid, "/bundle")
    view = LessonView("runt", snapshot=shot, state=state)
    panel = [line.plain.split() for line in NamespacesPanel(view, m).build(100)]
    table = [plain(line).split() for line in views.namespaces(view, m, 100)]
    for row in namespace_rows(shot.container):
        said = [row.namespace.kind, row.glyph, m(f"view.namespace.{row.owner}"), row.inode]
        assert said in [line[:4] for line in panel]
        assert said in [line[:4] for line in table]
    assert {row.owner for row in namespace_rows(shot.container)} == {"own", "shared", "unknown"}

    indented = [row.target for row in mount_rows(shot.container.mounts)]
    assert indented == ["/", "  /dev", "    /dev/pts"]
    drawn = [line.plain for line in MountsPanel(view, m).build(100)]
    listed = [plain(line) for line in views.mounts(view, m, 100)][2:]
    for target, panel_line, table_line in zip(indented, drawn, listed, strict=False):
        assert panel_line.startswith(f"  {target} ")
        assert table_line.startswith(f"  {target} ")


def test_a_namespace_that_is_another_than_before_is_marked() -> None:
    before, now = snapshot(), snapshot(own=False)
    assert now.container is not None
    marks = {row.namespace.kind: row.mark for row in namespace_rows(now.container, diff(before, now))}
    assert {kind for kind in NAMESPACE_KINDS if marks[kind] == "~"} == {"mnt", "pid"}
    fresh = namespace_rows(now.container, diff(snapshot(container=False), now))
    assert {row.mark for row in fresh} == {" "}, "of a container that came, none is another"
