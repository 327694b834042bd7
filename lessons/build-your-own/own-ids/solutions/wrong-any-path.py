import json
import os

from container import ContainerError

SAVED = ["bundle", "config", "rootfs", "pid", "start_time", "cgroups"]


def claim_id(c):
    os.makedirs(c.root, 0o711, exist_ok=True)
    try:
        os.mkdir(c.directory, 0o711)
    except FileExistsError:
        raise ContainerError(f"the id {c.id} is taken")


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
