"""Turns the inline Markdown in short texts of a lesson (a question, a hint, a check) into styled text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.tui.japanese import markdown_parser

if TYPE_CHECKING:
    from markdown_it.token import Token

_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": "strike"}
CODE = "$text-warning"


def inline(text: str, style: str = "", code: str = CODE) -> Content:
    """Return `text` with `code`, **strong** and *emphasis* as styles; paragraphs and list items are kept apart.

    Args:
        text: Markdown, of paragraphs and lists at most.
        style: a Textual style for all of it.
        code: a Textual style for code in it.
    """
    paragraphs = [
        _runs(token.children or [], code) for token in markdown_parser().parse(text) if token.type == "inline"
    ]
    content = Content("\n").join(Content.assemble(*runs) for runs in paragraphs)
    return content.stylize_before(style) if style else content


def _runs(tokens: list[Token], code: str) -> list[tuple[str, str]]:
    runs: list[tuple[str, str]] = []
    open_styles: list[str] = []
    for token in tokens:
        if token.type in _STYLES:
            open_styles.append(_STYLES[token.type])
        elif (
            token.type.endswith("_close") and open_styles and token.type.replace("_close", "_open") in _STYLES
        ):
            open_styles.pop()
        elif token.type == "code_inline":
            runs.append((token.content, " ".join([*open_styles, code])))
        elif token.type in ("softbreak", "hardbreak"):
            runs.append((" " if token.type == "softbreak" else "\n", ""))
        elif token.content:
            runs.append((token.content, " ".join(open_styles)))
    return runs
