from container import ContainerError
from syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    clone,
)

FLAGS = {
    "mount": CLONE_NEWNS,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
    "network": CLONE_NEWNET,
    "cgroup": 0,
}


def clone_init(c):
    flags = 0
    for entry in c.linux.get("namespaces", []):
        if entry["type"] not in FLAGS:
            raise ContainerError(f"unknown namespace: {entry['type']}")
        flags |= FLAGS[entry["type"]]
    return clone(flags)
