import json
import os
import re

from container import ContainerError

SAVED = ["bundle", "config", "rootfs", "pid", "start_time", "cgroups"]


def claim_id(c):
    if c.id in (".", "..") or re.search(r"[^A-Za-z0-9_+.-]", c.id) or not c.id:
        raise ContainerError(f"invalid id: {c.id!r}")
    os.makedirs(c.root, 0o711, exist_ok=True)
    os.makedirs(c.directory, 0o711, exist_ok=True)


def save_state(c):
    state = {name: getattr(c, name) for name in SAVED}
    new = c.directory + "/state.tmp"
    with open(new, "w") as file:
        file.write(json.dumps(state))
    os.replace(new, c.directory + "/state.json")


def read_state(c):
    try:
        with open(c.directory + "/state.json") as file:
            state = json.load(file)
    except OSError:
        raise ContainerError(f"there is no container {c.id}")
    for name in SAVED:
        setattr(c, name, state[name])
