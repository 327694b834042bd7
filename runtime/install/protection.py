"""Protecting the program that runs a container, here the Python interpreter, from the container (CVE-2019-5736).

While `runt` prepares a container's process, and when the container's own program is `#!/proc/self/exe`, /proc/PID/exe leads
out of the container to a file of the host (proc(5)). A process in the container that is the host's root may
write to it, and then controls every later start of Python on the host. A running program can't be written to, but the
container keeps a descriptor and waits for its end. So the interpreter is run from where no process can write to it:

- from a read-only mount of the interpreter, which the installed launcher uses: a link such as /proc/PID/exe leads to the
  file *by the mount*, and a container can't change mounts of the host's mount namespace. Only the first start after a
  boot takes longer, which makes the mount;
- otherwise from a sealed copy in memory (memfd_create(2)): 25 ms, because it starts twice;
- as it is, where the caller is not root and the interpreter belongs to root.

Other files of the host that the process has in memory, such as the C library, can be reached by /proc/PID/map_files only.
That needs capabilities over the whole machine (proc(5)), and a process with those can write to the disk itself. Against
reading the memory and the descriptors of a process that enters a container, PR_SET_DUMPABLE is cleared before it does
(`namespaces.clone`, `namespaces.setns`).
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys

from runtime.install.interpreter import PLACES
from runtime.lifecycle import interrupts
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


_CANNOT = "cannot protect the Python interpreter from the container"
_REMEDY = (
    "python -m runtime.install.launcher install, as root, makes a runt that needs no copy of it in memory"
)
_SELF = "/proc/self/exe"
_ONCE = "runt-protected"
"""Set with -X by a start that must be protected, so that it is tried only once."""
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def protect() -> None:
    """Return if no container can write to the interpreter of this process; else start again with one that is protected.

    To be called before anything is acquired. Raises RuntError where it can't be done.
    """
    try:
        link = os.readlink(_SELF)
        if _is_mounted_readonly(_SELF):
            if link.startswith(f"{PLACES}/") and link.endswith(" (deleted)"):
                _replace_mount(link.removesuffix(" (deleted)"))
            return
        if _is_out_of_reach(_SELF) or _is_sealed():
            return
        if _ONCE in sys._xoptions:
            raise RuntError(f"{_CANNOT}: {_REMEDY}")
        _start_again(link)
    except OSError as error:
        hint = "is /proc mounted?" if isinstance(error, FileNotFoundError) else _REMEDY
        raise RuntError(f"{_CANNOT}: {describe(error)}: {hint}") from None


def mount_and_restart(place: str, interpreter: str) -> NoReturn:
    """Make the read-only mount of `interpreter` in `place`, then run the command line of the mount's stand-in.

    Where it can't be made, the interpreter itself runs the command line, and `protect` makes a sealed copy.
    """
    program = f"{place}/python3"
    try:
        _mount(program, interpreter)
    except OSError:
        program = interpreter
    os.execv(program, [program, *sys.argv[1:]])


def unmount(program: str) -> None:
    """Remove the mount at `program`, and those that other starts made at the same time. Raises OSError."""
    from runtime.kernel import mount as kernel

    try:
        while True:
            kernel.umount2(program, kernel.MNT_DETACH | kernel.UMOUNT_NOFOLLOW)
    except OSError as error:
        # Nothing is mounted there (umount(2)).
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise


def _is_mounted_readonly(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _is_out_of_reach(path: str) -> bool:
    """Tell whether this process, and so any with no more rights, can't write to root's file `path` or replace it."""
    status = os.stat(path)
    return os.geteuid() != 0 and status.st_uid == 0 and not status.st_mode & 0o022


def _is_same(mounted: str, interpreter: str) -> bool:
    """Tell whether the file `mounted` is the interpreter, which it is by a mount only."""
    try:
        return os.path.samefile(mounted, interpreter)
    except FileNotFoundError:
        return False


def _is_sealed() -> bool:
    fd = os.open(_SELF, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    except OSError:
        # Not a file in memory.
        return False
    finally:
        os.close(fd)


def _start_again(interpreter: str) -> NoReturn:
    """Run the command line by the mounted interpreter if there is one, or else by a sealed copy."""
    from runtime.install.interpreter import place, program

    # As the launcher does, so that no signal ends the interpreter while it starts.
    interrupts.hold()
    options = ["-I", "-S", "-X", _ONCE, "-c", program(), *sys.argv[1:]]
    mounted = f"{place(interpreter)}/python3"
    if _is_same(mounted, interpreter) and _is_mounted_readonly(mounted):
        os.execv(mounted, [mounted, *options])
    # By its own path: there it finds its library.
    os.execve(_sealed_copy(), [interpreter, *options], os.environ)


def _sealed_copy() -> int:
    """Return the descriptor of a copy of the interpreter that can't be changed any more, close-on-exec."""
    fd = os.memfd_create("runt", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    source = os.open(_SELF, os.O_RDONLY | os.O_CLOEXEC)
    while os.sendfile(fd, source, None, 1 << 30):
        pass
    os.close(source)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd


def _replace_mount(program: str) -> NoReturn:
    """Mount the interpreter again: it has been replaced, for example by an upgrade, and the mount still shows the old one."""
    unmount(program)
    os.execv(program, [program, *sys.orig_argv[1:]])


def _mount(program: str, interpreter: str) -> None:
    """Mount `interpreter` read-only at `program`, once. Raises OSError."""
    from runtime.kernel import mount as kernel

    with open(f"{os.path.dirname(program)}/lock", "w", encoding="utf-8") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if _is_same(program, interpreter):
            return
        tree = kernel.open_tree(kernel.AT_FDCWD, interpreter)
        kernel.mount_setattr(
            tree, attr_set=kernel.ATTR_RDONLY | kernel.ATTR_NODEV, propagation=kernel.MS_PRIVATE
        )
        target = os.open(program, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        kernel.move_mount(tree, target)
        os.close(target)
        os.close(tree)
