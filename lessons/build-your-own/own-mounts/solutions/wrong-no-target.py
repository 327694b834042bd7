import os

from container import inside
from syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_STRICTATIME,
    MS_UNBINDABLE,
    MS_NOATIME,
    mount,
)


TABLE = {  # option: set these flags, clear those
    "ro": (MS_RDONLY, 0), "rw": (0, MS_RDONLY),
    "nosuid": (MS_NOSUID, 0), "suid": (0, MS_NOSUID),
    "nodev": (MS_NODEV, 0), "dev": (0, MS_NODEV),
    "noexec": (MS_NOEXEC, 0), "exec": (0, MS_NOEXEC),
    "noatime": (MS_NOATIME, 0), "relatime": (MS_RELATIME, 0), "strictatime": (MS_STRICTATIME, 0),
    "bind": (MS_BIND, 0), "rbind": (MS_BIND | MS_REC, 0), "defaults": (0, 0),
}
KINDS = {"private": MS_PRIVATE, "slave": MS_SLAVE, "shared": MS_SHARED, "unbindable": MS_UNBINDABLE}


def mount_filesystems(c):
    for entry in c.config.get("mounts", []):
        target = inside(c.rootfs, entry["destination"])
        flags, kinds, data = 0, [], []
        for option in entry.get("options", []):
            if option in TABLE:
                on, off = TABLE[option]
                flags = (flags | on) & ~off
            elif option in KINDS:
                kinds.append(KINDS[option])
            else:
                data.append(option)
        if entry.get("type") == "bind" or flags & MS_BIND:
            source = os.path.join(c.bundle, entry["source"])
            mount(source, target, None, MS_BIND | flags & MS_REC)
            rest = flags & ~(MS_BIND | MS_REC)
            if rest:
                mount(None, target, None, MS_REMOUNT | MS_BIND | rest)
        else:
            mount(entry.get("source", "none"), target, entry["type"], flags, ",".join(data))
        for kind in kinds:
            mount(None, target, None, kind)
