import os

from container import ContainerError


def start(c):
    if not os.path.exists(c.fifo):
        raise ContainerError(f"{c.id} was started already")
    with open(c.fifo, "rb") as pipe:
        said = pipe.read()
    os.unlink(c.fifo)
    if said:
        raise ContainerError(said.decode())
