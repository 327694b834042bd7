"""A container that one can say aloud: python3 aloud.py ROOT PROGRAM [ARGUMENT ...]"""

import ctypes
import os
import sys
import warnings  # noqa: F401  os.execvp needs it, and after chroot it can't be found any more

CLONE_NEWPID = 0x2000_0000
libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    if libc.unshare(flags) == -1:
        errno = ctypes.get_errno()
        raise OSError(errno, f"unshare: {os.strerror(errno)}")


root, *program = sys.argv[1:]
unshare(CLONE_NEWPID)  # the next child is process 1 of a new namespace
child = os.fork()
if child == 0:
    os.chroot(root)
    os.chdir("/")
    os.execvp(program[0], program)

with open("aloud.pid", "w", encoding="ascii") as file:
    file.write(f"{child:d}\n")
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
