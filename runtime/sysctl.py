"""Kernel parameters of the container's namespaces (config-linux.md, Sysctl)."""

from __future__ import annotations

import os

from runtime.errors import RuntError, describe
from runtime.kernel import mount as kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.container import Container


def write_sysctls(c: Container) -> None:
    """Write the kernel parameters, through the host's own /proc: the container's could be a fake.

    config-linux.md, Sysctl. Which namespace a parameter belongs to follows the process that writes it, not the procfs
    that it is written through.
    """
    sysctls = c.linux.get("sysctl", {})
    if not sysctls:
        return
    if kernel.filesystem_type("/proc") != kernel.PROC_SUPER_MAGIC:
        raise RuntError("sysctls cannot be written: /proc is not a procfs")
    base = os.open("/proc/sys", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    stay = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_XDEV
    for name, value in sysctls.items():
        try:
            fd = kernel.openat2(base, sysctl_path(name), os.O_WRONLY, stay)
            try:
                os.write(fd, value.encode())
            finally:
                os.close(fd)
        except OSError as error:
            raise RuntError(f"cannot write sysctl {name} = {value}: {describe(error)}") from None
    os.close(base)


def sysctl_path(name: str) -> str:
    """Return the path of a parameter beneath /proc/sys.

    As in sysctl(8) the first separator decides: dots separate, or slashes do and dots are part of a name.
    """
    separators = [character for character in name if character in "./"]
    if separators[:1] == ["/"]:
        return name
    return name.translate(str.maketrans("./", "/."))
