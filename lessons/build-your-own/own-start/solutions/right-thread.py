import os
import threading

from container import ContainerError


def start(c):
    """Read in a thread, with plain blocking calls, and look now and then whether the process lives."""
    if status_of(c) != "created":
        raise ContainerError("not created")
    heard = []

    def listen():
        with open(c.fifo, "rb") as pipe:
            heard.append(pipe.read())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.02)
        if thread.is_alive() and status_of(c) == "stopped":
            thread.join(0.2)
            if thread.is_alive():
                raise ContainerError("the process died before it could start")
    os.unlink(c.fifo)
    if heard and heard[0]:
        raise ContainerError(heard[0].decode())
