from syscalls import (
    CAPABILITIES,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    SyscallError,
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
