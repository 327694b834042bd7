import os

from syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    mount,
)


def protect_paths(c):
    known = {os.ST_NOSUID: MS_NOSUID, os.ST_NODEV: MS_NODEV, os.ST_NOEXEC: MS_NOEXEC, os.ST_RELATIME: MS_RELATIME}
    for path in c.linux.get("maskedPaths", []):
        if os.path.exists(path):
            mount("/dev/null", path, None, MS_BIND)
    for path in c.linux.get("readonlyPaths", []):
        if not os.path.exists(path):
            continue
        mount(path, path, None, MS_BIND | MS_REC)
        now = os.statvfs(path).f_flag
        kept = sum(flag for bit, flag in known.items() if now & bit)
        mount(None, path, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)
    if c.config["root"].get("readonly"):
        mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY)
