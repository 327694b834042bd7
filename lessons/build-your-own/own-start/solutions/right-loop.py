import os
import select

from container import ContainerError


def start(c):
    if status_of(c) != "created":
        raise ContainerError(f"{c.id} is not created")
    gate = os.open(c.fifo, os.O_RDONLY | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(gate)
    while not poll.poll(50):  # the process has not opened its end yet
        if status_of(c) == "stopped":
            raise ContainerError("the process is gone")
    os.set_blocking(gate, True)
    said = b""
    while data := os.read(gate, 4096):
        said += data
    os.close(gate)
    os.remove(c.fifo)
    if said:
        raise ContainerError(said.decode())
