"""A scrollable view of lines that redraws only the lines that changed, for live tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from tutor.text import wrap
from tutor.tui.widgets.below import MoreBelow, how_to_scroll

if TYPE_CHECKING:
    from textual.events import Resize
    from textual.selection import Selection

    from tutor.messages import Messages
    from tutor.text.glyphs import Mark
    from tutor.view.lesson_view import LessonView

MARK_STYLES: dict[Mark, str] = {
    "+": "bold $text-success",
    "-": "$text-error",
    "~": "bold $text-warning",
    " ": "",
}


class LineView(ScrollView, can_focus=True):
    """Lines of styled text; a subclass makes them in `build`. Keys scroll when it has the focus."""

    DEFAULT_CSS = """
    LineView { background: $surface; color: $foreground; text-wrap: nowrap; text-overflow: clip; scrollbar-size: 1 1;
        scrollbar-gutter: stable; }  /* a scroll bar that appears must not cover the last cell of lines that just fit */
    """
    STICKS_TO_END: ClassVar[bool] = False
    """Whether the view follows new lines while the last one is in sight, as for a log."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (Textual's name)
        super().__init__(id=id, classes=classes)
        self._lines: list[Content] = []
        self._strips: dict[int, Strip] = {}
        self._at_end = True

    def build(self, width: int) -> list[Content]:
        """Return the lines for a view of `width` cells; a wider line is scrolled sideways."""
        raise NotImplementedError

    @property
    def plain_lines(self) -> list[str]:
        """The lines without their styles."""
        return [line.plain for line in self._lines]

    @property
    def follows_end(self) -> bool:
        """Whether new lines move the view to the last one."""
        return self.STICKS_TO_END and self._at_end

    def redraw(self) -> None:
        """Build the lines again and refresh those that changed."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        old, new = self._lines, self.build(width)
        self._lines = new
        size = Size(max((line.cell_length for line in new), default=0), len(new))
        if size != self.virtual_size:
            self.virtual_size = size
        for y in range(max(len(old), len(new))):
            before = old[y] if y < len(old) else None
            after = new[y] if y < len(new) else None
            if before is None or after is None or not before.is_same(after):
                self._strips.pop(y, None)
                self.refresh_line(y)
        self._follow()
        self._say_what_is_below()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Note whether the end is in sight: after scrolling up, new lines do not move the view."""
        super().watch_scroll_y(old_value, new_value)
        self._at_end = new_value >= self.max_scroll_y - 1
        self._say_what_is_below()

    def _say_what_is_below(self) -> None:
        """Say how to scroll, where lines are below the fold."""

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Put the scroll bar where the lines are (Textual moves it only while it is shown); they have a cell more or less now."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y
        self.call_after_refresh(self.redraw)

    def _follow(self) -> None:
        if self.follows_end:
            self.scroll_end(animate=False, force=True)

    def notify_style_update(self) -> None:
        """Drop the strips in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, _event: Resize) -> None:
        """Build the lines for the new width."""
        self._strips.clear()
        self.redraw()
        self.call_after_refresh(self._say_what_is_below)
        self.call_after_refresh(self._follow)  # a notice below may have taken a few lines of this view

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen, as Textual's line API asks."""
        scroll_x, scroll_y = self.scroll_offset
        width = self.scrollable_content_region.width
        index = scroll_y + y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[index]
        strip = self._strips.get(index)
        if strip is None:
            drawn = Visual.to_strips(
                self,
                self._with_selection(index, line),
                max(line.cell_length, 1),
                1,
                self.visual_style,
                apply_selection=False,
            )
            strip = self._strips[index] = drawn[0] if drawn else Strip.blank(0)
        strip = strip.crop_extend(scroll_x, scroll_x + width, self.rich_style)
        return strip.apply_offsets(len(line.truncate(scroll_x)), index)  # for the mouse

    def _with_selection(self, index: int, line: Content) -> Content:
        """Return a line with what is selected of it marked."""
        selection = self.text_selection
        span = selection.get_span(index) if selection is not None else None
        if span is None:
            return line
        start, end = span
        styles = self.screen.get_component_styles("screen--selection")
        return line.stylize(Style.from_styles(styles), start, len(line) if end == -1 else end)

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """Return the selected text, and what follows it, as Textual asks."""
        return selection.extract("\n".join(self.plain_lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the lines with another selection."""
        self._strips.clear()
        super().selection_updated(selection)


class Panel(LineView):
    """Lines about a lesson in a pane of its screen, with a frame that says how to scroll."""

    def __init__(self, name: str, view: LessonView, messages: Messages) -> None:
        """`name`: the id of the widget, with the title `tui.panel.NAME`."""
        super().__init__(id=name, classes="pane")
        self._view = view
        self._messages = messages
        self.border_title = messages(f"tui.panel.{name}")
        self.subtitle = ""
        """What the frame says at the bottom, beside how to scroll."""

    def watch_has_focus(self, has_focus: bool) -> None:
        """Name the key that leads into this pane, where it has no focus."""
        super().watch_has_focus(has_focus)
        self._say_what_is_below()

    def _say_what_is_below(self) -> None:
        text = "  ".join(filter(None, (how_to_scroll(self, self._messages), self.subtitle)))
        if text != self.border_subtitle:
            self.border_subtitle = text
        # Also where the frame says the same: it may have been written while the pane was hidden.
        self.post_message(MoreBelow())


def empty_panel(view: LessonView, messages: Messages, width: int) -> list[Content]:
    """Return the lines of a panel while there is no process to show."""
    return styled_lines(messages(f"tui.panel.{view.absence}"), width, "$text-muted", indent=" ")


def styled_lines(text: str, width: int, style: str, indent: str = "") -> list[Content]:
    """Return `text` wrapped to `width` cells, in one style, every line with the same indent."""
    return [Content.styled(indent + line, style) for line in wrap(text, max(2, width - len(indent)))]
