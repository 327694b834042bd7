"""Where the cursor of the terminal belongs: at what has the focus. Braille displays and screen readers follow it, hidden as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.widgets import Input, OptionList, TextArea

from tutor.tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from textual.widget import Widget


def place_of_focus(focused: Widget | None) -> Offset | None:
    """Return the place on the screen; None where there is no focus, or the widget places the cursor itself.

    A widget with a cursor of its own says where it is by `place_of_cursor`; of another one it is the beginning.
    """
    if focused is None or isinstance(focused, TextArea | Input):
        return None
    if isinstance(focused, TerminalView) and focused.takes_keys:
        return None
    region = focused.content_region
    own = getattr(focused, "place_of_cursor", None)
    if isinstance(own, Offset):
        return own
    if isinstance(focused, OptionList) and focused.highlighted is not None:
        line = focused._index_to_line.get(
            focused.highlighted, 0
        )  # Textual says nowhere else on which line an option is
        return region.offset + Offset(0, line - round(focused.scroll_y))
    return region.offset
