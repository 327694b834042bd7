"""Drop CAP_CHOWN from the bounding set, and print whether it is still effective."""

import ctypes

PR_CAPBSET_DROP, CAP_CHOWN = 24, 0
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(CAP_CHOWN), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
with open("/proc/self/status", encoding="ascii") as file:
    sets = dict(line.split(":", 1) for line in file if line.startswith("Cap"))
assert not int(sets["CapBnd"], 16) >> CAP_CHOWN & 1
print("effective:", "yes" if int(sets["CapEff"], 16) >> CAP_CHOWN & 1 else "no")
