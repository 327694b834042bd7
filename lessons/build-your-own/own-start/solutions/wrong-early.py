import os

from container import ContainerError


def start(c):
    if status_of(c) != "created":
        raise ContainerError("not created")
    os.unlink(c.fifo)
    with open(c.fifo, "rb") as pipe:
        said = pipe.read()
    if said:
        raise ContainerError(said.decode())
