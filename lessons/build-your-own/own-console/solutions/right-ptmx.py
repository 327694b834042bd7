import array
import fcntl
import os
import socket
import termios

from container import ContainerError
from syscalls import MS_BIND, mount

TIOCSPTLCK, TIOCGPTN = 0x40045431, 0x80045430


def open_console(c):
    """As the kernel's manual has it (pts(4)): open ptmx, unlock the slave, ask for its number."""
    if not c.process.get("terminal"):
        return
    if c.console is None:
        raise ContainerError("process.terminal is set, but there is no --console-socket")
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, TIOCSPTLCK, array.array("i", [0]))
    number = array.array("i", [0])
    fcntl.ioctl(master, TIOCGPTN, number)
    path = f"/dev/pts/{number[0]}"
    slave = os.open(path, os.O_RDWR)  # the first terminal that a session leader opens is its controlling one
    size = c.process.get("consoleSize")
    if size:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, array.array("H", [size["height"], size["width"], 0, 0]))
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    if not os.path.lexists("/dev/console"):
        os.mknod("/dev/console", 0o100600)
    mount(path, "/dev/console", None, MS_BIND)
    os.fchown(slave, c.process.get("user", {}).get("uid", 0), -1)
    for standard in (0, 1, 2):
        os.dup2(slave, standard)
    os.close(slave)
    socket.send_fds(c.console, [b"x"], [master])
    os.close(master)
    c.console.close()
