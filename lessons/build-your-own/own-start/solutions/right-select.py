import os
import select

from container import ContainerError


def start(c):
    status = status_of(c)
    if status != "created":
        raise ContainerError(f"only a created container can be started, and {c.id} is {status}")
    process = os.pidfd_open(c.pid, 0)
    pipe = os.open(c.fifo, os.O_RDONLY | os.O_NONBLOCK)
    message = bytearray()
    try:
        while True:
            epoll = select.epoll()
            epoll.register(pipe, select.EPOLLIN)
            epoll.register(process, select.EPOLLIN)
            ready = dict(epoll.poll())
            epoll.close()
            if pipe in ready:
                data = os.read(pipe, 65536)
                if data == b"":
                    break
                message.extend(data)
            else:
                raise ContainerError("its process ended")
        os.unlink(c.fifo)
    finally:
        os.close(pipe)
        os.close(process)
    if message:
        raise ContainerError(message.decode(errors="replace"))
