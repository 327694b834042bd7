"""Network devices of the host that move into the container (config-linux.md, Network Devices).

They stay there: "The runtime MUST NOT attempt to move the interface out of the namespace before deletion". When the
namespace ends, the kernel gives physical ones back and destroys virtual ones (network_namespaces(7)).
"""

from __future__ import annotations

import os

from runtime.kernel import netlink
from runtime.kernel import process as kernel
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import NetDevice
    from runtime.kernel.netlink import Address

_KEPT_ATTRIBUTES = (1, 2, 4)
"""IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST: an address itself, without its label, which is the interface's old name."""
_IFA_F_PERMANENT = 0x80
_RT_SCOPE_UNIVERSE = 0


def move(devices: dict[str, NetDevice], init_pid: int) -> None:
    """Move `devices` to the network namespace of the init process, with their permanent addresses; switch them on.

    All names are checked before the first device moves. Raises RuntError.
    """
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    theirs = os.open(f"/proc/{init_pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        indexes = {name: _index(name) for name in devices}
        kernel.setns(theirs, kernel.CLONE_NEWNET)
        names = _new_names({name: device.get("name", name) for name, device in devices.items()})
        for name, index in indexes.items():
            kernel.setns(own, kernel.CLONE_NEWNET)
            addresses = [_copy(address) for address in netlink.addresses(index) if _is_lasting(address)]
            _move(name, index, theirs, names[name])
            kernel.setns(theirs, kernel.CLONE_NEWNET)
            _configure(names[name], addresses)
    finally:
        kernel.setns(own, kernel.CLONE_NEWNET)
        os.close(own)
        os.close(theirs)


def _index(name: str) -> int:
    index = netlink.index_of(name)
    if not index:
        raise RuntError(f"link not found for interface {name} on runtime namespace")
    return index


def _new_names(wanted: dict[str, str]) -> dict[str, str]:
    """Return the names that devices get in this process's network namespace; `%d` becomes a number that is free there."""
    names: dict[str, str] = {}
    for old, new in wanted.items():
        name, number = new.replace("%d", "0"), 0
        while "%d" in new and (netlink.index_of(name) or name in names.values()):
            number += 1
            name = new.replace("%d", str(number))
        if netlink.index_of(name) or name in names.values():
            raise RuntError(f"cannot move network device {old}: {name} already exists in the container")
        names[old] = name
    return names


def _is_lasting(address: Address) -> bool:
    """Tell whether an address is one to copy: "all permanent IP addresses ... with global scope"."""
    return bool(address.flags & _IFA_F_PERMANENT) and address.scope == _RT_SCOPE_UNIVERSE


def _copy(address: Address) -> Address:
    address.attributes = {
        kind: address.attributes[kind] for kind in _KEPT_ATTRIBUTES if kind in address.attributes
    }
    return address


def _move(name: str, index: int, namespace: int, new_name: str) -> None:
    try:
        netlink.move_link(index, namespace, new_name)
    except OSError as error:
        raise RuntError(f"fail to move network device {name}: {describe(error)}") from None


def _configure(name: str, addresses: list[Address]) -> None:
    """Give a device that has just arrived its addresses back, and switch it on."""
    try:
        index = netlink.index_of(name)
        for address in addresses:
            netlink.add_address(index, address)
        netlink.set_up(index)
    except OSError as error:
        raise RuntError(f"fail to set up network device {name} in the container: {describe(error)}") from None
