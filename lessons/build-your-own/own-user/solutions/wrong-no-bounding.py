from syscalls import (
    CAPABILITIES,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_SET_NO_NEW_PRIVS,
    capget,
    capset,
    prctl,
)


def bits(names):
    result = 0
    for name in names:
        result |= 1 << CAPABILITIES.index(name[len("CAP_"):])
    return result


def set_capabilities(c):
    sets = c.process.get("capabilities", {})
    ambient = bits(sets.get("ambient", []))
    have = capget()[1]
    capset(have, have, 0)
    capset(bits(sets.get("effective", [])), bits(sets.get("permitted", [])), bits(sets.get("inheritable", [])))
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(64):
        if ambient & 1 << number:
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)
    if c.process.get("noNewPrivileges", False):
        prctl(PR_SET_NO_NEW_PRIVS, 1)
