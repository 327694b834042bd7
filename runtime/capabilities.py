"""Capabilities: the five sets of the program (config.md, Linux Process; capabilities(7))."""

from __future__ import annotations

from runtime.kernel import process as kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.container import Container

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
"""All capabilities; the place in this tuple is the number (linux/capability.h)."""

SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")


def read_capabilities(c: Container) -> None:
    """Turn the names of the configuration into numbers, and leave out what can't be granted.

    config.md, Linux Process: "Any value which cannot be mapped to a relevant kernel interface, or cannot be granted
    otherwise MUST be logged as a warning by the runtime." No `capabilities` at all means none, as with runc.
    """
    configured = c.process.get("capabilities", {})
    refused = []
    for name in SETS:
        c.capabilities[name] = 0
        # mypy knows the names of a TypedDict only as literals.
        for capability in dict(configured.items()).get(name, []):  # type: ignore[attr-defined]
            if capability in NAMES and kernel.in_bounding_set(NAMES.index(capability)):
                c.capabilities[name] |= 1 << NAMES.index(capability)
            elif capability not in refused:
                refused.append(capability)
    if refused:
        c.warnings.append(
            f"ignoring capabilities that are unknown or not available here: {', '.join(refused)}"
        )


def drop_bounding_set(c: Container) -> None:
    """Reduce the bounding set, above which no program of the container can ever get (capabilities(7))."""
    for number in range(64):
        if number < len(NAMES) and c.capabilities["bounding"] >> number & 1:
            continue
        try:
            kernel.drop_from_bounding_set(number)
        except OSError:
            # The first number that this kernel has no capability for.
            if number >= len(NAMES):
                return


def set_capabilities(c: Container) -> None:
    """Set the other four sets, now that the user is the program's (config.md, Linux Process; capabilities(7))."""
    sets = c.capabilities
    kernel.capset(sets["effective"], sets["permitted"], sets["inheritable"])
    kernel.clear_ambient_set()
    for number in range(len(NAMES)):
        if sets["ambient"] >> number & 1:
            try:
                kernel.raise_ambient(number)
            except PermissionError:
                # Only what is permitted and inheritable can be ambient.
                c.warnings.append(
                    f"cannot make {NAMES[number]} ambient: it must be permitted and inheritable too"
                )
