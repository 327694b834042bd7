"""Says how to scroll, where a pane has text below the fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from textual.widget import Widget

    from tutor.messages import Messages


class MoreBelow(Message):
    """Whether a pane has text below the fold may have changed."""


def has_more_below(pane: Widget) -> bool:
    """Tell whether a pane has text below the fold; one that follows its end has none, but for a moment."""
    return pane.scroll_y < pane.max_scroll_y and not getattr(pane, "follows_end", False)


def how_to_scroll(pane: Widget, messages: Messages) -> str:
    """Return how to see what is below; empty if nothing is. First comes the key that leads into the pane, where it has no focus."""
    if not has_more_below(pane):
        return ""
    first = "" if pane.has_focus_within else messages(f"tui.key.{pane.id}.key")
    return f"{first} {messages('tui.guide.below')}".lstrip()
