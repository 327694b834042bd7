"""The security labels of the program: AppArmor profiles and SELinux labels (config.md, Linux Process).

The kernel takes them from the process itself, in files of its procfs. They are written while the host's /proc is still
visible: the container's could be a fake, where writing has no effect.
"""

from __future__ import annotations

import os

from runtime.kernel import procfs
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container


def label_keyrings(c: Container) -> None:
    """Label the session keyring as the program, which will use it; the setting lasts until the next execve(2)."""
    label = c.process.get("selinuxLabel")
    if label:
        _write("attr/keycreate", label)


def label_program(c: Container) -> None:
    """Set the profile and the label of the next program that is executed: the container's, or a hook in it."""
    profile, label = c.process.get("apparmorProfile"), c.process.get("selinuxLabel")
    if profile:
        # Since Linux 5.8 each security module has a directory of its own; before, all shared one.
        own = os.path.exists("/proc/self/attr/apparmor")
        _write("attr/apparmor/exec" if own else "attr/exec", f"exec {profile}")
    if label:
        _write("attr/exec", label)


def _write(name: str, value: str) -> None:
    """Write a file of this process's directory in /proc. Raises RuntError."""
    try:
        procfs.write_own(name, value)
    except OSError as error:
        raise RuntError(f"cannot set the security label {value}: {name}: {describe(error)}") from None
    except RuntError as error:
        raise RuntError(f"cannot set the security label {value}: {error.message}") from None
