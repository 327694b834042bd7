"""Runs the runtime, one command after the other, in the mount namespace that stands for the host's."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any

from tutor.lab import kernel
from tutor.own_steps.sandbox import limits, looks
from tutor.own_steps.sandbox.places import FILE, OUTPUT, REPORT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SHOWN = 20_000  # bytes of an output
_TRACE_SECONDS = 0.3
_LOOK = 0.01  # seconds
_MS_SHARED = 1 << 20
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


class HungError(Exception):
    """A command did not end."""


class Commands:
    """Runs commands; this process is the parent of all that have lost theirs.

    Attributes:
        ended: the exit status of every process that has ended, by pid; negative for a signal.
    """

    def __init__(self, launcher: Sequence[str], text: str) -> None:
        self._launcher = list(launcher)
        self._text = text.encode()
        self._count = self._told = 0
        self.ended: dict[int, int] = {}
        self.host = _new_mount_namespace()

    def run(self, words: Sequence[str], deadline: float) -> dict[str, Any]:
        """Run the learner's runtime with a command line, and return what it did.

        Raises:
            HungError: it did not end before the deadline; its argument is what it did.
        """
        self._count += 1
        names = [f"{OUTPUT}/{self._count}.{stream}" for stream in ("out", "err")]
        pid = os.fork()
        if pid == 0:
            self._execute([*self._launcher, FILE, REPORT, *words], names)
        status = self._wait(pid, deadline)
        hung = status is None
        if hung:
            self._trace(pid)
        done = {
            "words": list(words),
            "status": status,
            "out": _read(names[0]),
            "err": self._errors() if hung else _read(names[1]),
            "report": self._reported(),
            "file": self._file_is_unchanged(),
        }
        if hung:
            raise HungError(done)
        return done

    def until(self, look: Callable[[], bool], deadline: float) -> bool:
        """Wait until something is true, and collect processes that have ended; return False when it takes too long."""
        while True:
            self.collect()
            if look():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK)

    def collect(self) -> None:
        """Wait for every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = os.waitstatus_to_exitcode(status)

    def end_all(self) -> None:
        """Kill every process of the sandbox but this one."""
        _kill_all(signal.SIGKILL)
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def _execute(self, argv: list[str], names: list[str]) -> None:
        try:
            os.setsid()
            limits.write("/proc/self/oom_score_adj", "0")
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            for number, name in enumerate(names, 1):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
            for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            kernel.join_namespace(self.host)
            os.chdir("/")
            os.execve(argv[0], argv, _ENVIRONMENT)  # noqa: S606  (no shell is meant)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    def _wait(self, pid: int, deadline: float) -> int | None:
        descriptor = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            while pid not in self.ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                poller.poll(min(left, 0.2) * 1000)  # others end meanwhile, and are waited for, too
                self.collect()
        finally:
            os.close(descriptor)
        return self.ended[pid]

    def _trace(self, command: int) -> None:
        """Have every Python process write where it is, to its standard error, and end: -X faulthandler, SIGABRT.

        The command comes last: when it ends, it takes the container's process with it.
        """
        for pid in [*(pid for pid in reversed(looks.others()) if pid != command), command]:
            _send(pid, signal.SIGABRT)
            deadline = time.monotonic() + _TRACE_SECONDS
            while time.monotonic() < deadline and not self._traced() and _lives(pid):
                time.sleep(_LOOK)
            if self._traced():
                return

    def _traced(self) -> bool:
        return any(FILE in _read(f"{OUTPUT}/{number}.err") for number in range(1, self._count + 1))

    def _errors(self) -> str:
        """Return what every command so far, and the container of each, has written to standard error."""
        return "".join(_read(f"{OUTPUT}/{number}.err") for number in range(1, self._count + 1))

    def _reported(self) -> str:
        """Return what was written to the report since the last command; the container's process keeps it open."""
        text, self._told = limits.read_from(REPORT, self._told, _SHOWN)
        return text

    def _file_is_unchanged(self) -> bool:
        try:
            with open(FILE, "rb") as file:  # noqa: PTH123  (starts fast)
                return file.read() == self._text
        except OSError:
            return False


def _new_mount_namespace() -> int:
    """Make the mount namespace that stands for the host's, with shared mounts as systemd has them; return its descriptor."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount("", "/", flags=kernel.MS_REC | _MS_SHARED)
            os.write(writing, b".")
            signal.pause()  # until it is killed
        finally:
            os._exit(1)
    os.close(writing)
    done = os.read(reading, 1)
    os.close(reading)
    try:
        if not done:
            raise OSError("unshare")
        return os.open(f"/proc/{child}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended


def _lives(pid: int) -> bool:
    fields = limits.read(f"/proc/{pid}/stat").rpartition(") ")[2].split()
    return bool(fields) and fields[0] not in "ZX"


def _kill_all(number: int) -> None:
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return  # there is no other


def _read(path: str) -> str:
    return limits.read(path, _SHOWN)
