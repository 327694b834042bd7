"""What panels of the container have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text import wrap

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.view.lesson_view import LessonView


def empty_panel(view: LessonView, messages: Messages, width: int) -> list[Content]:
    """Return what a panel says while there is no process to look at."""
    key = "tui.panel.stopped" if view.state is not None else "tui.panel.no_container"
    return styled_lines(messages(key), width, "$text-muted", indent=" ")


def styled_lines(text: str, width: int, style: str, indent: str = "") -> list[Content]:
    """Return `text` wrapped to `width` cells, in one style, every line with the same indent."""
    return [Content.styled(indent + line, style) for line in wrap(text, max(2, width - len(indent)))]
