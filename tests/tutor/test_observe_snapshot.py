"""One snapshot of real processes: namespaces, mounts, the tree, IDs; and what happens if a process ends meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wcwidth

from tests.support.observe import processes, running, until
from tutor.observe import NAMESPACE_KINDS, ContainerView, IdRange, Mount, take_snapshot
from tutor.observe.parts import parse_mounts
from tutor.observe.procfs import start_time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]


def look(pid: int) -> ContainerView:
    container = take_snapshot(pid).container
    assert container is not None
    return container


def start_time(pid: int) -> int:
    return start_time_of(Path(f"/proc/{pid}/stat").read_bytes())


def test_a_plain_process_shares_every_namespace_and_mount() -> None:
    with running("sleep", "500") as sleeper:
        snapshot = take_snapshot(sleeper.pid)
    container = snapshot.container
    assert container is not None
    assert container.alive
    assert [view.kind for view in container.namespaces] == list(NAMESPACE_KINDS)
    assert all(view.shared for view in container.namespaces if view.known)
    pid = container.namespace("pid")
    assert pid is not None
    assert pid.inode == Path("/proc/self/ns/pid").stat().st_ino == pid.for_children
    assert container.mounts == snapshot.host.mounts
    assert container.unreadable == ()
    assert container.cwd == str(Path.cwd())
    assert container.credentials is not None
    assert container.credentials.uid == os.geteuid()
    assert container.cgroups


def test_no_container_and_a_pid_of_no_process() -> None:
    assert take_snapshot(None).container is None
    assert look(2**22 + 1) == ContainerView(2**22 + 1, alive=False)


def test_a_reference_process_that_is_gone_leaves_the_container_visible() -> None:
    with running("sleep", "500") as sleeper:
        snapshot = take_snapshot(sleeper.pid, reference_pid=2**22 + 1)
    assert snapshot.container is not None
    assert snapshot.container.processes
    assert all(
        view.inode and not view.known and view.reason == "ENOENT" for view in snapshot.container.namespaces
    )


def test_a_pid_that_was_used_again_is_not_the_container() -> None:
    with running("sleep", "500") as sleeper:
        started = start_time(sleeper.pid)
        right = take_snapshot(sleeper.pid, start_time=started).container
        wrong = take_snapshot(sleeper.pid, start_time=started - 1).container
    assert right is not None
    assert right.alive
    assert right.start_time == started
    assert wrong == ContainerView(sleeper.pid, alive=False)


def test_a_zombie_is_dead_but_shown() -> None:
    with running("sleep", "500") as sleeper:
        sleeper.send_signal(signal.SIGKILL)
        until(lambda: not look(sleeper.pid).alive)
        view = look(sleeper.pid)
        assert [(process.state, process.cmdline) for process in view.processes] == [("Z", ())]
        assert view.namespaces == ()
        sleeper.wait()
        assert look(sleeper.pid).processes == ()


def test_a_zombie_child_stands_in_the_tree() -> None:
    code = "import os,time; os.fork() or os._exit(0); time.sleep(500)"
    with running(sys.executable, "-I", "-S", "-c", code) as parent:
        until(lambda: [process.state for process in processes(parent.pid)][1:] == ["Z"])
        child = processes(parent.pid)[1]
    assert (child.depth, child.ppid) == (1, parent.pid)
    assert child.waits_for is None


def test_processes_that_come_and_go_never_break_a_look() -> None:
    code = "import os\nwhile True:\n  os.fork() or os._exit(0)\n  os.waitid(os.P_ALL, 0, os.WEXITED)"
    with running(sys.executable, "-I", "-S", "-c", code) as busy:
        until(lambda: len(processes(busy.pid)) > 1)
        for _ in range(300):
            view = look(busy.pid)
            assert view.alive
            assert view.processes[0].pid == busy.pid
        busy.kill()
        for _ in range(50):
            look(busy.pid)


def test_a_long_command_line_cannot_speak_to_the_terminal() -> None:
    # The script's name is an argument that the shell ignores: it has control characters and a broken encoding.
    with running("sh", "-c", "sleep 500; :", b"\x1b[2J\n\xff".decode("utf-8", "surrogateescape")) as shell:
        until(lambda: [each.comm for each in processes(shell.pid)] == ["sh", "sleep"])
        init, child = processes(shell.pid)
        os.kill(child.pid, signal.SIGKILL)
    assert child.depth == 1
    assert init.cmdline == ("sh", "-c", "sleep 500; :", "\x1b[2J\n\\xff"), "as it is, for checks to compare"
    assert init.words == (
        "sh",
        "-c",
        "sleep 500; :",
        "\\x1b[2J…",
    )  # its first line: a program may have hundreds


def test_a_backslash_and_an_n_are_no_newline() -> None:
    script = r"printf 'a\nb'; sleep 500; :"
    with running("sh", "-c", script, "a\\n", "two\nlines", "\x1b\\x1b") as shell:
        until(lambda: [each.comm for each in processes(shell.pid)] == ["sh", "sleep"])
        init, child = processes(shell.pid)
        os.kill(child.pid, signal.SIGKILL)
    assert init.words == ("sh", "-c", script, r"a\n", "two…", r"\x1b\x1b")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (rb"\x1b[2J\ne\xff", r"\x1b[2J\ne\xff"),
        (
            rb"x\xe2\x80\xaefdp\xe2\x80\x8b",
            r"x\u202efdp\u200b",
        ),  # an override of the direction, and a space without width
        (rb"a\\nb\\\\c\td", r"a\nb\\c\td"),  # the kernel writes these backslashes twice in /proc/PID/status
    ],
)
def test_a_short_name_cannot_speak_to_the_terminal_either(name: bytes, shown: str) -> None:
    code = f"import time; open('/proc/self/comm', 'wb').write(b'{name.decode()}'); time.sleep(500)"
    with running(sys.executable, "-I", "-S", "-c", code) as named:
        until(lambda: "python" not in processes(named.pid)[0].comm)
        assert processes(named.pid)[0].comm == shown


def test_threads_and_the_children_of_threads_are_seen() -> None:
    code = (
        "import subprocess,threading\n"
        "threading.Thread(target=lambda: subprocess.run(['sleep', '500'])).start()\n"
    )
    with running(sys.executable, "-I", "-c", code) as parent:
        until(lambda: len(processes(parent.pid)) == 2 and processes(parent.pid)[1].comm == "sleep")
        init, child = processes(parent.pid)
        os.kill(child.pid, signal.SIGKILL)
    assert init.threads == 2
    assert child.depth == 1


@pytest.mark.root
def test_own_namespaces_are_told_from_shared_ones() -> None:
    with running(
        "unshare", "--mount", "--uts", "--ipc", "--propagation", "private", "sleep", "500"
    ) as sleeper:
        until(lambda: look(sleeper.pid).processes[0].comm == "sleep")
        view = look(sleeper.pid)
    own = {each.kind for each in view.namespaces if each.known and not each.shared}
    assert own == {"mnt", "uts", "ipc"}
    assert all(mount.propagation == ("private",) for mount in view.mounts)


@pytest.mark.root
def test_reference_is_what_shared_is_measured_against() -> None:
    with running("unshare", "--uts", "sh", "-c", "sleep 500; :") as keeper:
        until(lambda: [process.comm for process in processes(keeper.pid)] == ["sh", "sleep"])
        container = processes(keeper.pid)[1].pid
        uts_here = take_snapshot(container).container
        uts_there = take_snapshot(container, reference_pid=keeper.pid).container
        os.kill(container, signal.SIGKILL)
    assert uts_here is not None
    assert uts_there is not None
    assert [view.shared for view in uts_here.namespaces if view.kind == "uts"] == [False]
    assert [view.shared for view in uts_there.namespaces if view.kind == "uts"] == [True]


@pytest.mark.root
def test_a_process_that_entered_a_pid_namespace_is_found() -> None:
    # As `exec` does: its parent is outside; it belongs to the container by its pid namespace only.
    with running("unshare", "--pid", "--fork", "--kill-child", "sleep", "500") as unshare:
        until(lambda: len(processes(unshare.pid)) == 2 and processes(unshare.pid)[1].comm == "sleep")
        init = processes(unshare.pid)[1].pid
        assert [each.ns_pid for each in look(init).processes] == [1]
        with running("nsenter", "--target", str(init), "--pid", "sh", "-c", "sleep 501; :") as entering:
            until(lambda: [each.comm for each in look(init).processes] == ["sleep", "sh", "sleep"])
            found = look(init).processes
        assert [(each.ns_pid, each.depth) for each in found] == [(1, 0), (2, 0), (3, 1)]
        assert found[1].ppid == entering.pid
        os.kill(init, signal.SIGKILL)
        until(lambda: not look(init).alive)


@pytest.fixture
def own_cgroup() -> Iterator[Path]:
    """A cgroup of the test's own: of the pids controller in version 1, of the one hierarchy in version 2."""
    hierarchy = next(
        (
            mount.target
            for mount in take_snapshot(None).host.mounts
            if mount.fstype == "cgroup2" or (mount.fstype == "cgroup" and "pids" in mount.super_options)
        ),
        None,
    )
    if hierarchy is None:
        pytest.skip("no cgroup hierarchy is mounted")
    cgroup = Path(hierarchy) / f"oci-tutor-test-observe-{os.getpid()}"
    cgroup.mkdir()
    yield cgroup

    def removed() -> bool:
        with contextlib.suppress(OSError):
            cgroup.rmdir()
        return not cgroup.exists()

    until(removed)


@pytest.mark.root
def test_a_process_that_entered_is_found_by_the_cgroup_alone(own_cgroup: Path) -> None:
    join = ("sh", "-c", f"echo 0 > {own_cgroup}/cgroup.procs && exec sleep 500")
    with running(*join) as init, running(*join) as entered:
        until(lambda: all(look(each.pid).processes[0].comm == "sleep" for each in (init, entered)))
        assert {each.pid: each.depth for each in processes(init.pid)} == {init.pid: 0, entered.pid: 0}
        # What the files of the cgroup say is part of the snapshot, so that a limit is seen as it is written.
        limit = own_cgroup / "pids.max"
        if limit.exists():  # in version 2, only where the controller is on
            limit.write_text("17")
        said = {file.name: file.value for file in look(init.pid).cgroup_files if not file.key}
        shown = ("pids.max", "17") if limit.exists() else ("cgroup.freeze", "0")
        assert shown in said.items()
        assert {file.directory for file in look(init.pid).cgroup_files} == {str(own_cgroup)}
        # The observer does not belong to the container, even if it is in its cgroup; then the cgroup does not count.
        program = (
            "import sys\nfrom tutor.observe import take_snapshot\n"
            "view = take_snapshot(int(sys.argv[1]), reference_pid=int(sys.argv[2])).container\n"
            "print(*[each.pid for each in view.processes])"
        )
        look_from_within = f'echo 0 > {own_cgroup}/cgroup.procs && exec "$@"'
        answer = subprocess.run(
            ["sh", "-c", look_from_within, "sh", sys.executable, "-c", program, str(init.pid), str(os.getpid())],
            cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    assert answer.stdout.split() == [str(init.pid)]


@pytest.mark.root
def test_id_maps_and_capabilities() -> None:
    with running("unshare", "--user", "--map-root-user", "sleep", "500") as sleeper:
        until(lambda: look(sleeper.pid).processes[0].comm == "sleep")
        view = look(sleeper.pid)
    assert view.uid_map == (IdRange(0, os.geteuid(), 1),)
    assert view.gid_map == (IdRange(0, os.getegid(), 1),)
    limited = ("setpriv", "--bounding-set", "-all,+chown,+kill", "--inh-caps", "-all", "--no-new-privs")
    with running(*limited, "sleep", "500") as sleeper:
        until(lambda: look(sleeper.pid).processes[0].comm == "sleep")
        view = look(sleeper.pid)
    assert view.capabilities.bounding.names == ("CAP_CHOWN", "CAP_KILL")
    assert view.capabilities.bounding.raw == 1 << 0 | 1 << 5
    assert view.capabilities.effective.names == ("CAP_CHOWN", "CAP_KILL")
    assert view.capabilities.ambient.names == ()
    assert view.no_new_privs


@pytest.mark.root
def test_mounts_with_names_that_mountinfo_escapes(tmp_path: Path) -> None:
    target = tmp_path / "a b\\c\td#e\rf\u2028g"
    target.mkdir()
    script = 'mount -t tmpfs "my tmpfs" "$1" && mount --make-shared "$1" && sleep 500; :'
    with running(
        "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(target)
    ) as shell:
        until(lambda: [each.comm for each in processes(shell.pid)] == ["sh", "sleep"])
        mount = look(shell.pid).mounts[-1]
        os.kill(processes(shell.pid)[1].pid, signal.SIGKILL)
    assert mount.target == str(tmp_path / "a b\\c\\td#e\\rf\\u2028g")
    assert (mount.fstype, mount.source, mount.root) == ("tmpfs", "my tmpfs", "/")
    assert mount.propagation[0].startswith("shared:")
    assert "relatime" in mount.options


def test_lines_of_mountinfo_with_many_and_without_optional_fields() -> None:
    raw = (
        b"36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 propagate_from:3 - ext3 /dev/root rw,errors=continue\n"
        b"37 36 0:40 / /mnt2/\\343\\201\\202 ro unbindable - tmpfs none rw\n"
        b"38 36 0:41 / /x ro - tmpfs none rw\n"
        b"garbage\n"
    )
    first, second, third = parse_mounts(raw)
    assert first == Mount(
        36, 35, "98:0", "/mnt1", "/mnt2", ("rw", "noatime"), ("shared:1", "master:2", "propagate_from:3"),
        "ext3", "/dev/root", ("rw", "errors=continue"),
    )  # fmt: skip
    assert second.target.encode() == b"/mnt2/\xe3\x81\x82"
    assert second.propagation == ("unbindable",)
    assert third.propagation == ("private",)


@pytest.mark.root
def test_a_reader_without_permission_is_told_so_and_never_guesses() -> None:
    program = (
        "import sys\n"
        "from tutor.observe import take_snapshot\n"
        "view = take_snapshot(int(sys.argv[1])).container\n"
        "mnt = view.namespace('mnt')\n"
        "print(view.alive, mnt.inode, mnt.shared, mnt.known, mnt.reason, view.processes[0].comm)\n"
        "print(view.processes[0].waits_for, sorted(each.what for each in view.unreadable))\n"
    )
    with running("sleep", "500") as sleeper:
        until(lambda: look(sleeper.pid).processes[0].comm == "sleep")
        answer = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-S", "-c",
                program, str(sleeper.pid)],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONPATH": str(Path(wcwidth.__file__).parents[1])},
        )  # fmt: skip
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [
        "True None False False EACCES sleep",
        "None ['cwd', 'root', 'syscall']",
    ]
