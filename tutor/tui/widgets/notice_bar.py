"""The notices of the session, between the panes and the keys, where they cover nothing.

Textual's toasts are not used: they lie over the panes, and Textual cuts the upper layer at the edges of the lower one,
which halves Japanese characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.text.glyphs import NEXT, SEVERITIES
from tutor.tui.inline_markdown import inline
from tutor.tui.widgets.rows import Rows, row

if TYPE_CHECKING:
    from tutor.session.events import Notice
    from tutor.tui.widgets.rows import Row

_STYLES = {"information": "$text-primary", "warning": "$text-warning", "error": "$text-error"}


class NoticeBar(Rows):
    """Title, explanation, and what to do now; hidden while there is no notice. A click hides it."""

    DEFAULT_CSS = """
    NoticeBar { max-height: 8; padding: 0 1; background: $panel; border-left: outer $border-blurred; }
    NoticeBar.-warning { border-left: outer $text-warning; }
    NoticeBar.-error { border-left: outer $text-error; }
    """

    def __init__(self) -> None:
        super().__init__(name="notice")
        self._said: Notice | None = None
        self._own_said: Notice | None = None
        self._own_stays = False

    def say(self, notice: Notice | None) -> None:
        """Show a notice of the session, in place of what is shown; None hides what is over."""
        self._said = notice
        if notice is not None or not self._own_stays:
            self._own_said, self._own_stays = None, False
        self._draw()

    def cover(self, notice: Notice, *, stays: bool = False) -> None:
        """Show a message of the screen itself, until the session says something; `stays`: until `uncover`, at the latest."""
        self._own_said, self._own_stays = notice, stays
        self._draw()

    def uncover(self) -> None:
        """Hide the message of the screen itself that is over now; the session's notice is shown again."""
        if self._own_stays:
            self._own_said, self._own_stays = None, False
            self._draw()

    def withdraw(self, notice: Notice) -> None:
        """Hide this message of the screen itself, if it is still shown."""
        if self._own_said is notice:
            self._own_said, self._own_stays = None, False
            self._draw()

    def hide(self) -> None:
        """Hide whatever is shown."""
        self._said, self._own_said, self._own_stays = None, None, False
        self._draw()

    def _draw(self) -> None:
        notice = self._own_said or self._said
        self.set_class(notice is not None and notice.severity == "warning", "-warning")
        self.set_class(notice is not None and notice.severity == "error", "-error")
        self.show([] if notice is None else self._rows_of(notice))

    def _rows_of(self, notice: Notice) -> list[Row]:
        glyph, style = SEVERITIES[notice.severity], _STYLES[notice.severity]
        rows = [row((f"{glyph} ", f"bold {style}"), (notice.title, f"bold {style}"))]
        rows += [row("  ", line) for line in (Content(part) for part in notice.body.splitlines())]
        if notice.next:
            rows.append(row((f"{NEXT} ", "bold $text-accent"), inline(notice.next)))
        return rows

    def on_click(self) -> None:
        """Hide the notice."""
        self.hide()
