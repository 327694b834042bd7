import os

from container import ContainerError


def kill(c, signum):
    """Without a pidfd, as on a kernel before 5.1: there is a short time in which the number may change hands."""
    if status_of(c) == "stopped":
        raise ContainerError("container not running")
    try:
        os.kill(c.pid, signum)
    except ProcessLookupError:
        raise ContainerError("container not running") from None
