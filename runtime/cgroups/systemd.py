"""systemd's driver: the container's cgroup is a scope, a unit of systemd for processes of other programs (`--systemd-cgroup`).

Two managers of one tree would undo each other's changes (systemd's Control Group APIs and Delegation). So systemd makes the
cgroup, has its limits, and removes it; with `Delegate` the runtime manages what is in it, and writes its files as usual.
For another user than root it is the systemd of that user, which has been given a cgroup of its own (`systemd_sockets`).

A scope can't be without a process, and limits must be set before init is made in it. So a placeholder, a child that does
nothing, is its first process, and ends when init is there. It dies with the runtime, and a scope without processes is
removed by systemd: whenever the runtime is killed, `delete --force` finds all that is left by the recorded name.
"""

from __future__ import annotations

import os
import time

from runtime.cgroups import hierarchies, systemd_sockets
from runtime.cgroups.dbus import DBusError
from runtime.cgroups.group import Group
from runtime.cgroups.limits import settings
from runtime.cgroups.systemd_properties import limits_as_properties
from runtime.cgroups.systemd_sockets import SERVICE
from runtime.kernel import process as kernel
from runtime.support import signals
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.cgroups.dbus import Connection
    from runtime.cgroups.version1 import Setting
    from runtime.config.types import Config
    from runtime.state.container import Container
    from runtime.state.store import Entry

_MANAGER = ("/org/freedesktop/systemd1", f"{SERVICE}.Manager")
_PROPERTIES = "org.freedesktop.DBus.Properties"
_NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.-"


def check(config: Config) -> None:
    """Refuse what can't be done by systemd, before anything is made. Raises RuntError."""
    if not os.path.isdir(systemd_sockets.BOOTED):
        raise RuntError(
            "systemd cgroup flag passed, but systemd does not run on this machine: "
            "leave --systemd-cgroup out to have cgroupfs used"
        )
    if not hierarchies.is_version2():
        raise RuntError(
            "systemd cgroup flag passed, but the controllers of this machine belong to cgroup v1: "
            "leave --systemd-cgroup out to have cgroupfs used"
        )
    _split(config, "", "")


def make_scope(c: Container) -> list[str]:
    """Make the container's cgroup by systemd, after recording its name; return the directory. Raises RuntError."""
    is_users_own = systemd_sockets.is_users_own()
    slice_name, unit = _split(
        c.config, c.entry.record["id"], "user.slice" if is_users_own else "system.slice"
    )
    if is_users_own:
        systemd = systemd_sockets.connect_to_the_users()
    else:
        systemd = systemd_sockets.connect_to_the_machines()
    try:
        c.entry.save(unit=unit, users_systemd=systemd.path if is_users_own else "")
        c.cgroup.placeholder = _start_placeholder()
        properties = [
            ("Description", ("s", _description(c.entry))),
            ("Slice", ("s", slice_name)),
            ("PIDs", ("au", [c.cgroup.placeholder])),
            ("Delegate", ("b", True)),
            ("DefaultDependencies", ("b", False)),
            # Also a unit that could not be started is removed at once.
            ("CollectMode", ("s", "inactive-or-failed")),
            *((f"{kind}Accounting", ("b", True)) for kind in ("Memory", "CPU", "IO", "Tasks")),
            *limits_as_properties(
                settings(c.linux.get("resources", {}), Group([]), is_version2=True),
            ),
        ]
        _start(systemd, unit, properties)
        path = _property(systemd, unit, "Scope", "ControlGroup")
    finally:
        systemd.close()
    return [hierarchies.mounted()[0].mountpoint + path]


def change_limits(entry: Entry, changed: list[Setting], change: Callable[[], None]) -> None:
    """Call `change`, and set the changed limits in systemd, which writes its own again whenever it reloads.

    Raises RuntError: nothing has been changed then if systemd can't be reached.
    """
    properties = limits_as_properties(changed)
    if not properties:
        change()
        return
    systemd = _connect(entry)
    try:
        change()
        systemd.call(*_MANAGER, "SetUnitProperties", "sba(sv)", entry.record["unit"], True, properties)
        # It writes the files after it has answered, and before it answers the next call.
        _property(systemd, entry.record["unit"], "Scope", "ControlGroup")
    finally:
        systemd.close()


def stop_scope(entry: Entry) -> None:
    """End the processes of the container's scope and remove it by systemd, if it exists and is the container's."""
    unit = entry.record["unit"]
    try:
        systemd = _connect(entry)
    except systemd_sockets.UnreachableError:
        if any(map(os.path.isdir, entry.record["cgroups"])):
            raise
        # The user has logged out: the scope has ended with the systemd that made it.
        return
    try:
        if _property(systemd, unit, "Unit", "Description") != _description(entry):
            # The name was in use already.
            return
        systemd.call(*_MANAGER, "Subscribe")
        systemd.call(*_MANAGER, "KillUnit", "ssi", unit, "all", int(signals.SIGKILL))
        (job,) = systemd.call(*_MANAGER, "StopUnit", "ss", unit, "replace")
        systemd.wait_for_signal("JobRemoved", 1, job)
        systemd.call(*_MANAGER, "ResetFailedUnit", "s", unit)
    except DBusError as error:
        # systemd may remove it at any moment, since its last process has ended.
        if error.name != f"{SERVICE}.NoSuchUnit":
            raise
    finally:
        systemd.close()


def move_process(entry: Entry, leaf: str, pid: int) -> None:
    """Have systemd move a process into `leaf`, the cgroup of the container's scope or one below it. Raises RuntError.

    The user may not do that where the process is in a cgroup that is not the user's own, as those of a login are:
    admin-guide/cgroup-v2, Delegation Containment. The user's systemd asks that of the machine.
    """
    below = leaf.removeprefix(entry.record["cgroups"][0])
    systemd = _connect(entry)
    try:
        systemd.call(*_MANAGER, "AttachProcessesToUnit", "ssau", entry.record["unit"], below or "/", [pid])
    except DBusError as error:
        raise RuntError(f"systemd does not move the process into {leaf}: {error.message}") from None
    finally:
        systemd.close()


def _split(config: Config, container_id: str, usual_slice: str) -> tuple[str, str]:
    """Return the slice and the name of the container's scope: cgroupsPath is `slice:prefix:name`, as with runc.

    A path for cgroupfs has no meaning here. Raises RuntError.
    """
    path = config["linux"].get("cgroupsPath")
    slice_name, prefix, name = "", "runt", container_id
    if path:
        parts = path.split(":")
        if len(parts) != 3:
            raise RuntError(
                'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, '
                f'got "{path}" instead'
            )
        slice_name, prefix, name = parts
    if name.endswith(".slice"):
        raise RuntError(f"cgroupsPath names the slice {name}: a container needs a scope of its own")
    return slice_name or usual_slice, f"{_escape(f'{prefix}-{name}' if prefix else name)}.scope"


def _escape(name: str) -> str:
    """Escape characters that no unit's name may have, as systemd-escape(1) does."""
    return "".join(
        letter if letter in _NAME_CHARACTERS else "".join(f"\\x{byte:02x}" for byte in letter.encode())
        for letter in name
    )


def _description(entry: Entry) -> str:
    """Return the description of the unit. It also identifies the container: no other has its state directory."""
    return f"runt container {entry.record['id']} ({entry.dir})"


def _connect(entry: Entry) -> Connection:
    """Connect to the systemd that has made the container's scope. Raises RuntError."""
    if known := entry.record.get("users_systemd"):
        return systemd_sockets.connect_to_the_users(known)
    return systemd_sockets.connect_to_the_machines()


def _start_placeholder() -> int:
    """Start a process that waits until it is killed, at the latest when the runtime ends (PR_SET_PDEATHSIG); return its pid."""
    parent = os.getpid()
    pid = kernel.clone3(0)
    if pid:
        return pid
    try:
        kernel.set_parent_death_signal(int(signals.SIGKILL))
        while os.getppid() == parent:
            time.sleep(60)
    finally:
        os._exit(0)


def _start(systemd: Connection, unit: str, properties: list[tuple[str, tuple[str, object]]]) -> None:
    """Start a scope, and wait until it is started."""
    systemd.call(*_MANAGER, "Subscribe")
    try:
        (job,) = systemd.call(
            *_MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", properties, []
        )
    except DBusError as error:
        if error.name != f"{SERVICE}.UnitExists":
            raise RuntError(f"systemd does not make the scope {unit}: {error.message}") from None
        raise RuntError(f"systemd has a unit {unit} already: is it another container's?") from None
    _, _, _, result = systemd.wait_for_signal("JobRemoved", 1, job)
    if result != "done":
        raise RuntError(f"systemd could not make the scope {unit}: the result is {result}")


def _property(systemd: Connection, unit: str, interface: str, name: str) -> str:
    (path,) = systemd.call(*_MANAGER, "GetUnit", "s", unit)
    (variant,) = systemd.call(path, _PROPERTIES, "Get", "ss", f"{SERVICE}.{interface}", name)
    return str(variant[1])
