"""`process.terminal`: `run` between the caller's terminal and the container's, and `create` with a console socket."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shlex
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.consoles import TERMINAL_MOUNTS, Terminal, at_a_terminal, console_socket, receive
from tests.support.runt import PROC, REPOSITORY, Bundle, Runt, wait_for
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.root

ID = f"terminal-{os.getpid()}"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    bundle = Bundle(tmp_path / "bundle").namespaces("pid")
    bundle.process["terminal"] = True
    bundle.process["env"] += ["TERM=xterm"]
    bundle.config["mounts"] += TERMINAL_MOUNTS
    return bundle


@contextlib.contextmanager
def running(runt: Runt, bundle: Bundle, *options: str) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    """Run the container in the foreground of a terminal."""
    bundle.save()
    with at_a_terminal(runt.command("run", "-b", str(bundle.path), *options, ID)) as both:
        yield both


def test_what_is_typed_and_printed_passes_both_ways(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("echo ready; read line; echo got $line; exit 3")
    with running(runt, bundle) as (terminal, process):
        before = terminal.settings()
        terminal.wait_for("ready")
        # Raw: the echo comes from the container's terminal, and only once.
        wait_for(lambda: terminal.settings() != before)
        terminal.type("日本語\n")
        terminal.wait_for("got 日本語")
        assert process.wait(10) == 3
        assert terminal.settings() == before
        assert terminal.seen.decode().count("日本語") == 2
    assert runt.ok("list", "-q") == ""


def test_what_was_typed_too_early_is_not_lost(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("read line; echo got $line")
    with running(runt, bundle) as (terminal, process):
        terminal.type("early\n")
        terminal.wait_for("got early")
        assert process.wait(10) == 0


def test_the_size_of_the_terminal_is_passed_on_and_changes_are_too(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("trap 'stty size' WINCH; sleep 0.2; stty size; echo ready; while :; do sleep 0.05; done")
    with running(runt, bundle) as (terminal, process):
        terminal.wait_for("ready")
        assert b"30 100" in terminal.seen
        terminal.resize(40, 120)
        process.send_signal(signal.SIGWINCH)
        terminal.wait_for("40 120")


def test_control_c_is_for_the_container(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done")
    with running(runt, bundle) as (terminal, process):
        terminal.wait_for("ready")
        terminal.type("\x03")
        terminal.wait_for("interrupted")
        assert process.wait(10) == 5


def test_nothing_of_a_long_output_is_lost(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done")
    with running(runt, bundle) as (terminal, process):
        terminal.wait_for("line 4999\r\n")
        assert process.wait(10) == 0
        assert terminal.seen.count(b"\n") == 5000


def test_run_ends_with_the_program_whatever_others_write_to_its_terminal(runt: Runt, bundle: Bundle) -> None:
    bundle.linux["namespaces"] = [{"type": "mount"}]
    bundle.sh("trap '' HUP; (while :; do echo noise; done) & echo program; exit 4")
    with running(runt, bundle) as (terminal, process):
        terminal.wait_for("program")
        while process.poll() is None:
            if select.select([terminal.master], [], [], 0.1)[0]:
                os.read(terminal.master, 65536)
        assert process.returncode == 4
    assert runt.ok("list", "-q") == ""


def test_it_is_the_controlling_terminal_and_dev_console(runt: Runt, bundle: Bundle) -> None:
    bundle.sh(
        "tty; echo to the tty > /dev/tty; echo to the console > /dev/console; stat -c %t:%T /dev/console /dev/pts/0; echo end"
    )
    with running(runt, bundle) as (terminal, process):
        terminal.wait_for("end\r\n")
        assert process.wait(10) == 0
        lines = terminal.seen.decode().splitlines()
    assert lines[:3] == ["/dev/pts/0", "to the tty", "to the console"]
    assert lines[3] == lines[4] == "88:0"


def test_a_terminal_that_is_closed_ends_the_program_and_all_is_cleaned_up(
    runt: Runt, bundle: Bundle, tmp_path: Path
) -> None:
    bundle.sh("trap 'exit 6' HUP; echo ready; while :; do echo more; sleep 0.05; done").save()
    log = f"{tmp_path}/log"
    pid, terminal = pty.fork()
    if pid == 0:
        command = [*runt.command("--log", log), "run", "-b", str(bundle.path), ID]
        os.execve(command[0], command, {**os.environ, "PYTHONPATH": str(REPOSITORY)})
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6
    assert Path(log).read_text() == ""
    assert runt.ok("list", "-q") == ""


def test_in_the_background_it_waits_to_be_brought_to_the_foreground(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("echo here; exit 3").save()
    run = shlex.join(runt.command("run", "-b", str(bundle.path), ID))
    script = (
        f"set -m; {run} & while ! grep -q 'State:.T' /proc/$!/status; do sleep 0.05; done; fg; echo status $?"
    )
    with at_a_terminal(["setsid", "--ctty", "bash", "-c", script]) as (terminal, process):
        terminal.wait_for("status 3")
        assert b"here" in terminal.seen
        process.wait(10)
    assert runt.ok("list", "-q") == ""


def test_another_user_than_root_owns_the_terminal(runt: Runt, bundle: Bundle) -> None:
    bundle.process["user"] = {"uid": 1234, "gid": 1234}
    bundle.sh("stat -c %u /dev/pts/0; echo again > /dev/pts/0; echo end")
    with running(runt, bundle) as (terminal, _):
        terminal.wait_for("end")
        assert terminal.seen.decode().splitlines()[:2] == ["1234", "again"]


def test_input_that_is_no_terminal_ends_as_one_would_end_it_by_hand(runt: Runt, bundle: Bundle) -> None:
    bundle.sh("stty -echo; echo ready; cat; echo end").save()
    command = runt.command("run", "-b", str(bundle.path), ID)
    done = subprocess.run(
        command, input=b"some text\n", capture_output=True, check=True, timeout=patience.scaled(30)
    )
    # What the program wrote, without a carriage return of a terminal's.
    assert done.stdout.endswith(b"ready\nsome text\nend\n")
    assert b"\r" not in done.stdout


@pytest.mark.parametrize("options", [[], ["--rootless"]], ids=["plain", "rootless"])
def test_what_spec_writes_can_be_run(runt: Runt, bundle: Bundle, options: list[str]) -> None:
    (bundle.path / "config.json").unlink(missing_ok=True)
    runt.ok("spec", *options, "--bundle", str(bundle.path))
    for directory in ("dev", "sys"):
        (bundle.rootfs / directory).mkdir()
    done = runt("run", "-b", str(bundle.path), ID, stdin=None, input="hostname; exit 3\n")
    assert done.returncode == 3, done.stderr
    assert "\nrunt\n" in done.stdout
    assert done.stderr == ""


def test_a_console_socket_gets_the_master_with_the_size_of_the_configuration(
    runt: Runt, bundle: Bundle, tmp_path: Path
) -> None:
    bundle.process["consoleSize"] = {"height": 17, "width": 71}
    bundle.sh("stty size; read line; echo got $line")
    with console_socket(tmp_path / "console") as listener:
        runt.create(bundle, ID, "--console-socket", f"{tmp_path}/console")
        master, name = receive(listener)
    assert name
    runt.ok("start", ID)
    # As with runc, it is that of what `exec` runs, too.
    with console_socket(tmp_path / "exec") as listener:
        runt.ok("exec", "-t", "-d", "--console-socket", f"{tmp_path}/exec", ID, "stty", "size")
        master_of_exec, _ = receive(listener)
    assert os.read(master_of_exec, 100).decode().split() == ["17", "71"]
    os.close(master_of_exec)
    os.write(master, b"hello\n")
    seen = b""
    with contextlib.suppress(OSError):
        while data := os.read(master, 4096):
            seen += data
    os.close(master)
    assert b"17 71" in seen
    assert b"got hello" in seen


@pytest.mark.parametrize("socket_kind", ["nothing", "a file", "nobody listens"])
def test_a_console_socket_that_is_none_is_refused_and_leaves_nothing(
    runt: Runt, bundle: Bundle, tmp_path: Path, socket_kind: str
) -> None:
    path = tmp_path / "console"
    if socket_kind == "a file":
        path.write_text("")
    elif socket_kind == "nobody listens":
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    bundle.save()
    done = runt("create", "-b", str(bundle.path), "--console-socket", str(path), ID)
    assert done.returncode == 1
    assert "cannot connect to the console socket" in done.stderr
    assert "Traceback" not in done.stderr
    assert runt.ok("list", "-q") == ""


def test_terminal_and_console_socket_need_each_other(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    assert "cannot allocate tty if runt will detach without setting console socket" in runt.fail(bundle, ID)
    bundle.process["terminal"] = False
    bundle.save()
    done = runt("create", "-b", str(bundle.path), "--console-socket", f"{tmp_path}/x", ID)
    assert done.returncode == 1
    assert "cannot use console socket" in done.stderr


@pytest.mark.parametrize("fake", ["symlink", "file"])
def test_a_terminal_multiplexer_that_is_none_is_refused(
    runt: Runt, bundle: Bundle, tmp_path: Path, fake: str
) -> None:
    """CVE-2025-52565 and similar ones: the image has another file where the terminal comes from."""
    bundle.config["mounts"] = bundle.config["mounts"][:1]
    pts = bundle.rootfs / "dev" / "pts"
    pts.mkdir(parents=True)
    if fake == "symlink":
        (pts / "ptmx").symlink_to("/proc/self/mem")
    else:
        (pts / "ptmx").write_text("")
    bundle.save()
    done = runt("run", "-b", str(bundle.path), ID)
    assert done.returncode == 1
    assert "terminal" in done.stderr
    assert runt.ok("list", "-q") == ""


def test_run_detached_sends_its_terminal_to_a_socket(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    bundle.sh("read line; echo got $line").save()
    with console_socket(tmp_path / "console") as listener:
        runt.ok("run", "-d", "--console-socket", f"{tmp_path}/console", "-b", str(bundle.path), ID)
        master, _ = receive(listener)
    os.write(master, b"hello\n")
    seen = b""
    while b"got hello" not in seen:
        seen += os.read(master, 4096)
    os.close(master)
    runt.wait_until_stopped(ID)
    runt.ok("delete", ID)


@pytest.mark.parametrize("place", ["the image", "a bind mount"])
def test_a_console_that_is_a_link_is_refused_and_nothing_is_mounted_where_it_leads(
    runt: Runt, bundle: Bundle, place: str
) -> None:
    """CVE-2025-52565: the terminal would be mounted over a file of the image's choice, before that is protected."""
    target = bundle.rootfs / "target"
    target.write_text("untouched")
    bundle.sh("cat /target")
    if place == "the image":
        bundle.config["mounts"] = [PROC, *TERMINAL_MOUNTS[1:]]
        (bundle.rootfs / "dev/pts").mkdir(parents=True)
        (bundle.rootfs / "dev/console").symlink_to("/target")
    else:
        source = bundle.path / "dev"
        (source / "pts").mkdir(parents=True)
        (source / "console").symlink_to("../target")
        dev = {"destination": "/dev", "type": "bind", "source": str(source), "options": ["rbind"]}
        bundle.config["mounts"] = [PROC, dev, *TERMINAL_MOUNTS[1:]]
    bundle.save()
    done = runt("run", "-b", str(bundle.path), ID)
    assert done.returncode == 1
    assert "/dev/console" in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text() == "untouched"
    assert runt.ok("list", "-q") == ""
