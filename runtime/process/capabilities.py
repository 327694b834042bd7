"""Capabilities: the five sets of the program (config.md, Linux Process; capabilities(7))."""

from __future__ import annotations

from runtime.kernel import process as kernel
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container

NAMES = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
)
"""All capabilities; the index in this tuple is the number (linux/capability.h)."""

_MOST_NAMED = 41
"""The most names in one warning: a configuration without unknown names has no more."""


def read_capabilities(c: Container) -> None:
    """Turn the names of the configuration into numbers, and leave out what can't be granted.

    config.md, Linux Process: "Any value which cannot be mapped to a relevant kernel interface, or cannot be granted
    otherwise MUST be logged as a warning by the runtime." No `capabilities` at all means none, as with runc.
    """
    configured = c.process.get("capabilities", {})
    refused = []
    for name, capabilities in (
        ("bounding", configured.get("bounding", [])),
        ("effective", configured.get("effective", [])),
        ("inheritable", configured.get("inheritable", [])),
        ("permitted", configured.get("permitted", [])),
        ("ambient", configured.get("ambient", [])),
    ):
        c.capabilities[name] = 0
        for capability in capabilities:
            if _is_available(capability):
                c.capabilities[name] |= 1 << NAMES.index(capability)
            elif capability not in refused:
                refused.append(capability)
    if refused:
        more = f" and {len(refused) - _MOST_NAMED} more" if len(refused) > _MOST_NAMED else ""
        named = ", ".join(name[:64] for name in refused[:_MOST_NAMED])
        c.warnings.append(f"ignoring capabilities that are unknown or not available here: {named}{more}")
    possible = c.capabilities["permitted"] & c.capabilities["inheritable"]
    too_much = c.capabilities["ambient"] & ~possible
    c.capabilities["ambient"] &= possible
    if too_much:
        c.warnings.append(
            f"can't raise ambient capability {_names(too_much)}: not both permitted and inheritable"
        )


def drop_bounding_set(c: Container) -> None:
    """Drop capabilities from the bounding set, which limits every program of the container (capabilities(7))."""
    for number in range(64):
        try:
            present = kernel.in_bounding_set(number)
        except OSError:
            # A capability that this kernel does not have.
            return
        if present and not c.capabilities["bounding"] >> number & 1:
            kernel.drop_from_bounding_set(number)


def set_capabilities(c: Container) -> None:
    """Set the other four sets, now that the user is the program's (config.md, Linux Process; capabilities(7)).

    Raises RuntError, in runc's words, with the rule of capset(2) that they break.
    """
    sets = c.capabilities
    try:
        kernel.capset(sets["effective"], sets["permitted"], sets["inheritable"])
    except PermissionError as error:
        reason = describe(error)
        for name, limit in (("effective", "permitted"), ("inheritable", "bounding")):
            if too_much := sets[name] & ~sets[limit]:
                reason += f": {_names(too_much)} in {name}, but not in {limit}"
        raise RuntError(f"unable to apply caps: {reason}") from None
    kernel.clear_ambient_set()
    for number in range(len(NAMES)):
        if sets["ambient"] >> number & 1:
            kernel.raise_ambient(number)


def _names(capabilities: int) -> str:
    return ", ".join(name for number, name in enumerate(NAMES) if capabilities >> number & 1)


def _is_available(capability: str) -> bool:
    """Tell whether this kernel knows a capability, and the caller has it in its bounding set."""
    if capability not in NAMES:
        return False
    try:
        return kernel.in_bounding_set(NAMES.index(capability))
    except OSError:
        return False
