import os
import stat

from container import inside

DEFAULT = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]


def remove(path):
    if os.path.lexists(path):
        os.remove(path)


def make(path, kind, major, minor, mode, uid, gid):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    remove(path)
    os.mknod(path, kind | 0o600, os.makedev(major, minor))
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def make_devices(c):
    for name, major, minor in DEFAULT:
        make(inside(c.rootfs, f"/dev/{name}"), stat.S_IFCHR, major, minor, 0o666, 0, 0)
    for device in c.linux.get("devices", []):
        kind = {"b": stat.S_IFBLK, "p": stat.S_IFIFO}.get(device["type"], stat.S_IFCHR)
        make(
            inside(c.rootfs, device["path"]), kind, device.get("major", 0), device.get("minor", 0),
            device.get("fileMode", 0o666), device.get("uid", 0), device.get("gid", 0),
        )
    dev = inside(c.rootfs, "/dev")
    if os.path.exists(f"{dev}/pts/ptmx"):
        remove(f"{dev}/ptmx")
        os.symlink("pts/ptmx", f"{dev}/ptmx")
