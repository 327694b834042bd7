"""Telling the caller's service manager that the container's program is ready (sd_notify(3)).

A caller with NOTIFY_SOCKET in its environment is told so, as with runc: the container gets a socket of its own, of which
`start` passes READY on. The caller's own socket is not within reach of the container.
"""

from __future__ import annotations

import os
import select
import struct

from runtime.state import liveness
from runtime.support import log
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from runtime.config.types import Config
    from runtime.state.store import Entry

VARIABLE = "NOTIFY_SOCKET"
_INSIDE = "/run/notify"
_NAME = "notify.sock"
_LONGEST = 4096
_BARRIER = 30.0
"""How many seconds the service manager gets to read what it was sent."""


def offer(config: Config, entry: Entry) -> None:
    """Give a container that is to be created the place of its socket, if the caller has one."""
    if not os.environ.get(VARIABLE) or not entry.record["runnable"]:
        return
    directory = _directory(entry)
    os.mkdir(directory, 0o755)
    options = ["bind", "nosuid", "noexec", "nodev", "ro"]
    config.setdefault("mounts", []).append({"destination": _INSIDE, "source": directory, "options": options})
    config["process"].setdefault("env", []).append(f"{VARIABLE}={_INSIDE}/{_NAME}")


def listen(entry: Entry) -> socket | None:
    """Return the container's socket, made before its program runs; None if there is nobody to tell. Raises RuntError."""
    if not os.environ.get(VARIABLE) or not os.path.isdir(_directory(entry)):
        return None
    import _socket

    path = f"{_directory(entry)}/{_NAME}"
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        if os.path.lexists(path):
            # Of a `start` that was killed.
            os.unlink(path)
        listener.bind(path)
        os.chmod(path, 0o777)  # noqa: S103 - the program may be any user
    except OSError as error:
        listener.close()
        raise RuntError(f"cannot make the socket {path}: {describe(error)}") from None
    return listener


def pass_ready_on(listener: socket, entry: Entry) -> None:
    """Wait until the program says that it is ready, or ends; in the first case tell the service manager."""
    process = entry.record["init"]
    pidfd = liveness.open_pidfd(process)
    if process is None or pidfd is None:
        return
    try:
        ready = _wait_for_ready(listener, pidfd)
        if ready:
            _tell(ready, process["pid"])
    except OSError as error:
        log.warning(f"cannot tell {os.environ[VARIABLE]} that the container is ready: {describe(error)}")
    finally:
        os.close(pidfd)
        listener.close()


def _wait_for_ready(listener: socket, pidfd: int) -> bytes:
    """Return the line that says so; nothing if the program has ended without it."""
    poll = select.poll()
    poll.register(listener.fileno(), select.POLLIN)
    poll.register(pidfd, select.POLLIN)
    while True:
        readable = [fd for fd, _ in poll.poll()]
        if listener.fileno() not in readable:
            return b""
        for line in listener.recv(_LONGEST).split(b"\n"):
            if line.startswith(b"READY="):
                return line


def _tell(ready: bytes, pid: int) -> None:
    """Tell the service manager, also which process to watch, and wait until it has read it (sd_notify_barrier(3))."""
    import _socket

    path = os.environ[VARIABLE]
    address = f"\0{path[1:]}" if path.startswith("@") else path
    sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    sender.connect(address)
    sender.send(ready + b"\n")
    sender.send(b"MAINPID=%d\n" % pid)
    near, far = os.pipe2(os.O_CLOEXEC)
    sender.sendmsg([b"BARRIER=1"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", far))])
    os.close(far)
    poll = select.poll()
    poll.register(near, select.POLLIN)
    poll.poll(_BARRIER * 1000)
    os.close(near)
    sender.close()


def _directory(entry: Entry) -> str:
    return f"{entry.dir}/notify"
