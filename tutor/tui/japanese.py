"""Japanese in Textual: the one place that changes how it divides lines and reads Markdown.

Textual 8.2 divides a `Content` (labels, Markdown, notices) with Rich's `divide_line`, which breaks at spaces only: a line may
begin with a full stop, and stays half empty where Japanese follows Latin. `install` puts `tutor.text.divide` in its place.
`tests/tutor/test_tui_japanese.py` notices when Textual does it in another way. `TextArea` divides by itself; the editor
here scrolls sideways instead.

When text is selected by the mouse, Textual takes the right half of a wide character for the next character (8.2.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from rich._wrap import divide_line as divide_at_spaces
from rich.cells import get_character_cell_size
from textual import content
from textual._cells import cell_len
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.errors import NoWidget

from tutor.text import divide
from tutor.text.lines import is_cjk

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
    from textual.geometry import Offset
    from textual.widget import Widget

_character_at = Compositor.get_widget_and_offset_at


def install() -> None:
    """Make Textual divide lines by the rules of Japanese from now on; a second call changes nothing."""
    vars(content)["divide_line"] = divide_line
    Compositor.get_widget_and_offset_at = _whole_character_at  # type: ignore[method-assign,assignment]


def _whole_character_at(compositor: Compositor, x: int, y: int) -> tuple[Widget | None, Offset | None]:
    """Replace `Compositor.get_widget_and_offset_at`: the right half of a character is that character, not the next."""
    return _character_at(compositor, x - _is_right_half(compositor, x, y), y)


def _is_right_half(compositor: Compositor, x: int, y: int) -> bool:
    try:
        widget, region = compositor.get_widget_at(x, y)
    except NoWidget:
        return False
    left, top = widget.gutter.top_left
    cells, line = x - region.x - left, y - region.y - top
    if cells <= 0 or line < 0 or widget not in compositor.visible_widgets:
        return False
    visible_screen_stack.set(widget.app._background_screens)
    end = 0
    for character in widget.render_line(line).text:
        if end >= cells:
            break
        end += get_character_cell_size(character)
    return end > cells


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
