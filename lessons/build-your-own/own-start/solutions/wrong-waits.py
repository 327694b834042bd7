import os

from container import ContainerError


def start(c):
    with open(c.fifo, "rb") as pipe:
        said = pipe.read()
    os.unlink(c.fifo)
    if said:
        raise ContainerError(said.decode())
