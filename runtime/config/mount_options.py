"""The strings in `options` of a mount as flags of the kernel (config.md, Linux mount options; mount(8))."""

from __future__ import annotations

from runtime.kernel import mount as kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_ATIME = kernel.ATTR_ATIME
_FLAGS = (
    kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV | kernel.ATTR_NOEXEC | kernel.ATTR_NOSYMFOLLOW
)

ATTRIBUTES: dict[str, tuple[int, int]] = {
    "ro": (kernel.ATTR_RDONLY, 0),
    "rw": (0, kernel.ATTR_RDONLY),
    "nosuid": (kernel.ATTR_NOSUID, 0),
    "suid": (0, kernel.ATTR_NOSUID),
    "nodev": (kernel.ATTR_NODEV, 0),
    "dev": (0, kernel.ATTR_NODEV),
    "noexec": (kernel.ATTR_NOEXEC, 0),
    "exec": (0, kernel.ATTR_NOEXEC),
    "nosymfollow": (kernel.ATTR_NOSYMFOLLOW, 0),
    "symfollow": (0, kernel.ATTR_NOSYMFOLLOW),
    "nodiratime": (kernel.ATTR_NODIRATIME, 0),
    "diratime": (0, kernel.ATTR_NODIRATIME),
    "noatime": (kernel.ATTR_NOATIME, _ATIME),
    "strictatime": (kernel.ATTR_STRICTATIME, _ATIME),
    # These four are the kernel's default.
    "atime": (kernel.ATTR_RELATIME, _ATIME),
    "relatime": (kernel.ATTR_RELATIME, _ATIME),
    "norelatime": (kernel.ATTR_RELATIME, _ATIME),
    "nostrictatime": (kernel.ATTR_RELATIME, _ATIME),
}
"""Attributes of one mount of a filesystem: to set, and to clear before; with an `r` in front, recursively."""

_ACCESS_TIMES = ("noatime", "nodiratime", "relatime", "strictatime")
"""The options about access times that are flags of mount(2); the others take one of these back."""

PROPAGATION = {
    "private": kernel.MS_PRIVATE,
    "shared": kernel.MS_SHARED,
    "slave": kernel.MS_SLAVE,
    "unbindable": kernel.MS_UNBINDABLE,
}
"""mount_namespaces(7); with an `r` in front, recursively."""

SUPERBLOCK = {
    "ro": "ro",
    "rw": "rw",
    "sync": "sync",
    "async": "async",
    "dirsync": "dirsync",
    "lazytime": "lazytime",
    "nolazytime": "nolazytime",
    "mand": "mand",
    "nomand": "nomand",
}
"""Parameters of the filesystem, for all of its mounts (fsconfig(2))."""

_REMOUNT_FLAGS = {"ro": 1, "sync": 1 << 4, "mand": 1 << 6, "dirsync": 1 << 7, "lazytime": 1 << 25}
"""The same as flags of mount(2), for `remount`."""

_NOTHING = ("defaults", "loud", "silent", "auto", "noauto", "nofail", "_netdev")
"""`defaults` changes nothing, the next two are about messages, and all messages of a filesystem are shown; the rest are for
programs that read fstab(5), as are those that begin with `x-`."""


CGROUP_OPTIONS = (
    *("all", "none", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "name", "release_agent"),
    *("nsdelegate", "favordynmods", "memory_localevents", "memory_recursiveprot"),
    *("memory_hugetlb_accounting", "pids_localevents"),
)
"""Options of the filesystems cgroup and cgroup2 (cgroups(7)), which configurations may repeat: the mount has them already."""

_SWITCHES = {"remount": "remount", "tmpcopyup": "copy_up", "copy-symlink": "copy_link"}
"""Options that turn something on, which no other takes back, by the attribute of `MountOptions`."""

_TWOFOLD = (*ATTRIBUTES, *PROPAGATION)
NAMES = (
    *_TWOFOLD,
    *(f"r{name}" for name in _TWOFOLD),
    *SUPERBLOCK,
    *("bind", "rbind", "remount", "defaults", "silent", "loud", "iversion", "noiversion"),
    *("tmpcopyup", "idmap", "ridmap", "copy-symlink"),
)
"""The options that runt itself follows and does not hand on to the filesystem."""


class MountOptions:
    """The options of one mount, by the system call that takes them.

    The later of two that contradict each other wins. `rbind` and `bind` do not: as flags of mount(2), the one has the other.
    """

    def __init__(self, options: Iterable[str]) -> None:
        self.bind = False
        """A bind mount: `source` is a path."""
        self.recursive = False
        """A bind mount together with everything that is mounted below it."""
        self.map_ids = False
        """The owners of files are mapped (idmap)."""
        self.map_ids_recursively = False
        self.remount = False
        self.copy_up = False
        """A tmpfs gets a copy of what is at its destination (tmpcopyup)."""
        self.copy_link = False
        """A source that is a symbolic link is copied, and not followed (copy-symlink, as crun; podman's `no-dereference`)."""
        self.version = False
        """iversion."""
        self.attributes = (0, 0)
        """Attributes to set and to clear."""
        self.access_times: set[str] = set()
        """The options about access times that are asked for, and not taken back."""
        self.recursive_attributes = (0, 0)
        self.propagation: list[tuple[int, bool]] = []
        """Propagation types in their order, each with whether it is recursive."""
        self.superblock: list[str] = []
        self.data: list[str] = []
        """Options of the filesystem itself."""
        for option in options:
            self._add(option)

    def _add(self, option: str) -> None:
        plain = option.removeprefix("r")
        if option in SUPERBLOCK:
            self.superblock.append(SUPERBLOCK[option])
        if option in ATTRIBUTES:
            self.attributes = _merge(self.attributes, ATTRIBUTES[option])
            self._add_access_time(option)
        elif option in PROPAGATION:
            self.propagation.append((PROPAGATION[option], False))
        elif plain in PROPAGATION:
            self.propagation.append((PROPAGATION[plain], True))
        elif plain in ATTRIBUTES:
            self.recursive_attributes = _merge(self.recursive_attributes, ATTRIBUTES[plain])
        elif option in ("bind", "rbind"):
            # Flags of one mount(2): `rbind` has that of `bind`, which takes nothing away from it.
            self.bind, self.recursive = True, self.recursive or option == "rbind"
        elif option in ("iversion", "noiversion"):
            self.version = option == "iversion"
        elif option in _SWITCHES:
            setattr(self, _SWITCHES[option], True)
        elif option in ("idmap", "ridmap"):
            self.map_ids, self.map_ids_recursively = True, option == "ridmap"
        elif option not in SUPERBLOCK and option not in _NOTHING and not option.lower().startswith("x-"):
            # One string may have several, as the data argument of mount(2); a backslash makes a comma a part of one.
            parts = option.replace("\\,", "\0").split(",")
            self.data.extend(part.replace("\0", "\\,") for part in parts if part)

    def _add_access_time(self, option: str) -> None:
        if option in _ACCESS_TIMES:
            self.access_times.add(option)
        else:
            self.access_times -= {f"no{option}", option.removeprefix("no")}

    def clear_others(self, *, locked: bool) -> None:
        """Clear the flags of a bind mount's source that are not asked for, if any is, as mount(2) does when it is called again.

        Those about access times are a group: they stay, also if one is only taken back (`atime`), unless one of them is asked
        for; then relatime is the default. In a user namespace most flags of the host's mounts are `locked`
        (mount_namespaces(7)): they stay.
        """
        attr_set, attr_clear = self.attributes
        if not (attr_set or attr_clear):
            return
        group = _ATIME | kernel.ATTR_NODIRATIME
        others = kernel.ATTR_NOSYMFOLLOW if locked else _FLAGS
        if not self.access_times:
            attr_set, attr_clear = attr_set & ~group, attr_clear & ~group
        elif not locked:
            others |= kernel.ATTR_NODIRATIME
            attr_clear |= _ATIME
        self.attributes = (attr_set, attr_clear | others & ~attr_set)

    def hold_back_readonly(self) -> bool:
        """Take the read-only attribute out; return whether it was set."""
        attr_set, attr_clear = self.attributes
        recursive_set, recursive_clear = self.recursive_attributes
        self.attributes = (attr_set & ~kernel.ATTR_RDONLY, attr_clear)
        self.recursive_attributes = (recursive_set & ~kernel.ATTR_RDONLY, recursive_clear)
        self.superblock = [option for option in self.superblock if option != "ro"]
        return bool((attr_set | recursive_set) & kernel.ATTR_RDONLY)

    def remount_flags(self) -> int:
        """Return the flags of mount(2) for the filesystem's part of a remount."""
        flags = kernel.MS_I_VERSION if self.version else 0
        for option in self.superblock:
            positive = {"rw": "ro", "async": "sync"}.get(option, option.removeprefix("no"))
            flag = _REMOUNT_FLAGS[positive]
            flags = flags | flag if option == positive else flags & ~flag
        return flags


def _merge(before: tuple[int, int], option: tuple[int, int]) -> tuple[int, int]:
    """Return attributes to set and clear after one more option."""
    attr_set, attr_clear = option
    return before[0] & ~attr_clear | attr_set, before[1] & ~attr_set | attr_clear
