"""What a security module calls the program: AppArmor profiles and SELinux labels (config.md, Linux Process).

The kernel takes them from the process itself, in files of its procfs. They are written while the host's /proc is still
ours: the container's could be a fake, into which everything can be written and nothing happens.
"""

from __future__ import annotations

import os

from runtime.errors import RuntError, describe
from runtime.kernel import mount as kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.container import Container

_NOT_RELABELLED = ("proc", "sysfs", "cgroup", "mqueue")
"""Filesystems that take no `context` option: SELinux has labels of its own for what is in them."""


def label_keyrings(c: Container) -> None:
    """Have the session keyring labelled as the program, which is going to use it; the next execve(2) ends that."""
    label = c.process.get("selinuxLabel")
    if label:
        _write("attr/keycreate", label)


def label_program(c: Container) -> None:
    """Say which profile and which label the next program that is executed gets: ours, or a hook in the container."""
    profile, label = c.process.get("apparmorProfile"), c.process.get("selinuxLabel")
    if profile:
        # Since Linux 5.8 each security module has a directory of its own; before, there was only one of them.
        own = os.path.exists("/proc/thread-self/attr/apparmor")
        _write("attr/apparmor/exec" if own else "attr/exec", f"exec {profile}")
    if label:
        _write("attr/exec", label)


def mount_context(c: Container, kind: str) -> str | None:
    """Return the label for the files of a new filesystem of type `kind` (config-linux.md, Mount Label), if there is one."""
    return None if kind in _NOT_RELABELLED else c.linux.get("mountLabel")


def _write(name: str, value: str) -> None:
    """Write a file of this thread's directory in /proc. Raises RuntError."""
    if kernel.filesystem_type("/proc") != kernel.PROC_SUPER_MAGIC:
        raise RuntError("security labels cannot be written: /proc is not a procfs")
    stay = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_XDEV
    base = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The number that we have there need not be the one that we have ourselves.
        fd = kernel.openat2(base, f"{os.readlink('thread-self', dir_fd=base)}/{name}", os.O_WRONLY, stay)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise RuntError(f"cannot set the security label {value}: {name}: {describe(error)}") from None
    finally:
        os.close(base)
