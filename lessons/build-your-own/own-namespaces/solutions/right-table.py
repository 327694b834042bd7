from container import ContainerError
from syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    clone,
    setns,
)

FLAGS = {
    "mount": CLONE_NEWNS,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
    "network": CLONE_NEWNET,
    "user": CLONE_NEWUSER,
    "cgroup": 0,  # the frame makes it later
}


def clone_init(c):
    new, joined = 0, []
    for entry in c.linux.get("namespaces", []):
        kind, path = entry["type"], entry.get("path")
        if kind not in FLAGS:
            raise ContainerError(f"what is a {kind} namespace?")
        if not path:
            new |= FLAGS[kind]
        elif kind == "pid":
            setns(path, CLONE_NEWPID)
        elif kind != "cgroup":
            joined.append(path)
    pid = clone(new)
    if pid != 0:
        return pid
    for path in joined:
        setns(path)
    return 0
