import os
import re

from container import ContainerError


def claim_id(c):
    if c.id in (".", "..") or re.search(r"[^A-Za-z0-9_+.-]", c.id) or not c.id:
        raise ContainerError(f"invalid id: {c.id!r}")
    os.makedirs(c.root, 0o711, exist_ok=True)
    os.makedirs(c.directory, 0o711, exist_ok=True)
