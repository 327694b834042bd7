"""The panel of namespaces: the container's own, and those shared with the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text import cell_width, pad
from tutor.tui.widgets.line_view import MARK_STYLES, Panel, empty_panel
from tutor.view.namespaces import OWNERS, namespace_rows, word

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import IdRange
    from tutor.view.lesson_view import LessonView
    from tutor.view.namespaces import NamespaceRow, Owner

_STYLES: dict[Owner, str] = {"own": "bold $text-success", "shared": "$text-muted", "unknown": "$text-warning"}


class NamespacesPanel(Panel):
    """One line for each kind of namespace: glyph, word, inode and, where there is room, the inode of the host."""

    DEFAULT_CSS = "NamespacesPanel { overflow-x: hidden; }"  # its lines fit

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__("namespaces", view, messages)

    def build(self, width: int) -> list[Content]:
        """Return the lines."""
        container = self._view.container
        if container is None or not container.alive:
            return empty_panel(self._view, self._messages, width)
        rows = namespace_rows(container, self._view.changes)
        words = max(cell_width(word(row.owner, self._messages)) for row in rows)
        lines = [self._line(row, width, words) for row in rows]
        if container.uid_map and any(row.namespace.kind == "user" and row.owner != "shared" for row in rows):
            lines += [
                Content(""),
                *self._maps("uid", container.uid_map),
                *self._maps("gid", container.gid_map),
            ]
        lines += [Content(""), *self._legend(width)]
        return lines

    def _line(self, row: NamespaceRow, width: int, word_width: int) -> Content:
        m, namespace = self._messages, row.namespace
        parts: list[str | tuple[str, str]] = [
            (row.mark, MARK_STYLES[row.mark]),
            (f"{namespace.kind:<7}", "bold"),
            (f"{row.glyph} {pad(word(row.owner, m), word_width)}", _STYLES[row.owner]),
            f"  {row.inode:<10}",
        ]
        host = m("tui.namespaces.host", inode=namespace.host_inode or "?")
        if (
            not namespace.shared
            and namespace.host_inode is not None
            and width >= 26 + word_width + cell_width(host)
        ):
            parts.append((f"  {host}", "$text-muted"))
        return Content.assemble(*parts)

    def _maps(self, kind: str, ranges: tuple[IdRange, ...]) -> list[Content]:
        return [
            Content(f" {kind}_map {each.inside} → {each.outside} ({each.count})").stylize("$text-muted")
            for each in ranges
        ]

    def _legend(self, width: int) -> list[Content]:
        own = Content.assemble(
            (f" {OWNERS['own']} ", "$text-success"),
            (self._messages("tui.namespaces.legend_own"), "$text-muted"),
        )
        shared = Content.assemble(
            (f" {OWNERS['shared']} ", ""), (self._messages("tui.namespaces.legend_shared"), "$text-muted")
        )
        if own.cell_length + shared.cell_length + 1 <= width:
            return [Content.assemble(own, " ", shared)]
        return [own, shared]
