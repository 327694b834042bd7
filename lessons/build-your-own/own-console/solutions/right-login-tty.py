import os
import socket
import termios

from container import ContainerError
from syscalls import MS_BIND, mount


def open_console(c):
    process = c.process
    if not process.get("terminal"):
        return
    if not c.console:
        raise ContainerError("nobody takes the terminal")
    master, slave = os.openpty()
    if process.get("consoleSize"):
        termios.tcsetwinsize(slave, (process["consoleSize"]["height"], process["consoleSize"]["width"]))
    path = os.ttyname(slave)
    with open("/dev/console", "a"):
        pass
    mount(path, "/dev/console", None, MS_BIND)
    os.fchown(slave, process.get("user", {}).get("uid", 0), -1)
    socket.send_fds(c.console, [b"/dev/ptmx"], [master])
    c.console.close()
    os.close(master)
    os.login_tty(slave)
