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
    unshare,
)

LATER = {"mount": CLONE_NEWNS, "uts": CLONE_NEWUTS, "ipc": CLONE_NEWIPC, "network": CLONE_NEWNET}
FIRST = {"pid": CLONE_NEWPID, "user": CLONE_NEWUSER}


def clone_init(c):
    flags = 0
    for entry in c.linux.get("namespaces", []):
        if entry["type"] in FIRST:
            if "path" not in entry:
                flags |= FIRST[entry["type"]]
            elif entry["type"] == "pid":
                setns(entry["path"], CLONE_NEWPID)
        elif entry["type"] not in LATER and entry["type"] != "cgroup":
            raise ContainerError(f"unknown namespace {entry['type']}")
    pid = clone(flags)
    if pid == 0:
        for entry in c.linux.get("namespaces", []):
            if entry["type"] in LATER:
                if "path" in entry:
                    setns(entry["path"], LATER[entry["type"]])
                else:
                    unshare(LATER[entry["type"]])
    return pid
