"""A private /run for a lab of an ordinary user, who may make no directory in the host's.

What is there on the host stays in reach: each entry is bound into it.
"""

from __future__ import annotations

import os
import stat

from tutor.lab import kernel

_RUN = "/run"
_SIZE = "16m"


def cover_run() -> None:
    """Mount a tmpfs on /run, with every entry of the directory below it.

    Raises:
        OSError: the kernel refused.
    """
    below = os.open(_RUN, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        entries = [(entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in os.scandir(_RUN)]
        kernel.mount("tmpfs", _RUN, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode=0755,size={_SIZE}")
        for name, mode in entries:
            _bring(f"/proc/self/fd/{below}/{name}", f"{_RUN}/{name}", mode)
    finally:
        os.close(below)


def _bring(source: str, target: str, mode: int) -> None:
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211  (starts fast)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(target)  # noqa: PTH102
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
    try:
        # Recursive: mounts of a more privileged user namespace come together only (mount_namespaces(7)).
        kernel.mount(source, target, flags=kernel.MS_BIND | kernel.MS_REC)
    except OSError:
        return  # gone meanwhile
