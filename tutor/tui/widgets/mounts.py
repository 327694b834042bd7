"""The panel of mounts: the container's mount table as a live tree, with what changed since the step began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text import cell_width, fit
from tutor.tui.widgets.line_view import MARK_STYLES, Panel, empty_panel
from tutor.view.mounts import counts, mount_rows

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.view.lesson_view import LessonView
    from tutor.view.mounts import MountRow

_WITH_SOURCE = 50  # cells of a panel with room for the source


class MountsPanel(Panel):
    """The mount table: mark, mount point, type, source, propagation, options."""

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__("mounts", view, messages)

    def build(self, width: int) -> list[Content]:
        """Return the lines, and put the counts of changes into the border."""
        container = self._view.container
        if container is None or not container.alive:
            self.subtitle = ""
            return empty_panel(self._view, self._messages, width)
        rows = mount_rows(container.mounts, self._view.changes)
        self.subtitle = self._subtitle(rows)
        if not rows:
            return [Content("")]
        wide = min(max(cell_width(row.target) for row in rows), max(18, width * 2 // 5))
        kind = min(max(len(row.mount.fstype) for row in rows), 10)
        # In a narrow panel the source is left out: target, type and options are needed more.
        source = min(max(cell_width(row.mount.source) for row in rows), 18) if width >= _WITH_SOURCE else 0
        return [self._line(row, wide, kind, source) for row in rows]

    def _line(self, row: MountRow, wide: int, kind: int, source: int) -> Content:
        """Return the line of a mount; the widths are in cells, a source of 0 cells is left out."""
        style = MARK_STYLES[row.mark]
        return Content.assemble(
            (f"{row.mark} ", style),
            (fit(row.target, wide), style or "$foreground"),
            (f" {fit(row.mount.fstype, kind)}", "$text-primary"),
            f" {fit(row.mount.source, source)}" if source else "",
            (f" {','.join(row.mount.propagation)}", "$text-accent"),
            (f" {','.join(row.mount.options)}", "$text-muted"),
        )

    def _subtitle(self, rows: list[MountRow]) -> str:
        changes = counts(rows)
        if not changes:
            return self._messages("tui.mounts.same")
        return self._messages("tui.mounts.changed", changes=changes)
