import os

from container import ContainerError


def kill(c, signum):
    if status_of(c) != "running":
        raise ContainerError(f"{c.id} is not running")
    os.kill(c.pid, signum)
