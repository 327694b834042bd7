import os
import re

from container import Container, ContainerError


def status_of(c):
    try:
        text = open(f"/proc/{c.pid}/status").read()
        begun = open(f"/proc/{c.pid}/stat").read().rpartition(")")[2].split()[19]
    except OSError:
        return "stopped"
    letter = re.search(r"^State:\s+(\S)", text, re.MULTILINE)[1]
    if letter in "ZX" or begun != c.start_time:
        return "stopped"
    try:
        os.stat(c.fifo)
    except FileNotFoundError:
        return "running"
    return "created"


def list_containers(root):
    if not os.path.isdir(root):
        return []

    def told(name):
        c = Container(root, name)
        read_state(c)
        status = status_of(c)
        return {"id": name, "pid": 0 if status == "stopped" else c.pid, "status": status, "bundle": c.bundle}

    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if entry.is_dir()]
    result = []
    for name in names:
        try:
            result.append(told(name))
        except ContainerError:
            pass
    result.sort(key=lambda each: each["id"])
    return result
