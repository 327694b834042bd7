"""Paragraphs with a hanging indent: a glyph, and wrapped text beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import RenderResult
    from textual.geometry import Size


class Row(NamedTuple):
    """The head (a glyph, an indent), and the text beside it.

    `tail`: what follows a text that is cut to one line, where it is one of those; None where it is wrapped.
    """

    head: Content
    body: Content
    tail: Content | None = None


def row(head: str | tuple[str, str], *body: str | Content | tuple[str, str]) -> Row:
    """Return a row of plain or styled parts."""
    return Row(Content.assemble(head), Content.assemble(*body))


def folded_row(
    head: str | tuple[str, str], *body: str | Content | tuple[str, str], tail: str | tuple[str, str]
) -> Row:
    """Return a row that takes one line: its body is cut, its tail is not."""
    return Row(Content.assemble(head), Content.assemble(*body), Content.assemble(tail))


def wrapped(rows: Sequence[Row], width: int) -> list[Content]:
    """Return the lines of rows in `width` cells."""
    lines: list[Content] = []
    for head, body, tail in rows:
        indent = head.cell_length
        if tail is not None:
            cut = body.truncate(max(2, width - indent - tail.cell_length), ellipsis=True)
            lines.append(Content.assemble(head, cut, tail))
            continue
        for index, line in enumerate(body.wrap(max(2, width - indent))):
            lines.append(Content.assemble(head if index == 0 else " " * indent, line))
    return lines


class Rows(Widget):
    """Rows under each other; hidden while there are none."""

    DEFAULT_CSS = "Rows { height: auto; width: 1fr; }"

    def __init__(
        self, rows: Sequence[Row] = (), *, name: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=name, classes=classes)
        self._rows: tuple[Row, ...] = tuple(rows)
        self.display = bool(rows)

    def show(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        self._rows = tuple(rows)
        self.display = bool(rows)
        self.refresh(layout=True)

    @property
    def plain(self) -> str:
        """The rows without styles, one a line."""
        return "\n".join(each.head.plain + each.body.plain for each in self._rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's signature)
        """Return how many lines the rows take in `width` cells."""
        return len(wrapped(self._rows, width))

    def render(self) -> RenderResult:
        """Return the wrapped rows."""
        return Content("\n").join(wrapped(self._rows, self.size.width))
