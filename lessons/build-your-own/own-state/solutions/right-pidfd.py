import os
import select

from container import Container, ContainerError


def is_over(pid):
    """Tell by a pidfd whether a process has ended: it is readable then, even while nobody has waited for it."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return True
    over = bool(select.select([descriptor], [], [], 0)[0])
    os.close(descriptor)
    return over


def status_of(c):
    if c.pid == 0 or is_over(c.pid):
        return "stopped"
    try:
        with open(f"/proc/{c.pid}/stat") as file:
            begun = file.read().rsplit(")", 1)[1].split()[19]
    except OSError:
        return "stopped"
    if begun != c.start_time:
        return "stopped"
    return "created" if os.path.lexists(c.fifo) else "running"


def list_containers(root):
    found = []
    for name in sorted(os.listdir(root) if os.path.exists(root) else ()):
        c = Container(root, name)
        try:
            read_state(c)
        except (ContainerError, OSError):
            continue
        entry = {"id": name, "status": status_of(c), "bundle": c.bundle, "pid": c.pid}
        if entry["status"] == "stopped":
            entry["pid"] = 0
        found.append(entry)
    return found
