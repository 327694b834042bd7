"""A private /run for a lab of an ordinary user, who may make no directory in the host's.

What is there on the host stays in reach: each entry is bound into it.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tutor.lab import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

_RUN = "/run"
_SIZE = "16m"


def cover_run(without: Sequence[str] = ()) -> None:
    """Mount a tmpfs on /run, with every entry of the directory below it but for `without`.

    On these the lab mounts. They must not be the host's: when a lab of root removes its own, rmdir(2) would unmount them here.

    Raises:
        OSError: the kernel refused.
    """
    below = os.open(_RUN, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        entries = [(entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in os.scandir(_RUN)]
        kernel.mount("tmpfs", _RUN, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode=0755,size={_SIZE}")
        for name, mode in entries:
            if f"{_RUN}/{name}" in without:
                continue
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
