"""The panel of namespaces: which are the container's own, and which it shares with the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text import cell_width, pad
from tutor.tui.widgets.line_view import LineView, empty_panel

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import IdRange, NamespaceView
    from tutor.view.lesson_view import LessonView

OWN, SHARED, UNKNOWN = "◆", "○", "?"


class NamespacesPanel(LineView):
    """One line for each kind of namespace: glyph, word, inode; where there is room, the host's inode beside it."""

    DEFAULT_CSS = "NamespacesPanel { overflow-x: hidden; }"  # its lines fit

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="namespaces", classes="pane")
        self._view = view
        self._messages = messages
        self.border_title = messages("tui.panel.namespaces")

    def build(self, width: int) -> list[Content]:
        """Return the lines."""
        container = self._view.snapshot.container if self._view.snapshot else None
        if container is None or not container.alive:
            return empty_panel(self._view, self._messages, width)
        baseline = self._view.baseline.container if self._view.baseline else None
        before = {each.kind: each for each in baseline.namespaces} if baseline and baseline.alive else {}
        lines = [
            self._line(namespace, width, changed=bool(before) and before.get(namespace.kind) != namespace)
            for namespace in container.namespaces
        ]
        if container.uid_map and any(
            each.kind == "user" and not each.shared for each in container.namespaces
        ):
            lines += [
                Content(""),
                *self._maps("uid", container.uid_map),
                *self._maps("gid", container.gid_map),
            ]
        lines += [Content(""), *self._legend(width)]
        return lines

    def _line(self, namespace: NamespaceView, width: int, *, changed: bool) -> Content:
        m = self._messages
        words = [m("tui.namespaces.own"), m("tui.namespaces.shared"), m("tui.namespaces.unknown")]
        word_width = max(cell_width(word) for word in words)
        if not namespace.known:
            glyph, word, style = UNKNOWN, words[2], "$text-warning"
        elif namespace.shared:
            glyph, word, style = SHARED, words[1], "$text-muted"
        else:
            glyph, word, style = OWN, words[0], "bold $text-success"
        inode = str(namespace.inode) if namespace.inode is not None else namespace.reason
        mark = ("~", "bold $text-warning") if changed else (" ", "")
        parts: list[str | tuple[str, str]] = [
            mark,
            (f"{namespace.kind:<7}", "bold"),
            (f"{glyph} {pad(word, word_width)}", style),
            f"  {inode:<10}",
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
            (f" {OWN} ", "$text-success"), (self._messages("tui.namespaces.legend_own"), "$text-muted")
        )
        shared = Content.assemble(
            (f" {SHARED} ", ""), (self._messages("tui.namespaces.legend_shared"), "$text-muted")
        )
        if own.cell_length + shared.cell_length + 1 <= width:
            return [Content.assemble(own, " ", shared)]
        return [own, shared]
