"""Where a path of a check leads: in the lab's directory, in a container's root filesystem, in the lab's own mounts."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tutor.course.checks.tally import living

if TYPE_CHECKING:
    from tutor.course.checks.context import CheckContext

_MOST_LINKS = 40  # as many as the kernel follows (path_resolution(7))


def in_lab(context: CheckContext, path: str) -> str:
    """Return where a path of the lab lies for this process: an absolute one is looked up among the lab's mounts."""
    if not path.startswith("/"):
        return str(context.place / path)
    if context.snapshot is None:
        return path
    return f"/proc/{context.snapshot.host.pid}/root{path}"


def in_container(context: CheckContext, path: str) -> str | None:
    """Return where a path of the container's root filesystem lies for this process; None when the container has no process.

    The last part is not followed when it is a link; one in a part before it is, as the container's processes would.
    """
    view = living(context)
    return None if view is None else resolve(f"/proc/{view.pid}/root", path)


def resolve(root: str, path: str) -> str:
    """Return a path below a root, its folders' symbolic links followed as a process with that root would."""
    waiting = [part for part in path.split("/") if part][::-1]
    done: list[str] = []
    links = 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            done = done[:-1]
        elif part != ".":
            here = "/".join([root, *done, part])
            if waiting and links < _MOST_LINKS and _is_link(here):
                links += 1
                target = os.readlink(here)  # noqa: PTH115  (of the kernel's own file systems too)
                done = [] if target.startswith("/") else done
                waiting += [each for each in target.split("/") if each][::-1]
            else:
                done.append(part)
    return "/".join([root, *done])


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False
