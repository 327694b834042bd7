"""What a process waits for: real processes, each blocked in a real system call."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.support.observe import processes, running, until, waiting_in
from tutor.messages import LANGUAGES, Messages, topic_entries
from tutor.observe import describe
from tutor.observe.syscalls import Argument, Topic, call_table

PYTHON = (sys.executable, "-I", "-S", "-c")


def test_open_of_exec_fifo_is_told_as_the_seed_asks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "exec.fifo")
    code = "import os,sys; os.open('exec.fifo', os.O_WRONLY, dir_fd=os.open(sys.argv[1], os.O_PATH))"
    with running(*PYTHON, code, str(tmp_path)) as blocked:
        wait = waiting_in(blocked.pid, "openat_exec_fifo").waits_for
    assert wait is not None
    assert wait.summary == 'openat("exec.fifo", O_WRONLY)'
    assert wait.arguments[1:] == ('"exec.fifo"', "O_WRONLY|O_CLOEXEC")
    assert wait.path == str(tmp_path / "exec.fifo")
    assert wait.wchan == "wait_for_partner"
    assert describe(wait, Messages("ja")).startswith('openat("exec.fifo", O_WRONLY) で待機中: start が')
    assert "until start opens" in describe(wait, Messages("en"))


def test_path_through_proc_self_fd_is_resolved_and_the_waiting_thread_is_found(tmp_path: Path) -> None:
    # As runc does it: a Go program has idle threads, and opens the fifo through /proc/self/fd.
    os.mkfifo(tmp_path / "exec.fifo")
    code = (
        "import os,sys,threading\n"
        "lock = threading.Lock(); lock.acquire()\n"
        "fd = os.open(sys.argv[1], os.O_PATH)\n"
        "threading.Thread(target=os.open, args=(f'/proc/self/fd/{fd}', os.O_WRONLY)).start()\n"
        "lock.acquire()\n"
    )
    with running(*PYTHON, code, str(tmp_path / "exec.fifo")) as blocked:
        process = waiting_in(blocked.pid, "openat_exec_fifo")
    wait = process.waits_for
    assert wait is not None
    assert process.threads == 2
    assert wait.tid != process.pid
    assert wait.summary == 'openat("exec.fifo", O_WRONLY)'
    assert wait.path == str(tmp_path / "exec.fifo")


def test_path_in_a_directory_of_descriptors_is_resolved(tmp_path: Path) -> None:
    """As runc 1.3.6 opens the fifo: the descriptor's number, in its own directory of descriptors."""
    os.mkfifo(tmp_path / "exec.fifo")
    code = (
        "import os,sys\n"
        "fd = os.open(sys.argv[1], os.O_PATH)\n"
        "os.open(str(fd), os.O_WRONLY, dir_fd=os.open('/proc/thread-self/fd', os.O_PATH))\n"
    )
    with running(*PYTHON, code, str(tmp_path / "exec.fifo")) as blocked:
        wait = waiting_in(blocked.pid, "openat_exec_fifo").waits_for
    assert wait is not None
    assert wait.summary == 'openat("exec.fifo", O_WRONLY)'
    assert wait.path == str(tmp_path / "exec.fifo")


def test_a_descriptor_of_another_process_is_not_taken_for_an_own_one(tmp_path: Path) -> None:
    for name in ("exec.fifo", "other"):
        os.mkfifo(tmp_path / name)
    own = os.open(tmp_path / "other", os.O_PATH)
    code = (
        "import os,sys\n"
        "os.dup2(os.open(sys.argv[1], os.O_PATH), int(sys.argv[2]))\n"
        "os.open(f'/proc/{os.getppid()}/fd/{sys.argv[2]}', os.O_WRONLY)\n"
    )
    try:
        with running(*PYTHON, code, str(tmp_path / "exec.fifo"), str(own)) as blocked:
            wait = waiting_in(blocked.pid, "open_fifo_write").waits_for
    finally:
        os.close(own)
    assert wait is not None
    assert wait.path == f"/proc/{os.getpid()}/fd/{own}"


def test_path_across_a_page_boundary_is_read(tmp_path: Path) -> None:
    # The last page before unmapped memory: only what is there can be read, and that is enough.
    fifo = tmp_path / ("deep" * 20)
    os.mkfifo(fifo)
    code = (
        "import ctypes,mmap,sys\n"
        "area = mmap.mmap(-1, 8192); path = sys.argv[1].encode() + b'\\0'\n"
        "start = 4096 - 7; area[start:start+len(path)] = path\n"
        "address = ctypes.addressof(ctypes.c_char.from_buffer(area)) + start\n"
        "ctypes.CDLL(None).open(ctypes.c_void_p(address), 0)\n"
    )
    with running(sys.executable, "-I", "-c", code, str(fifo)) as blocked:
        wait = waiting_in(blocked.pid, "open_fifo_read").waits_for
    assert wait is not None
    assert wait.path == str(fifo)


@pytest.mark.parametrize(
    ("code", "key", "summary"),
    [
        ("import time; time.sleep(500)", "sleep", r"(clock_nanosleep|pselect6|select)\(.*\)"),
        ("import os; r, w = os.pipe(); os.read(r, 1)", "read_pipe", r"read\(\d+<pipe:\[\d+\]>\)"),
        ("import os; r, w = os.pipe(); os.write(w, bytes(1 << 20))", "write_pipe", r"write\(\d+<pipe:\[\d+\]>\)"),
        ("import signal; signal.sigwait([signal.SIGUSR1])", "signal", r"rt_sigtimedwait\(\)"),
        ("import os; os.fork() or os.read(os.pipe()[0], 1); os.wait()", "child", r"wait4\(-1\)"),
        ("import select, os; r, w = os.pipe(); p = select.poll(); p.register(r); p.poll()", "poll",
            r"p?poll\(\[pipe:\[\d+\]\]\)"),
        ("import select, os; r, w = os.pipe(); select.select([r], [], [])", "poll", r"p?select6?\(\[pipe:\[\d+\]\]\)"),
        ("import select; select.select([], [], [])", "sleep", r"p?select6?\(\[\]\)"),
        ("import select; select.epoll().poll()", "poll", r"epoll_p?wait\(\d+<anon_inode:\[eventpoll\]>\)"),
        ("import socket; s = socket.socket(socket.AF_UNIX); s.bind('\\0'+str(id(s))); s.listen(); s.accept()",
            "accept", r"accept4?\(\d+<socket:\[\d+\]>\)"),
        ("import socket; a, b = socket.socketpair(); a.recv(1)", "read_socket", r"recvfrom\(\d+<socket:\[\d+\]>\)"),
        ("import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()", "futex", r"futex\(FUTEX_WAIT.*\)"),
    ],
)  # fmt: skip
def test_blocking_calls_are_told_by_name(code: str, key: str, summary: str) -> None:
    with running(sys.executable, "-I", "-c", code) as blocked:
        wait = waiting_in(blocked.pid, key).waits_for
        # A child that the program forked ends with it or is ended here, by its own pid.
        for child in processes(blocked.pid)[1:]:
            os.kill(child.pid, 9)
    assert wait is not None
    assert re.fullmatch(summary, wait.summary), wait


def test_the_length_of_a_sleep_is_told() -> None:
    with running("sleep", "500") as blocked:
        wait = waiting_in(blocked.pid, "sleep").waits_for
    assert wait is not None
    assert wait.summary.endswith("nanosleep(500 s)")


def test_a_flock_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    with running("flock", str(file), "sleep", "500") as holder:
        until(lambda: len(processes(holder.pid)) == 2)
        with running("flock", str(file), "true") as blocked:
            wait = waiting_in(blocked.pid, "lock").waits_for
        os.kill(processes(holder.pid)[1].pid, 9)
    assert wait is not None
    assert wait.path == str(file)


def test_a_running_process_waits_for_nothing() -> None:
    with running(*PYTHON, "while True: pass") as busy:
        until(lambda: processes(busy.pid)[0].state == "R")
        assert all(process.waits_for is None for process in processes(busy.pid) if process.state == "R")


_WITHOUT_SYSCALL = """\
for thread in /proc/$1/task/*; do
    wchan=$(cat "$thread/wchan")
    mount -t tmpfs tmpfs "$thread"
    printf %s "$wchan" >"$thread/wchan"
done
shift
exec "$@"
"""


@pytest.mark.root
def test_without_a_syscall_file_the_thread_that_waits_in_no_futex_is_told() -> None:
    """As user-mode Linux has it; the process waits as runc does: its first thread in a futex, another for the fifo."""
    code = (
        "import os,threading\n"
        "lock = threading.Lock(); lock.acquire()\n"
        "threading.Thread(target=os.read, args=(os.pipe()[0], 1)).start()\n"
        "lock.acquire()\n"
    )
    told = "import sys; from tests.support.observe import processes; print(processes(int(sys.argv[1]))[0].waits_for)"
    unshare = ("unshare", "--mount", "--propagation", "private", "sh", "-ec", _WITHOUT_SYSCALL, "sh")
    with running(*PYTHON, code) as blocked:
        waiting_in(blocked.pid, "read_pipe")
        until(lambda: Path(f"/proc/{blocked.pid}/wchan").read_text().startswith("futex"))
        pid = str(blocked.pid)
        done = subprocess.run(
            [*unshare, pid, sys.executable, "-c", told, pid], capture_output=True, text=True, check=True
        )
    assert "key='observe.wait.kernel'" in done.stdout
    assert re.search(r"wchan='(anon_)?pipe_read'", done.stdout), done.stdout


@pytest.mark.root
def test_a_kernel_thread_waits_in_no_system_call() -> None:
    comm = Path("/proc/2/comm")
    if not comm.exists() or comm.read_text() != "kthreadd\n":
        pytest.skip("pid 2 is not the kernel's here (a pid namespace)")
    assert processes(2)[0].waits_for is None


def test_every_key_is_in_the_catalogue_and_its_words_can_be_filled_in() -> None:
    kinds = {
        f"{topic}_{kind}" for topic in ("read", "write") for kind in ("pipe", "socket", "terminal", "file")
    }
    special = {
        "openat_exec_fifo",
        "read_exec_fifo",
        "open_fifo_write",
        "open_fifo_read",
        "open_file",
        "kernel",
    }
    expected = kinds | special | set(get_args(Topic)) - {"open", "read", "write"}
    for language in LANGUAGES:
        entries = topic_entries(language, "observe")
        assert {key.rpartition(".")[2] for key in entries if key.startswith("observe.wait.")} == expected
        for key in expected:
            entries[f"observe.wait.{key}"].format(call="read(0)", file="x", wchan="y")


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_system_call_numbers_are_the_kernels(machine: str, header: str) -> None:
    if not Path(header).exists():
        pytest.skip(f"{header} is not installed (linux-libc-dev)")
    defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text()))
    for number, call in call_table(machine).items():
        assert defined.get(call.name) == str(number), call


def test_the_table_uses_only_known_words() -> None:
    for machine in ("x86_64", "aarch64"):
        for call in call_table(machine).values():
            assert call.topic in get_args(Topic)
            assert set(call.arguments) <= set(get_args(Argument))
    assert call_table("riscv64") == {}
