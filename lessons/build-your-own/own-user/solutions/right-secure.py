import ctypes
import os
import resource

from syscalls import CAPABILITIES, PR_SET_NO_NEW_PRIVS, capget, capset, prctl

PR_SET_SECUREBITS, SECBIT_KEEP_CAPS = 28, 1 << 4


def set_user(c):
    for limit in c.process.get("rlimits", []):
        resource.setrlimit(getattr(resource, limit["type"]), (limit["soft"], limit["hard"]))
    # The bounding set needs CAP_SETPCAP, so it comes before the user id is given up.
    wanted = mask(c, "bounding")
    libc = ctypes.PyDLL(None, use_errno=True)
    number = 0
    while True:
        present = libc.prctl(23, ctypes.c_ulong(number))
        if present < 0:
            break
        if not wanted >> number & 1:
            prctl(24, number)
        number += 1
    prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS)
    user = c.process.get("user", {})
    os.setgroups(user.get("additionalGids", []))
    os.setgid(user.get("gid", 0))
    os.setuid(user.get("uid", 0))
    os.umask(user.get("umask", 0o022))


def mask(c, kind):
    names = c.process.get("capabilities", {}).get(kind, [])
    return sum(1 << CAPABILITIES.index(name.removeprefix("CAP_")) for name in names)


def set_capabilities(c):
    permitted = mask(c, "permitted")
    have = capget()[1]
    capset(have, have, 0)
    capset(mask(c, "effective"), permitted, mask(c, "inheritable"))
    prctl(47, 4)
    for number in range(len(CAPABILITIES)):
        if mask(c, "ambient") >> number & 1:
            prctl(47, 2, number)
    if c.process.get("noNewPrivileges"):
        prctl(PR_SET_NO_NEW_PRIVS, 1)
