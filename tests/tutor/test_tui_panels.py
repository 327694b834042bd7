"""The text of the panels and of the lines around them, drawn without an app: a widget draws a view and keeps no copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.app import App

from tests.support.tui import BUNDLE, INIT, mount, snapshot
from tutor.course.course import Course
from tutor.engines.model import Call, CallResult, ContainerState
from tutor.home import shown
from tutor.messages import Messages
from tutor.observe import CgroupFile, HostView, diff
from tutor.repl import views
from tutor.repl.layout import plain
from tutor.session.events import QuizAnswered, SnapshotTaken, StateChanged, StepEntered
from tutor.tui.widgets.cgroup import CgroupPanel
from tutor.tui.widgets.mounts import MountsPanel
from tutor.tui.widgets.output import OutputPane
from tutor.tui.widgets.processes import ProcessesPanel
from tutor.tui.widgets.top_line import TopLine
from tutor.view.host import cgroup_version
from tutor.view.lesson_view import LessonView, Run
from tutor.view.processes import short_command

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tutor.observe import Process, Snapshot

CREATED = ContainerState("alpine-test", "created", INIT.pid, BUNDLE)
SPLIT = 35  # cells of a panel where the terminal has 120


def with_process(process: Process) -> Snapshot:
    shot = snapshot()
    assert shot.container is not None
    return replace(shot, container=replace(shot.container, processes=(process,)))


def processes(before: Snapshot, now: Snapshot, width: int = SPLIT) -> list[str]:
    view = LessonView("runt", snapshot=now, changes=diff(before, now), state=CREATED)
    return [line.plain for line in ProcessesPanel(view, Messages.load("en")).build(width)]


def test_a_command_is_said_without_the_folders_of_its_programs() -> None:
    assert short_command(("/usr/bin/python3.11", "/opt/venv/bin/runt", "create", "x")) == (
        "python3.11 runt create x"
    )
    assert short_command(("/usr/sbin/runc", "init")) == "runc init"
    fast = ("/usr/bin/python3.11", "-I", "-S", "-c", "import gc, sys…", "create", "x")
    assert short_command(fast) == "python3.11 … create x"
    assert short_command(("/bin/cat", "/etc/passwd")) == "cat /etc/passwd"
    assert short_command(()) == ""


def test_the_essential_line_of_a_process_is_in_sight_at_120_columns() -> None:
    init = replace(
        INIT, cmdline=("/opt/oci-tutor/.venv/bin/python", "/opt/oci-tutor/.venv/bin/runt", "create", "x")
    )
    lines = processes(with_process(init), with_process(init))
    assert any("openat(" in line for line in lines[:6]), lines


def test_a_process_that_turned_into_another_program_is_marked() -> None:
    sleeping = replace(INIT, cmdline=("/bin/sleep", "1000"))
    assert processes(with_process(INIT), with_process(INIT))[0].startswith(" 29017")
    assert processes(with_process(INIT), with_process(sleeping))[0].startswith("~29017")
    assert processes(snapshot(container=False), with_process(INIT))[0].startswith("+29017")


def test_a_container_that_was_brought_back_is_not_news_of_the_step() -> None:
    """On a resume or a reset the step is entered before the first snapshot of the container."""
    lesson = Course.load("en").lesson("first-container")
    step = next(each for each in lesson.steps if each.id == "namespaces")
    none, now = snapshot(container=False), with_process(INIT)
    view = LessonView("runt")
    view.fold(SnapshotTaken(none))
    view.fold(StateChanged(ContainerState("x", "created", INIT.pid, BUNDLE), ("start",)))
    view.fold(StepEntered(0, step, False))
    view.fold(SnapshotTaken(now))
    panel = ProcessesPanel(view, Messages.load("en"))
    assert panel.build(SPLIT)[0].plain.startswith(" 29017")
    sleeping = with_process(replace(INIT, cmdline=("sleep", "9")))
    view.fold(SnapshotTaken(sleeping))
    assert panel.build(SPLIT)[0].plain.startswith("~29017")


def test_processes_are_not_shown_while_a_prediction_asks_what_they_answer() -> None:
    lesson, messages = Course.load("en").lesson("cgroups"), Messages.load("en")
    step = next(each for each in lesson.steps if each.id == "predict-oom")
    view = LessonView("runt", state=CREATED)
    view.fold(SnapshotTaken(with_process(INIT)))
    panel = ProcessesPanel(view, messages)

    def shown_pid() -> list[bool]:
        listed = "\n".join(plain(each) for each in views.processes(view, messages, 80))
        drawn = "\n".join(each.plain for each in panel.build(SPLIT))
        return [str(INIT.pid) in text for text in (drawn, listed)]

    assert shown_pid() == [True, True]
    view.fold(StepEntered(0, step, False))
    assert shown_pid() == [False, False]
    assert "panels" in view.fold(QuizAnswered(step, "a", correct=False, feedback=""))
    assert shown_pid() == [True, True]


def test_the_panel_of_the_cgroup_says_limits_as_the_kernel_and_as_a_reader_does() -> None:
    place = "/sys/fs/cgroup/user.slice/oci-tutor-79cde490eff2/keeper/alpine-test"
    values = {"memory.max": "33554432", "memory.swap.max": "max", "pids.current": "3"}
    killed = CgroupFile(2, place, "memory.events", "oom_kill", "0")

    def shot(killed: CgroupFile) -> Snapshot:
        files = (*(CgroupFile(2, place, name, "", value) for name, value in values.items()), killed)
        before = snapshot()
        assert before.container is not None
        return replace(before, container=replace(before.container, cgroup_files=files))

    before, now = shot(killed), shot(replace(killed, value="1"))
    view = LessonView("runt", snapshot=now, changes=diff(before, now), state=CREATED)
    drawn = [line.plain.rstrip() for line in CgroupPanel(view, Messages.load("en")).build(60)]
    assert drawn == [
        " …/keeper/alpine-test",
        "  memory.max             33554432  32 MiB",
        "  memory.swap.max             max  no limit",
        "  pids.current                  3",
        "~ memory.events oom_kill        1",
    ]
    listed = [" ".join(plain(each).split()) for each in views.cgroup(view, Messages.load("en"), 100)]
    assert [" ".join(line.split()) for line in drawn[1:]] == listed[1:5]
    view.snapshot = snapshot()
    assert "no cgroup of its own" in CgroupPanel(view, Messages.load("en")).build(60)[0].plain


def test_where_the_panel_of_mounts_is_narrow_the_source_gives_way() -> None:
    shot = snapshot(mounts=(mount(1, 0, "/", "ext4", "/dev/vda", "ro"),))
    view = LessonView("runt", snapshot=shot, state=CREATED)
    panel = MountsPanel(view, Messages.load("en"))
    assert [line.plain.split() for line in panel.build(SPLIT)] == [["/", "ext4", "private", "ro"]]
    assert [line.plain.split() for line in panel.build(70)] == [["/", "ext4", "/dev/vda", "private", "ro"]]


def test_the_version_of_cgroups_is_known_before_there_is_a_container() -> None:
    v1 = mount(1, 0, "/sys/fs/cgroup/pids", "cgroup", "cgroup")
    v2 = mount(2, 0, "/sys/fs/cgroup/unified", "cgroup2", "cgroup2")
    assert cgroup_version(HostView(1, (), (v2,))) == "v2"
    assert cgroup_version(HostView(1, (), (v1, v2))) == "v1", "hybrid: the controllers are in version 1"
    assert cgroup_version(HostView(1, (), ())) == ""


def test_paths_below_the_home_are_shown_with_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/root")
    assert shown(Path("/root/labs/x")) == "~/labs/x"
    assert shown("/root") == "~"
    assert shown("/rootfs/x") == "/rootfs/x"
    call = Call(1, ("runt", "list"), "runt list", BUNDLE)
    view = LessonView("runt", runs=(Run(call, [], CallResult(call, 0, 0.1, "", "")),))
    assert OutputPane(view, Messages.load("en")).build(80)[0].plain == " ~/labs/first-container/alpine-bundle"
    monkeypatch.setenv("HOME", "/")
    assert shown("/root") == "/root"


def test_an_error_in_the_form_of_a_log_is_said_by_its_message() -> None:
    line = 'time="2026-11-23T19:56:37Z" level=error msg="cannot start \\"x\\" of C:\\\\n: it has stopped"\n'
    run = Run(Call(1, ("runt", "start"), "runt start", BUNDLE), [("stderr", line)])
    assert run.gist == 'cannot start "x" of C:\\n: it has stopped'


@pytest.mark.parametrize(("privileged", "word"), [(True, "root"), (False, "rootless (ordinary user)")])
async def test_the_top_line_says_what_it_was_told_about_the_machine(privileged: bool, word: str) -> None:
    line = TopLine(LessonView("runt"), Messages.load("en"), privileged=privileged)

    class Alone(App[None]):
        def compose(self) -> ComposeResult:
            yield line

    async with Alone().run_test(size=(80, 3)):
        assert str(line.render()).split(" · ")[-1].strip() == word
