"""The panel of the container's cgroup: its limits, what it uses, and what the limits have done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text import cell_width, pad
from tutor.text.long_paths import shortener
from tutor.tui.widgets.line_view import MARK_STYLES, Panel, empty_panel, styled_lines
from tutor.view.cgroup import cgroup_rows

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.view.cgroup import CgroupRow
    from tutor.view.lesson_view import LessonView


class CgroupPanel(Panel):
    """The directory of each cgroup, and below it a line for each file."""

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__("cgroup", view, messages)

    def build(self, width: int) -> list[Content]:
        """Return the lines."""
        container = self._view.container
        if container is None or not container.alive:
            return empty_panel(self._view, self._messages, width)
        cgroups = cgroup_rows(container, self._view.changes)
        if not cgroups:
            return styled_lines(self._messages("view.cgroup.none"), width, "$text-muted", indent=" ")
        shorten = shortener(directory for directory, _ in cgroups)
        names = max(cell_width(row.name) for _, rows in cgroups for row in rows)
        values = max(cell_width(row.file.value) for _, rows in cgroups for row in rows)
        meant = max(cell_width(row.meaning(self._messages)) for _, rows in cgroups for row in rows)
        with_meaning = names + values + meant + 6 <= width
        lines: list[Content] = []
        for directory, rows in cgroups:
            said = directory if cell_width(directory) < width else shorten(directory)
            lines.append(Content.styled(f" {said}", "bold $text-primary"))
            lines += [self._line(row, names, values, with_meaning=with_meaning) for row in rows]
        return lines

    def _line(self, row: CgroupRow, names: int, values: int, *, with_meaning: bool) -> Content:
        style = MARK_STYLES[row.mark]
        return Content.assemble(
            (f"{row.mark} ", style),
            (pad(row.name, names), "$foreground"),
            (f" {pad(row.file.value, values, 'right')}", style or "bold $foreground"),
            (f"  {row.meaning(self._messages)}" if with_meaning else "", "$text-muted"),
        ).rstrip()
