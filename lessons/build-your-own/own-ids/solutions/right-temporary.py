import json
import os
import re
import tempfile

from container import ContainerError


def claim_id(c):
    if not re.match(r"^[a-zA-Z0-9_+.-]+$", c.id) or c.id == "." or c.id == "..":
        raise ContainerError("letters, digits and _+.- are allowed in an id")
    os.makedirs(c.root, mode=0o711, exist_ok=True)
    try:
        os.mkdir(c.directory, mode=0o711)
    except FileExistsError:
        raise ContainerError("a container with this id exists") from None


def save_state(c):
    handle, path = tempfile.mkstemp(dir=c.directory)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump([c.bundle, c.config, c.rootfs, c.pid, c.start_time, c.cgroups], file)
    os.rename(path, os.path.join(c.directory, "state.json"))


def read_state(c):
    try:
        text = open(os.path.join(c.directory, "state.json"), encoding="utf-8").read()
    except FileNotFoundError:
        raise ContainerError(f"container {c.id} does not exist") from None
    c.bundle, c.config, c.rootfs, c.pid, c.start_time, c.cgroups = json.loads(text)
