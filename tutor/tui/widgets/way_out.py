"""Where letters are no keys: the widget with the focus takes them, and one key leads out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input, TextArea

from tutor.tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from textual.widget import Widget


def way_out(focused: Widget | None) -> str:
    """Return the key that leads out of what has the focus; empty where letters are keys of the screen."""
    if isinstance(focused, TextArea | Input):
        return "Esc"
    return "F9" if isinstance(focused, TerminalView) and focused.takes_keys else ""
