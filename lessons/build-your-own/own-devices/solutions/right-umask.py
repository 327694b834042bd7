import os
import stat

from container import inside

NUMBERS = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
KINDS = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def link(target, path):
    try:
        os.symlink(target, path)
    except FileExistsError:
        os.unlink(path)
        os.symlink(target, path)


def make_devices(c):
    before = os.umask(0)
    links = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
    dev = inside(c.rootfs, "/dev")
    os.makedirs(dev, 0o755, exist_ok=True)
    if os.path.exists(dev + "/pts/ptmx"):
        links["ptmx"] = "pts/ptmx"
    for name in links:
        link(links[name], f"{dev}/{name}")
    wanted = [{"path": f"/dev/{name}", "type": "c", "major": a, "minor": b} for name, (a, b) in NUMBERS.items()]
    for each in wanted + c.linux.get("devices", []):
        path = inside(c.rootfs, each["path"])
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        mode = KINDS[each["type"]] | each.get("fileMode", 0o666)
        os.mknod(path, mode, os.makedev(each.get("major", 0), each.get("minor", 0)))
        if "uid" in each or "gid" in each:
            os.chown(path, each.get("uid", 0), each.get("gid", 0))
    os.umask(before)
