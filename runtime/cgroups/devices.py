"""The devices that the container may use (config-linux.md, Allowed Device list).

After the rules of the configuration runc adds the default devices and the permission to make nodes for all; before them it
denies all. Callers rely on both.
"""

from __future__ import annotations

import os

from runtime.cgroups import hierarchies
from runtime.cgroups.group import Group
from runtime.support import log
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import DeviceRule
    from runtime.state.container import Container

    Number = int | None

_ACCESSES = "rwm"
"""Read, write, mknod (config-linux.md, Allowed Device list)."""
_ALWAYS_ALLOWED: tuple[tuple[str, Number, Number, str], ...] = (
    ("c", None, None, "m"),
    ("b", None, None, "m"),
    # null, random, full, tty, zero, urandom: config-linux.md, Default Devices.
    ("c", 1, 3, "rwm"),
    ("c", 1, 8, "rwm"),
    ("c", 1, 7, "rwm"),
    ("c", 5, 0, "rwm"),
    ("c", 1, 5, "rwm"),
    ("c", 1, 9, "rwm"),
    # The terminals of a devpts, and the ptmx that makes them.
    ("c", 136, None, "rwm"),
    ("c", 5, 2, "rwm"),
    # /dev/net/tun: runc removed it from the list once, and added it again.
    ("c", 10, 200, "rwm"),
)


def restrict_devices(c: Container) -> None:
    """Allow the container its devices, and no others.

    "The runtime MUST apply entries in the listed order." Done after mounting the container's filesystems: one may be on a
    device that the container has no access to.
    """
    directories = c.entry.record["cgroups"]
    if not directories or _is_unprivileged():
        # Only the host's root may do it (cgroup-v1/devices); runc leaves it out too.
        return
    configured = c.linux.get("resources", {}).get("devices", [])
    _warn_of_unknown_accesses(configured)
    rules = rules_to_apply(configured)
    try:
        if hierarchies.is_version2():
            _attach_program(directories[0], rules)
        else:
            _write_rules(directories, rules)
    except OSError as error:
        raise RuntError(f"cannot restrict the container's devices: {describe(error)}") from None


def _warn_of_unknown_accesses(configured: list[DeviceRule]) -> None:
    for index, rule in enumerate(configured):
        unknown = "".join(sorted(set(rule["access"]) - set(_ACCESSES)))
        if unknown:
            log.warning(
                f"linux.resources.devices[{index}].access: {unknown!a} is ignored: only r, w and m have a meaning "
                "(config-linux.md, Allowed Device list)"
            )


def rules_to_apply(configured: list[DeviceRule]) -> list[DeviceRule]:
    """Return the rules in their order: one that denies all, the configuration's, those of the default devices.

    As with runc, letters that are no access are left out, and a rule without an access has no effect.
    """
    rules: list[DeviceRule] = [{"allow": False, "access": "rwm"}]
    for configured_rule in configured:
        access = "".join(letter for letter in _ACCESSES if letter in configured_rule["access"])
        if access:
            rules.append({**configured_rule, "access": access})
    for kind, major, minor, access in _ALWAYS_ALLOWED:
        rule: DeviceRule = {"allow": True, "type": kind, "access": access}  # type: ignore[typeddict-item]
        if major is not None:
            rule["major"] = major
        if minor is not None:
            rule["minor"] = minor
        rules.append(rule)
    return rules


def _write_rules(directories: list[str], rules: list[DeviceRule]) -> None:
    """Write the rules into the files of v1's devices controller."""
    allow = Group(directories).path("devices.allow")
    if allow is None:
        raise RuntError("cannot restrict the container's devices: there is no cgroup controller devices")
    files = {True: os.open(allow, os.O_WRONLY | os.O_CLOEXEC)}
    files[False] = os.open(f"{os.path.dirname(allow)}/devices.deny", os.O_WRONLY | os.O_CLOEXEC)
    for rule in rules:
        os.write(files[rule["allow"]], _line(rule).encode())
    for fd in files.values():
        os.close(fd)


def _line(rule: DeviceRule) -> str:
    """Return a rule as v1 reads it: `c 1:3 rwm`, with `*` for all numbers."""
    major, minor = (
        "*" if number < 0 else str(number) for number in (rule.get("major", -1), rule.get("minor", -1))
    )
    return f"{rule.get('type', 'a')} {major}:{minor} {rule['access']}"


def _attach_program(directory: str, rules: list[DeviceRule]) -> None:
    """Attach the program of v2 that the kernel runs for every device that is opened or made."""
    from runtime.cgroups import device_program

    device_program.attach(directory, rules)


def _is_unprivileged() -> bool:
    """Tell whether this process is not root, or root only in a user namespace (user_namespaces(7))."""
    if os.geteuid() != 0:
        return True
    with open("/proc/self/uid_map", encoding="utf-8") as file:
        return file.read().split() != ["0", "0", "4294967295"]
