import os
import signal

from container import ContainerError


def kill(c, signum):
    if status_of(c) == "stopped":
        raise ContainerError("container not running")
    os.kill(c.pid, signal.SIGTERM)
