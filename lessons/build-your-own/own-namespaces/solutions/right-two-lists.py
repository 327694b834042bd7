import functools
import operator

import syscalls
from container import ContainerError

NAMES = {
    "mount": "CLONE_NEWNS", "uts": "CLONE_NEWUTS", "ipc": "CLONE_NEWIPC", "pid": "CLONE_NEWPID",
    "network": "CLONE_NEWNET", "user": "CLONE_NEWUSER",
}


def flag_of(entry):
    try:
        return getattr(syscalls, NAMES[entry["type"]])
    except KeyError:
        raise ContainerError(f"unknown namespace: {entry['type']}") from None


def clone_init(c):
    entries = [each for each in c.linux.get("namespaces", []) if each["type"] != "cgroup"]
    made = [each for each in entries if not each.get("path")]
    entered = [each for each in entries if each.get("path")]
    flags = functools.reduce(operator.or_, map(flag_of, made), 0)
    for each in entered:
        if each["type"] == "pid":
            syscalls.setns(each["path"], flag_of(each))
    child = syscalls.clone(flags)
    if child == 0:
        for each in entered:
            if each["type"] != "pid":
                syscalls.setns(each["path"], flag_of(each))
    return child
