"""Kernel parameters of the container's namespaces (config-linux.md, Sysctl)."""

from __future__ import annotations

from runtime.kernel import procfs
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def write_sysctls(c: Container) -> None:
    """Write the kernel parameters, through the host's own /proc: the container's could be a fake.

    config-linux.md, Sysctl. Which namespace a parameter belongs to follows the process that writes it, not the procfs
    that it is written through.
    """
    for name, value in c.linux.get("sysctl", {}).items():
        try:
            procfs.write(f"sys/{sysctl_path(name)}", value)
        except OSError as error:
            raise RuntError(f"cannot write sysctl {name} = {value}: {describe(error)}") from None
        except RuntError as error:
            raise RuntError(f"cannot write sysctl {name} = {value}: {error.message}") from None


def sysctl_path(name: str) -> str:
    """Return the path of a parameter beneath /proc/sys.

    As in sysctl(8) the first separator decides: dots are separators, or slashes are and dots are part of a name.
    """
    separators = [character for character in name if character in "./"]
    if separators[:1] == ["/"]:
        return name
    return name.translate(str.maketrans("./", "/."))
