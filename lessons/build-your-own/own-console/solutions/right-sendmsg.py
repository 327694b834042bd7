import array
import fcntl
import os
import socket
import struct
import termios

from container import ContainerError
from syscalls import MS_BIND, mount


def open_console(c):
    if not c.process.get("terminal", False):
        return
    if c.console is None:
        raise ContainerError("a terminal, but no --console-socket to send it to")
    master, slave = os.openpty()
    if "consoleSize" in c.process:
        size = c.process["consoleSize"]
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size["height"], size["width"], 0, 0))
    name = os.ttyname(slave)
    if not os.path.exists("/dev/console"):
        os.close(os.open("/dev/console", os.O_CREAT | os.O_RDONLY, 0o600))
    mount(name, "/dev/console", None, MS_BIND)
    os.chown(name, c.process.get("user", {}).get("uid", 0), -1)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(slave, number)
    os.close(slave)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master]))
    c.console.sendmsg([name.encode()], [rights])
    os.close(master)
    c.console.close()
