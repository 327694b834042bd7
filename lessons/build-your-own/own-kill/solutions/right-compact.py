import os
import signal

from container import ContainerError


def kill(c, signum):
    try:
        process = os.pidfd_open(c.pid)
    except OSError:
        process = -1
    if process < 0 or status_of(c) == "stopped":
        raise ContainerError(f"{c.id} does not run")
    signal.pidfd_send_signal(process, signum)
    os.close(process)
