import os
import time

from container import ContainerError


def start(c):
    if status_of(c) != "created":
        raise ContainerError(f"{c.id} is not created")
    gate = os.open(c.fifo, os.O_RDONLY | os.O_NONBLOCK)
    said, connected = b"", False
    while True:
        try:
            data = os.read(gate, 4096)
        except BlockingIOError:  # somebody has it open for writing, and has written nothing yet
            connected = True
            time.sleep(0.005)
            continue
        if data:
            connected = True
            said += data
        elif connected or status_of(c) == "stopped":
            break
        elif not os.path.exists(f"/proc/{c.pid}/exe") or not waits(c):
            break
        else:
            time.sleep(0.005)
    os.close(gate)
    os.remove(c.fifo)
    if said:
        raise ContainerError(said.decode())
    if not connected and status_of(c) == "stopped":
        raise ContainerError("the process is gone")


def waits(c):
    """Tell whether the process has not become the program yet."""
    with open(f"/proc/{c.pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")[:-1] != [os.fsencode(each) for each in c.process["args"]]
