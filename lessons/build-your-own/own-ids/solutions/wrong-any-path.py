import os

from container import ContainerError


def claim_id(c):
    os.makedirs(c.root, 0o711, exist_ok=True)
    try:
        os.mkdir(c.directory, 0o711)
    except FileExistsError:
        raise ContainerError(f"the id {c.id} is taken")
