"""The terminal beside the text: a pane with the shell of the lab, or the terminal of the container.

With the focus it has every key but those that `TERMINAL_KEYS` names, which its first line says.
"""

from __future__ import annotations

from asyncio import get_running_loop
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tutor.text import cell_width, wrap

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from textual.app import ComposeResult, RenderResult
    from textual.events import Key, Paste, Resize
    from textual.selection import Selection

    from tutor.messages import Messages
    from tutor.tui.terminal.terminal import Terminal

_FRAME = 1 / 30  # seconds between two pictures at least,
_FLOOD_FRAME = 1 / 8  # and while the program writes faster than it is read


class TerminalPane(Vertical):
    """The pane: one line that says what is shown and where keys go, and the screen of the terminal."""

    DEFAULT_CSS = "TerminalPane { padding: 0; }"

    def __init__(self, messages: Messages) -> None:
        super().__init__(id="terminal", classes="pane")
        self._messages = messages
        self.bar = TerminalBar(messages)
        self.view = TerminalView(messages, self.bar)
        self.border_title = messages("tui.panel.terminal")

    def compose(self) -> ComposeResult:
        """Lay out the line and the screen."""
        yield self.bar
        yield self.view


class TerminalBar(Widget):
    """Says what the terminal below belongs to, whether it has the keys, and the key that leads in or out."""

    DEFAULT_CSS = """
    TerminalBar { height: 1; padding: 0 1; background: $panel; color: $foreground; text-wrap: nowrap; text-overflow: ellipsis; }
    TerminalBar.-keys { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    """

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self._messages = messages
        self._terminal: Terminal | None = None

    def show(self, terminal: Terminal | None, *, keys: bool) -> None:
        """Name a terminal; `keys`: it has the focus."""
        self._terminal = terminal
        self.set_class(keys, "-keys")
        self.refresh()

    def render(self) -> RenderResult:
        """Return the name, and the hint at the right if there is room for both."""
        m, keys = self._messages, self.has_class("-keys")
        name = m(f"tui.terminal.{'shell' if self._terminal is None else self._terminal.kind}")
        ended = self._terminal is not None and self._terminal.ended
        hint = m(f"tui.terminal.{'ended' if ended else 'inside' if keys else 'outside'}")
        room = self.content_size.width - cell_width(hint)
        if room < cell_width(name) + 2:
            return Content(hint)
        return Content.assemble((name, "bold"), " " * (room - cell_width(name)), hint)


class TerminalView(ScrollView, can_focus=True):
    """The screen of one terminal, and the lines that have left it at the top."""

    DEFAULT_CSS = """
    TerminalView { background: $surface; color: $foreground; scrollbar-size: 1 1; scrollbar-gutter: stable; height: 1fr; }
    """
    ALLOW_SELECT: ClassVar[bool] = True

    def __init__(self, messages: Messages, bar: TerminalBar) -> None:
        super().__init__(id="terminal-view")
        self._messages = messages
        self._bar = bar
        self.terminal: Terminal | None = None
        self._strips: dict[int, Strip] = {}
        self._cursor: tuple[int, int] | None = None
        self._painted = 0.0
        self._due: TimerHandle | None = None
        self._at_end = True
        self._typed: list[Key | Paste] | None = None  # for a terminal that is being opened

    @property
    def takes_keys(self) -> bool:
        """Tell whether letters go to a program."""
        return self._typed is not None or (self.terminal is not None and not self.terminal.ended)

    # What is shown

    def await_terminal(self) -> None:
        """Keep what is typed for a terminal that is being opened."""
        if self._typed is None:
            self._typed = []
        self._say()

    def show(self, terminal: Terminal | None) -> None:
        """Show a terminal; None shows how one is opened."""
        if self.terminal is not None:
            self.terminal.on_change = None
        self.terminal = terminal
        if terminal is not None:
            terminal.on_change = self.note_change
            self._fit()
        typed, self._typed = self._typed or [], None
        for event in typed:
            self._send(event)
        self._say()
        self._at_end = True
        self._paint()

    @property
    def columns_and_rows(self) -> tuple[int, int]:
        """The size of the screen, also before the pane is shown."""
        size = self.scrollable_content_region.size
        return (size.width, size.height) if size.width > 1 and size.height > 1 else (80, 24)

    def note_change(self) -> None:
        """Draw soon, but not more often than thirty times a second, and eight times in a flood."""
        if self._due is None:
            flooded = self.terminal is not None and self.terminal.flooded
            wait = self._painted + (_FLOOD_FRAME if flooded else _FRAME) - monotonic()
            self._due = get_running_loop().call_later(max(0.0, wait), self._paint)

    def _say(self) -> None:
        self._bar.show(self.terminal, keys=self.has_focus and self.takes_keys)

    def _paint(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._painted = monotonic()
        if not self.is_attached:
            return
        terminal = self.terminal
        lines = None if terminal is None else terminal.emulator.changed()
        height = 0 if terminal is None else terminal.emulator.height
        if terminal is not None and terminal.ended:
            self._say()
        size = Size(self.scrollable_content_region.width, height)
        if size != self.virtual_size:
            self.virtual_size = size
            lines = None
        if lines is None:
            self._strips.clear()
            self.refresh()
        else:
            for line in lines:
                self._refresh_line(line)
        self._move_cursor()
        if self._at_end:
            self.scroll_to(y=max(0, height - self.size.height), animate=False, force=True, immediate=True)

    def _move_cursor(self) -> None:
        before = self._cursor
        self._cursor = None
        if self.terminal is not None and self.has_focus and not self.terminal.ended:
            self._cursor = self.terminal.emulator.cursor
        for place in (before, self._cursor):
            if place is not None:
                self._refresh_line(place[1])
        if self._cursor is not None:
            # An input method shows there what is being typed.
            x, y = self._cursor
            self.app.cursor_position = self.content_region.offset + Offset(x, y - round(self.scroll_y))

    def _refresh_line(self, line: int) -> None:
        self._strips.pop(line, None)
        self.refresh(Region(0, line - round(self.scroll_y), self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen, as Textual's line API asks."""
        width = self.scrollable_content_region.width
        if self.terminal is None:
            return self._how_to_open(y, width)
        line = y + round(self.scroll_y)
        strip = self._strips.get(line)
        if strip is None:
            emulator = self.terminal.emulator
            at = self._cursor
            strip = (
                emulator.line_with_cursor(line, at[0])
                if at is not None and at[1] == line
                else emulator.line(line)
            )
            self._strips[line] = strip = strip.apply_style(self.rich_style)
        drawn = self._with_selection(strip, line)
        return drawn.crop_extend(0, width, self.rich_style).apply_offsets(0, line)

    def _how_to_open(self, y: int, width: int) -> Strip:
        lines = wrap(self._messages("tui.terminal.how"), max(2, width - 2))
        return Strip([Segment(f" {lines[y]}" if y < len(lines) else "", self.rich_style)]).extend_cell_length(
            width, self.rich_style
        )

    # Selection by mouse

    def _with_selection(self, strip: Strip, line: int) -> Strip:
        selection = self.text_selection
        span = selection.get_span(line) if selection is not None else None
        if span is None:
            return strip
        text = strip.text  # what is selected is counted in characters, a strip in cells
        start = cell_width(text[: span[0]])
        end = strip.cell_length if span[1] < 0 else cell_width(text[: span[1]])
        style = self.screen.get_component_rich_style("screen--selection")
        return Strip.join([strip.crop(0, start), strip.crop(start, end).apply_style(style), strip.crop(end)])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, for Ctrl-C; None where there is none."""
        if self.terminal is None:
            return None
        emulator = self.terminal.emulator
        return selection.extract("\n".join(map(emulator.text, range(emulator.height)))), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002  (Textual's signature)
        """Draw the selection."""
        self.refresh()

    # Keys

    async def _on_key(self, event: Key) -> None:
        if not self.takes_keys:
            return  # they are keys of the screen
        if self.text_selection is not None:
            self.call_next(self.screen.clear_selection)
            if event.key == "ctrl+c":
                return  # the screen copies
        event.stop()
        event.prevent_default()
        if event.key in ("shift+pageup", "shift+pagedown"):
            self._scroll_page(up=event.key == "shift+pageup")
            return
        self._send(event)

    async def _on_paste(self, event: Paste) -> None:
        if self.takes_keys:
            event.stop()
            event.prevent_default()
            self._send(event)

    def _send(self, event: Key | Paste) -> None:
        self._at_end = True
        if self._typed is not None:
            self._typed.append(event)
        elif self.terminal is not None:
            self.terminal.send(event)

    def _scroll_page(self, *, up: bool) -> None:
        self.scroll_relative(y=(-1 if up else 1) * (self.size.height - 1), animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Note whether the end is in sight: after scrolling up, new lines do not move the view."""
        super().watch_scroll_y(old_value, new_value)
        self._at_end = new_value >= self.max_scroll_y - 1
        self._strips.clear()

    class Entered(Message):
        """The view has the focus, by a key or by the mouse."""

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show or hide the cursor, and say where keys go."""
        super().watch_has_focus(has_focus)
        self._say()
        if has_focus:
            self.post_message(self.Entered())
            self._at_end = True
            self._paint()
        else:
            self._move_cursor()

    def on_resize(self, _event: Resize) -> None:
        """Tell the program its window's size."""
        self._fit()
        self._strips.clear()
        self._paint()

    def _fit(self) -> None:
        size = self.scrollable_content_region.size
        if self.terminal is not None and size.width > 1 and size.height > 1:
            self.terminal.resize(size.width, size.height)

    def notify_style_update(self) -> None:
        """Drop the strips in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()
