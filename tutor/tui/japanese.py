"""Japanese in Textual: the one place that changes how it divides lines and reads Markdown.

Textual 8.2 divides a `Content` (labels, Markdown, notices) with Rich's `divide_line`, which breaks at spaces only: a line may
begin with a full stop, and stays half empty where Japanese follows Latin. `install` puts `tutor.text.divide` in its place.
`tests/tutor/test_tui_japanese.py` notices when Textual does it in another way. `TextArea` divides by itself; the editor
here scrolls sideways instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from rich._wrap import divide_line as divide_at_spaces
from textual import content
from textual._cells import cell_len

from tutor.text import divide
from tutor.text.lines import is_cjk

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token


def install() -> None:
    """Make Textual divide lines by the rules of Japanese from now on; a second call changes nothing."""
    vars(content)["divide_line"] = divide_line


def divide_line(text: str, width: int, fold: bool = True) -> list[int]:
    """Replace `rich._wrap.divide_line`: return the offsets at which to cut, by Textual's own measure of width."""
    return divide(text, width, cell_len) if fold else divide_at_spaces(text, width, fold=False)


def markdown_parser() -> MarkdownIt:
    """Return a Markdown parser for Textual's widget that makes no space of a line end between two Japanese characters."""
    parser = MarkdownIt("gfm-like")
    parser.core.ruler.push("japanese_line_ends", _drop_line_ends)
    return parser


def _drop_line_ends(state: StateCore) -> None:
    for token in state.tokens:
        children = token.children or []
        token.children = [
            child
            for index, child in enumerate(children)
            if child.type != "softbreak"
            or not (_last_is_cjk(children[:index]) and _first_is_cjk(children[index + 1 :]))
        ] or token.children


def _last_is_cjk(tokens: list[Token]) -> bool:
    text = next((token.content for token in reversed(tokens) if token.content), "")
    return bool(text) and is_cjk(text[-1])


def _first_is_cjk(tokens: list[Token]) -> bool:
    text = next((token.content for token in tokens if token.content), "")
    return bool(text) and is_cjk(text[0])
