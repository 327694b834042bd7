"""Which systemd makes the scope, and where it listens: the machine's for root, and for any other user the user's own.

The user's own is there while the user is logged in, or always with `loginctl enable-linger` (user@.service(5)). podman and
Docker run the runtime of such a user as root of a user namespace: there the files of the machine's root belong to nobody.
"""

from __future__ import annotations

import os

from runtime.cgroups.dbus import Connection
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "org.freedesktop.systemd1"
BOOTED = "/run/systemd/system"
"""The directory that exists where systemd is process 1 (sd_booted(3))."""
_BUS = "/run/dbus/system_bus_socket"
_PRIVATE = "systemd/private"
"""The socket of systemd itself, which is there without a bus, too."""
_WHAT = "D-Bus socket of systemd"


class UnreachableError(RuntError):
    """The user has no systemd that answers."""


def is_users_own() -> bool:
    """Tell whether it is the user's own systemd that makes the scope."""
    return os.geteuid() != 0 or os.stat(BOOTED).st_uid != 0


def connect_to_the_machines() -> Connection:
    """Connect to the socket of systemd itself, or where that can't be reached, to the system bus. Raises RuntError."""
    try:
        return Connection(f"/run/{_PRIVATE}", SERVICE, is_bus=False)
    except RuntError:
        if not os.path.exists(_BUS):
            raise
        return Connection(_BUS, SERVICE, is_bus=True)


def connect_to_the_users(known: str = "") -> Connection:
    """Connect to the user's systemd, by its socket `known` if that is there. Raises UnreachableError."""
    uid = host_uid()
    problems = []
    for path in dict.fromkeys([known, *users_sockets(os.environ, uid)]):
        if path:
            try:
                return Connection(path, SERVICE, is_bus=not path.endswith(f"/{_PRIVATE}"))
            except RuntError as error:
                problems.append(error.message.removeprefix(f"cannot connect to the {_WHAT}: "))
    raise UnreachableError(
        f"systemd cgroup flag passed, but the systemd of user {uid} cannot be reached ({'; '.join(problems)}): "
        "a login starts it, su and sudo do not, and `loginctl enable-linger` does when the machine boots; "
        "or leave --systemd-cgroup out to have cgroupfs used"
    )


def users_sockets(environ: Mapping[str, str], uid: int) -> list[str]:
    """Return the paths of the sockets at which the systemd of the user `uid` may listen, the best first.

    The one that the environment names, as with runc and crun; then those of the user's runtime directory (pam_systemd(8)).
    """
    paths = _paths(environ.get("DBUS_SESSION_BUS_ADDRESS", ""))
    for directory in (environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{uid}"):
        if directory.startswith("/"):
            paths += [f"{directory.rstrip('/')}/{name}" for name in (_PRIVATE, "bus")]
    return list(dict.fromkeys(paths))


def host_uid() -> int:
    """Return the user's ID on the host, also from inside of the user namespace that the caller made (user_namespaces(7))."""
    uid = os.geteuid()
    with open("/proc/self/uid_map", encoding="utf-8") as file:
        for line in file:
            inside, outside, size = map(int, line.split())
            if 0 <= uid - inside < size:
                return outside + uid - inside
    return uid


def _paths(address: str) -> list[str]:
    """Return the paths of the unix sockets in the address of a bus (D-Bus Specification, Server Addresses)."""
    from urllib.parse import unquote

    found = []
    for choice in address.split(";"):
        transport, _, keys = choice.strip().partition(":")
        for key in keys.split(","):
            name, _, value = key.partition("=")
            if (transport, name) == ("unix", "path"):
                found.append(unquote(value))
    return found
