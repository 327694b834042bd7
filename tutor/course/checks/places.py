"""Where a path of a check leads: in the lab's directory, in a container's root filesystem, in the lab's own mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor import paths
from tutor.course.checks.tally import living

if TYPE_CHECKING:
    from tutor.course.checks.context import CheckContext


def in_lab(context: CheckContext, path: str) -> str:
    """Return a path of the lab as this process reaches it: an absolute one is looked up in the lab's mount namespace."""
    if not path.startswith("/"):
        return str(context.place / path)
    if context.snapshot is None:
        return path
    return f"/proc/{context.snapshot.host.pid}/root{path}"


def in_container(context: CheckContext, path: str) -> str | None:
    """Return a path of the container's root filesystem as this process reaches it; None when the container has no process.

    The last part is not followed when it is a link; one in a part before it is, as the container's processes would.

    Raises:
        OSError: a part before the last is not there.
    """
    view = living(context)
    return None if view is None else paths.resolve(f"/proc/{view.pid}/root", path, follow=False)
