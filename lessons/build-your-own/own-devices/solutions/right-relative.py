import os
import stat

from container import inside


def make_devices(c):
    """With the directory open: names are relative to it."""
    os.makedirs(inside(c.rootfs, "/dev"), exist_ok=True)
    dev = os.open(inside(c.rootfs, "/dev"), os.O_RDONLY | os.O_DIRECTORY)

    def fresh(name):
        try:
            os.unlink(name, dir_fd=dev)
        except FileNotFoundError:
            pass

    for line in "null 1 3,zero 1 5,full 1 7,random 1 8,urandom 1 9,tty 5 0".split(","):
        name, major, minor = line.split()
        fresh(name)
        os.mknod(name, stat.S_IFCHR | 0o666, os.makedev(int(major), int(minor)), dir_fd=dev)
        os.chmod(f"/proc/self/fd/{dev}/{name}", 0o666)
    for number, name in enumerate(["stdin", "stdout", "stderr"]):
        fresh(name)
        os.symlink(f"/proc/self/fd/{number}", name, dir_fd=dev)
    fresh("fd")
    os.symlink("/proc/self/fd", "fd", dir_fd=dev)
    if os.path.exists(f"/proc/self/fd/{dev}/pts/ptmx"):
        fresh("ptmx")
        os.symlink("pts/ptmx", "ptmx", dir_fd=dev)
    os.close(dev)
    for device in c.linux.get("devices", []):
        path = inside(c.rootfs, device["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        if device["type"] == "p":
            os.mkfifo(path)
        else:
            kind = stat.S_IFBLK if device["type"] == "b" else stat.S_IFCHR
            os.mknod(path, kind, os.makedev(device["major"], device["minor"]))
        os.chmod(path, device.get("fileMode", 0o666))
        os.chown(path, device.get("uid", 0), device.get("gid", 0))
