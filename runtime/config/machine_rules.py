"""The requirements of a configuration on this machine, checked before anything is created.

The messages are runc's where it has one.
"""

from __future__ import annotations

import os

from runtime.config.namespaces import is_private
from runtime.config.shape import Mismatch, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.document import Place
    from runtime.config.types import Config, ProcessConfig

_LONGEST_DEVICE_NAME = 15
"""IFNAMSIZ of netdevice(7), without the NUL at the end."""


def check_labels(process: ProcessConfig, place: Place) -> None:
    """`apparmorProfile` and `selinuxLabel` need a kernel in which these are enabled (config.md, Linux Process)."""
    profile = process.get("apparmorProfile")
    if profile and not _apparmor_is_enabled():
        raise Mismatch(
            (*place, "apparmorProfile"),
            f": apparmor profile {found(profile)} is specified in config, but apparmor is disabled or not supported",
        )
    if process.get("selinuxLabel"):
        _need_selinux((*place, "selinuxLabel"))


def check_mount_label(config: Config) -> None:
    """`linux.mountLabel` needs a kernel in which SELinux is enabled (config-linux.md, Mount Label)."""
    if config["linux"].get("mountLabel"):
        _need_selinux(("linux", "mountLabel"))


def check_net_devices(config: Config) -> None:
    """`linux.netDevices`: names of devices, and a namespace that they can move to (config-linux.md, Network Devices)."""
    devices = config["linux"].get("netDevices", {})
    for name, device in devices.items():
        place = ("linux", "netDevices", name)
        if not is_private(config, "network"):
            raise Mismatch(place, ": unable to move network devices without a NET namespace")
        if os.geteuid() != 0:
            raise Mismatch(place, ": network devices are not supported for rootless containers")
        for candidate in (name, device.get("name", name)):
            if not _is_device_name(candidate):
                raise Mismatch(place, f": invalid network device name {found(candidate)}")


def check_net_devices_here(config: Config) -> None:
    """`linux.netDevices`: they are still in the runtime's namespace. Those of a container that is restored are in its own."""
    for name in config["linux"].get("netDevices", {}):
        if not _is_device(name):
            place = ("linux", "netDevices", name)
            raise Mismatch(place, f": link not found for interface {name} on runtime namespace")


def _need_selinux(place: Place) -> None:
    if not os.path.exists("/sys/fs/selinux/enforce"):
        raise Mismatch(
            place, ": selinux label is specified in config, but selinux is disabled or not supported"
        )


def _apparmor_is_enabled() -> bool:
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="utf-8") as file:
            return file.read(1) == "Y"
    except OSError:
        return False


def _is_device_name(name: str) -> bool:
    """Tell whether the kernel takes a name for a network device; one `%d` in it is for a number (dev_valid_name)."""
    plain = name.replace("%d", "0", 1)
    return (
        0 < len(plain.encode()) <= _LONGEST_DEVICE_NAME
        and plain not in (".", "..")
        and not any(character in "/:%" or character.isspace() for character in plain)
    )


def _is_device(name: str) -> bool:
    from runtime.kernel import netlink

    return netlink.index_of(name) != 0


MACHINE_RULES = (check_mount_label, check_net_devices, check_net_devices_here)
