from syscalls import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, clone, setns

FLAGS = {
    "mnt": CLONE_NEWNS,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
    "net": CLONE_NEWNET,
}


def clone_init(c):
    flags, joined = 0, []
    for entry in c.linux.get("namespaces", []):
        if "path" in entry:
            joined.append(entry["path"])
        else:
            flags |= FLAGS[entry["type"]]
    pid = clone(flags)
    if pid == 0:
        for path in joined:
            setns(path)
    return pid
