import os
import resource

from syscalls import CAPABILITIES, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, capget, capset, prctl

PR_CAPBSET_DROP = 24
PR_CAP_AMBIENT, AMBIENT_RAISE, AMBIENT_CLEAR = 47, 2, 4


def set_user(c):
    user = c.process.get("user", {})
    uid, gid = user.get("uid", 0), user.get("gid", 0)
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups(user.get("additionalGids", []))
    os.setresgid(gid, gid, gid)
    for each in c.process.get("rlimits", []):
        resource.prlimit(0, getattr(resource, each["type"]), (each["soft"], each["hard"]))
    os.setresuid(uid, uid, uid)
    os.umask(user.get("umask", 0o022))


def last_capability():
    with open("/proc/sys/kernel/cap_last_cap") as file:
        return int(file.read())


def set_capabilities(c):
    asked = c.process.get("capabilities", {})
    masks = {}
    for kind in ("bounding", "effective", "permitted", "inheritable", "ambient"):
        numbers = [CAPABILITIES.index(name.replace("CAP_", "", 1)) for name in asked.get(kind, [])]
        masks[kind] = sum(1 << number for number in numbers)
    _, permitted, inheritable = capget()
    capset(permitted, permitted, inheritable)
    for number in range(last_capability() + 1):
        if not masks["bounding"] >> number & 1:
            prctl(PR_CAPBSET_DROP, number)
    if c.process.get("noNewPrivileges"):
        prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_CAP_AMBIENT, AMBIENT_CLEAR)
    capset(masks["effective"], masks["permitted"], masks["inheritable"])
    for number in range(last_capability() + 1):
        if masks["ambient"] >> number & 1:
            prctl(PR_CAP_AMBIENT, AMBIENT_RAISE, number)
