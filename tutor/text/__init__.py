"""Text in a terminal: its width, cutting and padding, where a line may break, control characters, glyphs. No user interface.

Widths are counted in cells: Japanese is two columns wide, a combining mark none.
"""

from __future__ import annotations

from tutor.text.cells import Align, cell_width, fit, pad, truncate
from tutor.text.lines import NO_LINE_BEGINS_WITH, NO_LINE_ENDS_WITH, divide, wrap
from tutor.text.visible import printable, visible

__all__ = [
    "NO_LINE_BEGINS_WITH",
    "NO_LINE_ENDS_WITH",
    "Align",
    "cell_width",
    "divide",
    "fit",
    "pad",
    "printable",
    "truncate",
    "visible",
    "wrap",
]
