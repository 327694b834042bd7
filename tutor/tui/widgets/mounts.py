"""The panel of mounts: the container's mount table as a live tree, with what changed since the step began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text import cell_width, fit
from tutor.tui.widgets.line_view import LineView, empty_panel

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import Mount
    from tutor.view.lesson_view import LessonView

_WITH_SOURCE = 50  # cells of a panel that has room for the source, too
_MARKS = {"+": "bold $text-success", "-": "$text-error", "~": "bold $text-warning", " ": ""}


class MountsPanel(LineView):
    """The mount table: mark, mount point, type, source, propagation, options."""

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="mounts", classes="pane")
        self._view = view
        self._messages = messages
        self.border_title = messages("tui.panel.mounts")

    def build(self, width: int) -> list[Content]:
        """Return the lines, and put the count and the change into the border."""
        container = self._view.snapshot.container if self._view.snapshot else None
        if container is None or not container.alive:
            self.border_subtitle = ""
            return empty_panel(self._view, self._messages, width)
        rows = marked_mounts(self._baseline(), container.mounts)
        self.border_subtitle = self._subtitle(rows)
        if not rows:
            return [Content("")]
        depth = _depths(tuple(mount for _, mount in rows))
        targets = ["  " * depth[mount.id] + mount.target for _, mount in rows]
        wide = min(max(map(cell_width, targets)), max(18, width * 2 // 5))
        kind = min(max(len(mount.fstype) for _, mount in rows), 10)
        # In a narrow panel the source gives way: what was mounted where, and how, says more.
        source = min(max(cell_width(mount.source) for _, mount in rows), 18) if width >= _WITH_SOURCE else 0
        return [
            self._row(mark, mount, (fit(target, wide), fit(mount.fstype, kind), fit(mount.source, source)))
            for target, (mark, mount) in zip(targets, rows, strict=True)
        ]

    def _row(self, mark: str, mount: Mount, cells: tuple[str, str, str]) -> Content:
        target, fstype, source = cells
        style = _MARKS[mark]
        return Content.assemble(
            (f"{mark} ", style),
            (target, style or "$foreground"),
            (f" {fstype}", "$text-primary"),
            f" {source}" if source else "",
            (f" {','.join(mount.propagation)}", "$text-accent"),
            (f" {','.join(mount.options)}", "$text-muted"),
        )

    def _baseline(self) -> tuple[Mount, ...] | None:
        """Return the mounts as the step began; None when there was no container to compare with."""
        before = self._view.baseline.container if self._view.baseline else None
        if before is not None and before.alive:
            return before.mounts
        return None if self._view.baseline is None else ()

    def _subtitle(self, rows: list[tuple[str, Mount]]) -> str:
        counts = {mark: sum(1 for each, _ in rows if each == mark) for mark in "+-~"}
        changes = " ".join(f"{mark}{count}" for mark, count in counts.items() if count)
        if not changes:
            return self._messages("tui.mounts.same")
        return self._messages("tui.mounts.changed", changes=changes)


def marked_mounts(before: tuple[Mount, ...] | None, now: tuple[Mount, ...]) -> list[tuple[str, Mount]]:
    """Return the mounts of now, and those that went, in tree order, each with ` `, `+`, `-` or `~`."""
    if before is None:
        return [(" ", mount) for mount in _in_tree_order(now)]
    old = {(mount.id, mount.target): mount for mount in before}
    new = {(mount.id, mount.target) for mount in now}
    marked = [
        ("+" if (key := (mount.id, mount.target)) not in old else " " if old[key] == mount else "~", mount)
        for mount in _in_tree_order(now)
    ]
    return marked + [("-", mount) for mount in _in_tree_order(before) if (mount.id, mount.target) not in new]


def _in_tree_order(mounts: tuple[Mount, ...]) -> list[Mount]:
    """Return each mount before those on top of it, the oldest first."""
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


def _depths(mounts: tuple[Mount, ...]) -> dict[int, int]:
    depths: dict[int, int] = {}
    for mount in mounts:
        depths[mount.id] = depths[mount.parent] + 1 if mount.parent in depths else 0
    return depths
