"""The links that an engine leaves in a root's own /dev (`stdin` → `/proc/self/fd/0` ...), set aside while a container is created.

The lessons begin without a mount on /dev, so a runtime makes devices and links in the root itself, and they stay. runc 1.3.6 follows
them when it makes them again, to whatever its own standard streams are (a pipe, a file), and `create` fails: "error setting up
/dev symlinks" (trait `bare-dev-twice`).
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.storage import lies_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CREATES = re.compile(r"\b(?:runt|runc|crun)\b[^;&|\n]*\b(?:create|run)\b")


def creates(line: str) -> bool:
    """Return whether a shell line creates a container."""
    return _CREATES.search(line) is not None


@contextmanager
def set_aside(bundle: Path, detach: Callable[[Path], object] = lambda _dev: None) -> Iterator[None]:
    """Remove the links of the bundle's root for the time of the block; afterwards make those again that nothing else has made.

    `detach` is called with the root's /dev, to unmount what earlier containers have left there.
    """
    directory = _open_dev(bundle)
    if directory < 0:
        yield
        return
    detach(Path(os.readlink(f"/proc/self/fd/{directory}")))  # noqa: PTH115  (a magic link)
    links: dict[str, str] = {}
    try:
        with suppress(OSError):
            for name in os.listdir(directory):  # noqa: PTH208  (an open directory, not a path)
                with suppress(OSError):
                    target = os.readlink(name, dir_fd=directory)
                    if target.startswith("/proc/"):
                        os.unlink(name, dir_fd=directory)
                        links[name] = target
        yield
    finally:
        for name, target in links.items():
            with suppress(OSError):
                os.symlink(target, name, dir_fd=directory)
        os.close(directory)


def _open_dev(bundle: Path) -> int:
    """Open the /dev of the bundle's root, -1 where there is none; a root elsewhere and a link in its place are left alone."""
    root = bundle / "rootfs"
    with suppress(OSError, ValueError, RecursionError, AttributeError, TypeError):
        root = bundle / json.loads((bundle / "config.json").read_text(encoding="utf-8"))["root"]["path"]
    try:
        if root.is_symlink() or not lies_within(root, bundle):
            return -1
        return os.open(root / "dev", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return -1
