import os
import pickle
import string

from container import ContainerError

ALLOWED = set(string.ascii_letters + string.digits + "_+-.")


def claim_id(c):
    if not c.id or set(c.id) - ALLOWED or not c.id.strip("."):
        raise ContainerError(f"{c.id}: not a valid id")
    if not os.path.isdir(c.root):
        os.makedirs(c.root, 0o711)
    try:
        os.mkdir(c.directory, 0o711)
    except FileExistsError as error:
        raise ContainerError(f"{c.id} exists already") from error


def save_state(c):
    values = (c.bundle, c.config, c.rootfs, c.pid, c.start_time, c.cgroups)
    path = os.path.join(c.directory, "state")
    with open(path + "~", "wb") as file:
        pickle.dump(values, file)
    os.rename(path + "~", path)


def read_state(c):
    path = os.path.join(c.directory, "state")
    if not os.path.exists(path):
        raise ContainerError(f"no container has the id {c.id}")
    with open(path, "rb") as file:
        c.bundle, c.config, c.rootfs, c.pid, c.start_time, c.cgroups = pickle.load(file)
