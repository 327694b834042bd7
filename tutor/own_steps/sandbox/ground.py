"""The ground of a sandbox: the host's mounts, read-only; a small /dev, /run and /tmp of its own; the cgroup of the sandbox as the root."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple

from tutor.lab import cgroups, kernel
from tutor.own_steps.sandbox import limits
from tutor.own_steps.sandbox.places import CGROUP, HOST_NAME, WORK

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}  # fmt: skip
_HARMLESS = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
_REPLACED = ("/run", "/tmp", "/dev")  # noqa: S108  (mount points)
_RUNTIMES_LEAF = "runtime"
_PROTECTED = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi")
_OF_NAMESPACES = ("/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/proc/sys/net")
_SIZE = "mode=0755,size=128m"
# SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, AUDIT_CONTROL, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, WAKE_ALARM: no runtime needs them.
_DROPPED = (16, 17, 22, 25, 30, 32, 33, 34, 35)


class View(NamedTuple):
    """A cgroup that is to be the root of its hierarchy: the name of the hierarchy's folder with v1, and further names of that."""

    version: int
    name: str
    links: list[str]
    directory: str


def views(hierarchies: list[cgroups.Hierarchy], made: list[str]) -> list[View]:
    """Return the views of the cgroups that were made for a sandbox; to be called before it has a cgroup namespace."""
    found = []
    for hierarchy in hierarchies:
        directory = next((each for each in made if each.startswith(hierarchy.mount + "/")), "")
        if directory:
            name = os.path.basename(hierarchy.mount)  # noqa: PTH119  (starts fast)
            links = [
                each
                for each in hierarchy.controllers.split(",")
                if each != name and "," in hierarchy.controllers
            ]
            found.append(View(hierarchy.version, name, links, f"{directory}/{cgroups.LEAF}"))
    return found


def stand(keep: list[str], seen: list[View]) -> None:
    """Change this process's mount namespace, cgroup and host name into the sandbox's; it is in new namespaces already.

    Args:
        keep: folders that programs here need (the interpreter's, this program's), wherever they are.
        seen: the cgroups of the sandbox.

    Raises:
        OSError: the kernel refused; `filename` names the call.
    """
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    devices = {name: os.open(f"/dev/{name}", os.O_PATH | os.O_CLOEXEC) for name in _DEVICES}
    kept = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in keep if _is_replaced(path)}
    opened = [(each.version, each.name, each.links, os.open(each.directory, os.O_PATH)) for each in seen]
    kernel.make_read_only("/")
    kernel.mount("proc", "/proc", "proc", _HARMLESS)
    for path in _REPLACED:
        kernel.mount("tmpfs", path, "tmpfs", kernel.MS_NOSUID, _SIZE)
    _fill_dev(devices)
    for path, descriptor in kept.items():
        os.makedirs(path, exist_ok=True)  # noqa: PTH103  (starts fast)
        kernel.mount(f"/proc/self/fd/{descriptor}", path, flags=kernel.MS_BIND | kernel.MS_REC)
        kernel.make_read_only(path)
    os.mkdir(WORK, 0o755)  # noqa: PTH102
    kernel.mount("work", WORK, "tmpfs", 0, _SIZE)
    _show_cgroups(opened)
    for descriptor in (*devices.values(), *kept.values(), *(each[-1] for each in opened)):
        os.close(descriptor)
    _protect_proc()
    socket.sethostname(HOST_NAME)
    for capability in _DROPPED:
        kernel.drop_from_bounding_set(capability)
    os.chdir("/")


def _is_replaced(path: str) -> bool:
    return any(f"{path}/".startswith(f"{folder}/") for folder in _REPLACED)


def _fill_dev(devices: dict[str, int]) -> None:
    for name, descriptor in devices.items():
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_CLOEXEC, 0o666))
        # An ordinary user may not make device nodes.
        kernel.mount(f"/proc/self/fd/{descriptor}", f"/dev/{name}", flags=kernel.MS_BIND)
        # Devices can be written to on a read-only mount, but not their owners and modes.
        kernel.make_read_only(f"/dev/{name}")
    for name, target in _LINKS.items():
        os.symlink(target, f"/dev/{name}")  # noqa: PTH211  (starts fast)
    for name, kind, data in (("shm", "tmpfs", "mode=1777,size=8m"), ("pts", "devpts", "newinstance,ptmxmode=0666,mode=0620")):  # fmt: skip
        os.mkdir(f"/dev/{name}")  # noqa: PTH102
        kernel.mount(kind, f"/dev/{name}", kind, kernel.MS_NOSUID | kernel.MS_NOEXEC, data)


def _show_cgroups(opened: list[tuple[int, str, list[str], int]]) -> None:
    """Mount each hierarchy so that the sandbox's cgroup is its root, and move this process into one below it.

    Beside v1 a v2 without controllers is left out: then runtimes do as they do on plain v1.
    """
    first = [each for each in opened if each[0] == 1]
    if first or not opened:
        kernel.mount("tmpfs", CGROUP, "tmpfs", _HARMLESS, "mode=0755,size=64k")
    for version, name, links, descriptor in first or opened:
        target = f"{CGROUP}/{name}" if version == 1 else CGROUP
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
        kernel.mount(f"/proc/self/fd/{descriptor}", target, flags=kernel.MS_BIND)
        kernel.mount("", target, flags=kernel.MS_REMOUNT | kernel.MS_BIND | _HARMLESS)
        _move_below(target)
        for link in links:
            os.symlink(name, f"{CGROUP}/{link}")  # noqa: PTH211


def _move_below(directory: str) -> None:
    # A cgroup of v2 with processes can give no controllers to those below it.
    leaf = f"{directory}/{_RUNTIMES_LEAF}"
    os.mkdir(leaf)  # noqa: PTH102
    cgroups.join(leaf)
    limits.give_controllers(directory)


def _protect_proc() -> None:
    """Let nothing in /proc be written to that is the whole machine's; an ordinary user may not write to it anyway."""
    with open("/proc/self/uid_map", encoding="ascii") as file:  # noqa: PTH123
        if file.read().split()[2] != "4294967295":
            # Root of a user namespace can mount a further /proc only where nothing covers this one: mount_namespaces(7).
            return
    for path in (*_PROTECTED, *_OF_NAMESPACES):
        if os.path.exists(path):  # noqa: PTH110
            kernel.mount(path, path, flags=kernel.MS_BIND)
            flags = 0 if path in _OF_NAMESPACES else kernel.MS_RDONLY
            kernel.mount("", path, flags=kernel.MS_REMOUNT | kernel.MS_BIND | _HARMLESS | flags)
