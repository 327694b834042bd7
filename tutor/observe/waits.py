"""Finds what a process waits for: the system call in which it is blocked, and the file or descriptor of the call.

Sources: `/proc/PID/task/TID/syscall` and `wchan` (proc(5)), the path argument in `/proc/PID/mem`, the descriptors in
`/proc/PID/fd`. All need the permission of ptrace(2); without it there is no answer.
"""

from __future__ import annotations

import posixpath
import re
import struct
from typing import TYPE_CHECKING

from tutor.lazy_dataclass import dataclass, field
from tutor.observe.model import Wait
from tutor.observe.procfs import reason_of, status_fields, text
from tutor.observe.syscalls import CALLS, Call, clock_name, futex_operation, open_flags

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe.procfs import ProcessDirectory

# Of hundreds of threads, those beyond the first are workers of a pool, which tell no more.
_MOST_THREADS = 32
_FIFO_OPEN = {"wait_for_partner", "fifo_open", "pipe_wait"}
_AT_FDCWD = -100
_TIMER_ABSTIME = 1
# In /proc, or in a procfs that is mounted nowhere: runc 1.3.6 opens the fifo as `N` in a directory `/1/task/1/fd`.
_MAGIC_LINK = re.compile(rb"(?:/proc)?/(self|thread-self|\d+)(?:/task/\d+)?/fd/(\d+)")
_STANDS_STILL = frozenset("SDI")


def read_wait(process: ProcessDirectory, state: str, threads: list[int]) -> Wait | None:
    """Return what a process waits for; None if it runs, or if that may not be read.

    Of several threads, the first that waits for something other than a futex is taken: a Go program such as runc parks all
    but one of its threads on a futex.
    """
    if state not in _STANDS_STILL:
        return None
    first: Wait | None = None
    for tid in threads[:_MOST_THREADS]:
        try:
            raw = process.read(f"task/{tid}/syscall")
        except FileNotFoundError:
            wait = _by_wchan(process, tid)
            if wait is not None and not wait.wchan.startswith("futex"):
                return wait
            first = first or wait
            continue
        except OSError as error:
            process.unreadable.setdefault("syscall", reason_of(error))
            continue
        fields = raw.split()
        # "running", or -1: blocked, but not in a system call. A kernel thread has no registers: its zeros are no read(0).
        if len(fields) < 9 or not fields[0].isdigit() or fields[7:9] == [b"0x0", b"0x0"]:
            continue
        number = int(fields[0])
        call = CALLS.get(number)
        if first is not None and call is not None and call.topic == "futex":
            continue
        wait = _tell(process, tid, number, call, [int(value, 16) for value in fields[1:7]])
        if call is None or call.topic != "futex":
            return wait
        first = first or wait
    return first


@dataclass(slots=True)
class _Reading:
    """The decoded arguments of one call."""

    shown: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    path: str | None = None
    fd: int | None = None
    writes: bool = False
    descriptors: list[int] = field(default_factory=list)

    def add(self, shown: str, short: str | None = None) -> None:
        self.shown.append(shown)
        if short is None or short:
            self.short.append(shown if short is None else short)


def _tell(process: ProcessDirectory, tid: int, number: int, call: Call | None, values: list[int]) -> Wait:
    wchan = _wchan(process, tid)
    if call is None:
        name = f"syscall_{number}"
        return Wait(tid, name, number, (), f"{name}()", None, None, wchan, "observe.wait.other")
    reading = _Reading()
    if "path" in call.arguments:
        _read_path(process, call, values, reading)
    elif "pollfds" in call.arguments or "fdset" in call.arguments:
        _read_polled(process, call, values, reading)
    else:
        _read_plain(process, call, values, reading)
    return Wait(
        tid=tid,
        syscall=call.name,
        number=number,
        arguments=tuple(reading.shown),
        summary=f"{call.name}({', '.join(reading.short)})",
        path=reading.path,
        fd=reading.fd,
        wchan=wchan,
        key=f"observe.wait.{_key(call, reading, wchan)}",
    )


def _by_wchan(process: ProcessDirectory, tid: int) -> Wait | None:
    """Return a wait without its call: some architectures have no `syscall` in /proc (user-mode Linux); None for a thread that has ended."""
    wchan = _wchan(process, tid)
    return Wait(tid, "", -1, (), wchan, None, None, wchan, "observe.wait.kernel") if wchan else None


def _wchan(process: ProcessDirectory, tid: int) -> str:
    try:
        name = text(process.read(f"task/{tid}/wchan"))
    except OSError:
        return ""
    # Some kernels add the compiler's suffix (`poll_schedule_timeout.constprop.0`); 0 means that it is not told.
    return "" if name == "0" else name.partition(".")[0]


def _target(process: ProcessDirectory, fd: int) -> bytes:
    try:
        return process.link(f"fd/{fd}")
    except OSError:
        return b""


def _signed(value: int) -> int:
    """Return a register's value as a C int: only the low 32 bits count, and they are signed."""
    return (value & 0xFFFFFFFF ^ 0x80000000) - 0x80000000


def _read_path(process: ProcessDirectory, call: Call, values: list[int], reading: _Reading) -> None:
    base = b""
    for kind, value in zip(call.arguments, values, strict=False):
        if kind == "dirfd":
            fd = _signed(value)
            if fd == _AT_FDCWD:
                reading.add("AT_FDCWD", "")
            else:
                base = _target(process, fd)
                reading.fd = fd
                reading.add(f"{fd}<{text(base)}>", "")
        elif kind == "path":
            _resolve(process, base, process.memory([(value, 4096)])[0], reading)
        else:
            if kind == "how":
                # struct open_how: the flags are its first 64 bits.
                how = process.memory([(value, 8)])[0]
                value = struct.unpack("Q", how)[0] if len(how) == 8 else 0
            flags = open_flags(value)
            reading.writes = flags[0] != "O_RDONLY"
            reading.add("|".join(flags), "|".join(flag for flag in flags if flag != "O_CLOEXEC"))


def _resolve(process: ProcessDirectory, base: bytes, memory: bytes, reading: _Reading) -> None:
    written, end, _ = memory.partition(b"\0")
    if not end:
        reading.add("...")
        return
    magic = _MAGIC_LINK.fullmatch(posixpath.join(base, written))
    if magic and magic[1] in _own_names(process) and (target := _target(process, int(magic[2]))):
        reading.fd, reading.path = int(magic[2]), text(target)
        reading.add(f'"{text(written)}"<{reading.path}>', f'"{posixpath.basename(reading.path)}"')
        return
    reading.path = text(posixpath.join(base, written))
    reading.add(f'"{text(written)}"')


def _own_names(process: ProcessDirectory) -> set[bytes]:
    """Return the names that a procfs can have for the process: its number in each of its PID namespaces, and the links to it."""
    try:
        numbers = status_fields(process.read("status")).get("NSpid", "")
    except OSError:
        numbers = ""
    return {b"self", b"thread-self", str(process.pid).encode(), *numbers.encode().split()}


def _read_polled(process: ProcessDirectory, call: Call, values: list[int], reading: _Reading) -> None:
    if call.arguments[0] == "pollfds":
        count = min(values[1], 256)
        array = process.memory([(values[0], 8 * count)])[0]
        entries = [entry[0] for entry in struct.iter_unpack("ihh", array[: len(array) // 8 * 8])]
        reading.descriptors = [fd for fd in entries if fd >= 0]
    else:
        count = min(max(_signed(values[0]), 0), 1024)
        for position, bits in enumerate(
            process.memory([(address, (count + 7) // 8) for address in values[1:3]])
        ):
            mask = int.from_bytes(bits, "little") & (1 << count) - 1
            fds = [fd for fd in range(count) if mask >> fd & 1]
            reading.descriptors += fds
            reading.writes |= bool(fds) and position == 1
    targets = [(fd, text(_target(process, fd))) for fd in reading.descriptors]
    reading.add(
        "[" + ", ".join(f"{fd}<{target}>" for fd, target in targets) + "]",
        "[" + ", ".join(posixpath.basename(target) or str(fd) for fd, target in targets[:3])
        + (", ...]" if len(targets) > 3 else "]"),
    )  # fmt: skip
    if len(targets) == 1:
        reading.fd, reading.path = targets[0][0], targets[0][1] or None


def _read_plain(process: ProcessDirectory, call: Call, values: list[int], reading: _Reading) -> None:
    for kind, value in zip(call.arguments, values, strict=False):
        if kind == "fd":
            reading.fd = _signed(value)
            target = text(_target(process, reading.fd))
            reading.path = target or None
            named = f"<{target}>" if target else ""
            reading.add(
                f"{reading.fd}{named}", f"{reading.fd}<{posixpath.basename(target)}>" if named else None
            )
        elif kind == "op":
            reading.add(futex_operation(value))
        elif kind in ("int", "pid"):
            reading.add(str(_signed(value)))
        elif kind == "clock":
            reading.add(clock_name(value), "")
        elif kind == "timespec" and not (call.name == "clock_nanosleep" and values[1] & _TIMER_ABSTIME):
            reading.add(_duration(process, value))
        else:
            reading.add("...", "")


def _duration(process: ProcessDirectory, address: int) -> str:
    timespec = process.memory([(address, 16)])[0]
    if len(timespec) != 16:
        return "..."
    seconds, nanoseconds = struct.unpack("qq", timespec)
    return f"{seconds + nanoseconds / 1e9:.9g} s"


def _key(call: Call, reading: _Reading, wchan: str) -> str:
    """Return the catalogue's entry: the call's topic, made precise by what the file is."""
    path = reading.path or ""
    on_exec_fifo = posixpath.basename(path) == "exec.fifo"
    if call.topic == "open":
        if on_exec_fifo and reading.writes:
            return "openat_exec_fifo"
        if wchan in _FIFO_OPEN:
            return "open_fifo_write" if reading.writes else "open_fifo_read"
        return "open_file"
    if call.topic in ("read", "poll") and on_exec_fifo:
        return "read_exec_fifo"
    if call.topic in ("read", "write"):
        return f"{call.topic}_{_kind_of_file(path)}"
    if call.topic == "poll" and not reading.descriptors and reading.fd is None:
        return "sleep"
    return call.topic


def _kind_of_file(path: str) -> str:
    if path.startswith("pipe:"):
        return "pipe"
    if path.startswith("socket:"):
        return "socket"
    if path.startswith(("/dev/pts/", "/dev/tty", "/dev/console")):
        return "terminal"
    return "file"


def describe(wait: Wait, messages: Messages) -> str:
    """Return one line that says what a process waits for, in the catalogue's language."""
    return messages(
        wait.key,
        call=wait.summary,
        file=wait.path or ("" if wait.fd is None else str(wait.fd)),
        wchan=wait.wchan or "?",
    )
