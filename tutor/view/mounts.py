"""The tree of mounts, each below the mount of its parent, with its change since the step began."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.observe import Delta, Mount
    from tutor.text.glyphs import Mark


class MountRow(NamedTuple):
    """One mount; `depth` counts its ancestors in the table."""

    mount: Mount
    mark: Mark
    depth: int

    @property
    def target(self) -> str:
        """The mount point, indented by two spaces for each ancestor."""
        return "  " * self.depth + self.mount.target


def mount_rows(mounts: tuple[Mount, ...], changes: Delta | None = None) -> list[MountRow]:
    """Return the mounts in tree order, and after them the removed ones.

    Args:
        mounts: the mount table of the container's process.
        changes: what changed since the step began; None where there is nothing to compare with.
    """
    marks: dict[Mount, Mark] = {}
    removed: tuple[Mount, ...] = ()
    if changes is not None:
        marks |= dict.fromkeys(changes.mounts.added, "+")
        marks |= {each.after: "~" for each in changes.mounts.changed}
        removed = changes.mounts.removed
    rows: list[tuple[Mount, Mark]] = [(each, marks.get(each, " ")) for each in _in_tree_order(mounts)]
    rows += [(each, "-") for each in _in_tree_order(removed)]
    depths = _depths(mount for mount, _ in rows)
    return [MountRow(mount, mark, depth) for (mount, mark), depth in zip(rows, depths, strict=True)]


def counts(rows: list[MountRow]) -> str:
    """Return how many mounts were added, removed and changed, as `+2 ~1`; empty if none was."""
    found = {mark: sum(row.mark == mark for row in rows) for mark in "+-~"}
    return " ".join(f"{mark}{count}" for mark, count in found.items() if count)


def _in_tree_order(mounts: tuple[Mount, ...]) -> list[Mount]:
    """Return each mount before its children, the oldest first."""
    ids = {mount.id for mount in mounts}
    children: dict[int, list[Mount]] = {}
    roots: list[Mount] = []
    for mount in mounts:
        if mount.parent in ids and mount.parent != mount.id:
            children.setdefault(mount.parent, []).append(mount)
        else:
            roots.append(mount)
    ordered: list[Mount] = []
    pending = roots[::-1]
    while pending:
        mount = pending.pop()
        ordered.append(mount)
        pending += children.get(mount.id, [])[::-1]
    return ordered


def _depths(mounts: Iterable[Mount]) -> list[int]:
    found: dict[int, int] = {}
    depths: list[int] = []
    for mount in mounts:
        depths.append(found[mount.parent] + 1 if mount.parent in found else 0)
        found[mount.id] = depths[-1]
    return depths
