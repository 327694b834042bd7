"""The Markdown of a lesson as styled lines for a terminal. A line end between Japanese characters is no space."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tutor.repl.layout import Fragment, Line, indent, line, table, wrap_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

_INLINE_STYLES = {"strong": "strong", "em": "emphasis", "link": "link", "s": "faint"}
_JAPANESE_FROM = "\u2e80"  # the first of the blocks whose characters are written without spaces


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def render(text: str, width: int) -> list[Line]:
    """Return Markdown as lines of at most `width` cells (code is not wrapped)."""
    from markdown_it.tree import SyntaxTreeNode

    return _blocks(SyntaxTreeNode(_parser().parse(text)), width)


def _blocks(parent: SyntaxTreeNode, width: int, *, tight: bool = False) -> list[Line]:
    lines: list[Line] = []
    for node in parent.children:
        if lines and not tight:
            lines.append(())
        lines += _block(node, width)
    return lines


def _block(node: SyntaxTreeNode, width: int) -> list[Line]:
    match node.type:
        case "heading":
            return wrap_line([("heading", text) for _, text in _inline(node)], width)
        case "fence" | "code_block":
            return [(("faint", "  │ "), ("code", each)) for each in node.content.rstrip("\n").split("\n")]
        case "bullet_list" | "ordered_list":
            return _list(node, width)
        case "blockquote":
            return [(("faint", "│ "), *each) for each in _blocks(node, width - 2)]
        case "hr":
            return [line("─" * width, "faint")]
        case "table":
            return _table(node, width)
        case "html_block":
            return wrap_line([("", node.content.rstrip())], width)
        case _:
            return wrap_line(list(_inline(node)), width)


def _list(node: SyntaxTreeNode, width: int) -> list[Line]:
    start = int(node.attrs.get("start", 1))
    tight = all(
        child.hidden for item in node.children for child in item.children if child.type == "paragraph"
    )
    lines: list[Line] = []
    for number, item in enumerate(node.children, start):
        if lines and not tight:
            lines.append(())
        mark = f"  {number}. " if node.type == "ordered_list" else "  • "
        lines += indent(_blocks(item, width - len(mark), tight=tight), ("faint", mark))
    return lines


def _table(node: SyntaxTreeNode, width: int) -> list[Line]:
    rows = [
        [tuple(_inline(cell)) for cell in row.children] for part in node.children for row in part.children
    ]
    header: list[Line] = [tuple(("heading", text) for _, text in cell) for cell in rows[0]]
    return table(header, rows[1:], width)


def _inline(node: SyntaxTreeNode, style: str = "") -> Iterator[Fragment]:
    """Yield the fragments of the inline content below a node."""
    for position, child in enumerate(node.children):
        match child.type:
            case "text":
                yield style, child.content
            case "code_inline":
                yield "code", child.content
            case "softbreak":
                yield style, _joint(node.children[:position], node.children[position + 1 :])
            case "hardbreak":
                yield "", "\n"
            case "html_inline":
                yield style, child.content
            case "image":
                yield style, child.content
            case _:
                yield from _inline(child, _INLINE_STYLES.get(child.type, style))
        if child.type == "link" and (target := str(child.attrs.get("href", ""))).startswith("http"):
            yield "faint", f" <{target}>"


def _joint(before: list[SyntaxTreeNode], after: list[SyntaxTreeNode]) -> str:
    """Return the text for a line end: nothing between Japanese characters, else a space."""
    left, right = _text(before[-1:])[-1:], _text(after[:1])[:1]
    return "" if left >= _JAPANESE_FROM and right >= _JAPANESE_FROM else " "


def _text(nodes: list[SyntaxTreeNode]) -> str:
    return "".join(node.content or _text(node.children) for node in nodes)
