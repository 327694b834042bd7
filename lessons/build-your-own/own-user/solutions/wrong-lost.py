import os
import resource

from syscalls import (
    CAPABILITIES,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    PR_SET_NO_NEW_PRIVS,
    SyscallError,
    capget,
    capset,
    prctl,
)


def set_user(c):
    user = c.process.get("user", {})
    os.umask(user.get("umask", 0o22))
    for each in c.process.get("rlimits", []):
        number = getattr(resource, each["type"])
        resource.setrlimit(number, (each["soft"], each["hard"]))
    os.setgroups(user.get("additionalGids", []))
    os.setgid(user.get("gid", 0))
    os.setuid(user.get("uid", 0))


def bits(names):
    result = 0
    for name in names:
        result |= 1 << CAPABILITIES.index(name[len("CAP_"):])
    return result


def set_capabilities(c):
    sets = c.process.get("capabilities", {})
    bounding, ambient = bits(sets.get("bounding", [])), bits(sets.get("ambient", []))
    have = capget()[1]
    capset(have, have, 0)
    for number in range(64):
        try:
            present = prctl(PR_CAPBSET_READ, number)
        except SyscallError:
            break
        if present and not bounding & 1 << number:
            prctl(PR_CAPBSET_DROP, number)
    capset(bits(sets.get("effective", [])), bits(sets.get("permitted", [])), bits(sets.get("inheritable", [])))
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(64):
        if ambient & 1 << number:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)
    if c.process.get("noNewPrivileges", False):
        prctl(PR_SET_NO_NEW_PRIVS, 1)
