import contextlib
import os
import signal

from container import ContainerError


@contextlib.contextmanager
def held(pid):
    try:
        descriptor = os.pidfd_open(pid, 0)
    except ProcessLookupError:
        raise ContainerError("there is no such process any more") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def kill(c, signum):
    if not c.pid:
        raise ContainerError("it has no process")
    with held(c.pid) as process:
        if status_of(c) not in ("created", "running"):
            raise ContainerError("it is stopped")
        try:
            signal.pidfd_send_signal(process, signum, None, 0)
        except ProcessLookupError:
            raise ContainerError("it has just ended") from None
