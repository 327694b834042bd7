"""The screen of one terminal: what its program has drawn, as lines of cells, and keys as the program expects them.

bittty keeps the cells, answers what a program asks its terminal, and knows the modes in which keys are sent. It is given no file,
printer or clipboard: what a program says to those is dropped.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bittty import XTERM, Board, KeyEvent, KeyModifiers
from bittty.present import RowsScrolledOff, ScrollbackCleared
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.events import Key

TERM = "xterm-256color"
"""The entry of terminfo(5) that describes this terminal."""
MOST_LINES = 1000
"""Lines that are kept after they have left the screen at the top."""

_MODIFIERS = {"shift": KeyModifiers.SHIFT, "ctrl": KeyModifiers.CTRL, "alt": KeyModifiers.ALT}
# Textual's name of a key, and the emulator's, where they differ.
_NAMES = {"pageup": "page_up", "pagedown": "page_down"}
_CURSOR = Style(reverse=True)


class Emulator:
    """One terminal of `columns` x `rows` cells. `send` takes what goes to the program: keys, and answers to its questions."""

    keeps_scrollback = True  # for bittty: rows that leave the screen are handed to `present`

    def __init__(self, columns: int, rows: int, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._board: Any = Board(width=columns, height=rows, model=XTERM)
        self._board.host.attach(_Line(send))
        self._board.attach_display(self)
        self._size = columns, rows
        self._left: deque[Sequence[tuple[Any, str]]] = deque(maxlen=MOST_LINES)
        self._scrolled = False
        self._page: Any = None
        self._seen = 0

    # From the program

    def feed(self, data: bytes) -> None:
        """Take what the program has written."""
        self._board.feed_host_data(data)
        if (self._board.width, self._board.height) != self._size:
            self._board.resize(*self._size)  # a program can't change the size of the pane

    def present(self, event: object) -> None:
        """Take what the emulator tells its display: rows that have left the screen. For bittty."""
        if isinstance(event, RowsScrolledOff):
            self._left.extend(line.cells for line in event.lines)
            self._scrolled = True
        elif isinstance(event, ScrollbackCleared):
            self._left.clear()
            self._scrolled = True

    def resize(self, columns: int, rows: int) -> None:
        """Have another size; the program is told by its pseudoterminal."""
        self._size = columns, rows
        self._board.resize_from_frontend(columns, rows)

    # To the program

    def press(self, key: Key) -> None:
        """Send a key, in the form that the program's modes ask for."""
        character = key.character
        if character is not None and not character.isprintable():
            self._send(character.encode())  # control characters, Enter, Tab, Backspace, Escape
        elif character is not None:
            self._board.input_text(character)
        else:
            *modifiers, name = key.key.split("+")
            held = KeyModifiers.NONE
            for modifier in modifiers:
                held |= _MODIFIERS.get(modifier, KeyModifiers.NONE)
            self._board.input_key_event(KeyEvent(_NAMES.get(name, name), held))

    def paste(self, text: str) -> None:
        """Send a pasted text; a program that asked for it is told where it begins and ends."""
        self._board.input_paste(text)

    # For the display

    @property
    def height(self) -> int:
        """Lines in all: those that have left the screen, and the screen."""
        return len(self._left) + self._size[1]

    @property
    def rows(self) -> int:
        """Lines of the screen."""
        return self._size[1]

    @property
    def cursor(self) -> tuple[int, int] | None:
        """Column and line of the cursor, lines counted as for `line`; None: the program hides it."""
        place = self._board.display.cursor
        return (place[0], place[1] + len(self._left)) if place is not None else None

    def changed(self) -> Iterable[int] | None:
        """Return the lines that have changed since the last call; None: all of them may have."""
        page = self._board.display.page
        everything = page is not self._page or self._scrolled
        rows = None if everything else [row + len(self._left) for row in page.dirty_rows(self._seen)]
        self._page, self._seen, self._scrolled = page, page.observe(), False
        return rows

    def line(self, number: int) -> Strip:
        """Return a line, counted from the oldest that is kept; beyond the last one it is blank."""
        return Strip(_segments(self._cells(number)))

    def line_with_cursor(self, number: int, column: int) -> Strip:
        """Return a line with the cursor on it."""
        strip = self.line(number).extend_cell_length(column + 1)
        after = column + 2 if self._is_wide(number, column) else column + 1
        return Strip.join(
            [strip.crop(0, column), strip.crop(column, after).apply_style(_CURSOR), strip.crop(after)]
        )

    def text(self, number: int) -> str:
        """Return a line without its styles and trailing blanks."""
        return "".join(character for _, character in self._cells(number)).rstrip()

    def _cells(self, number: int) -> Sequence[tuple[Any, str]]:
        if number < len(self._left):
            return self._left[number]
        grid = self._board.display.page.grid
        row = number - len(self._left)
        cells: Sequence[tuple[Any, str]] = grid[row] if row < len(grid) else ()
        return cells

    def _is_wide(self, number: int, column: int) -> bool:
        cells = self._cells(number)
        return column + 1 < len(cells) and not cells[column + 1][1]


class _Line:
    """The line to the program, for bittty. The pane reads, and sets the size of the pseudoterminal."""

    closed = False

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def write(self, data: str) -> int:
        self._send(data.encode("utf-8", "replace"))
        return len(data)

    def write_bytes(self, data: bytes) -> int:
        self._send(data)
        return len(data)

    def flush(self) -> None: ...
    def resize(self, rows: int, cols: int) -> None: ...
    def close(self) -> None: ...


def _segments(cells: Sequence[tuple[Any, str]]) -> list[Segment]:
    found: list[Segment] = []
    run: list[str] = []
    present: Any = None
    for style, character in cells:
        if style is not present:
            if run:
                found.append(Segment("".join(run), _style(present)))
            run, present = [], style
        run.append(character)
    if run:
        found.append(Segment("".join(run), _style(present)))
    return found


@lru_cache(maxsize=1024)
def _style(style: Any) -> Style | None:
    rich = Style(
        color=_colour(style.fg),
        bgcolor=_colour(style.bg),
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
        conceal=style.conceal or None,
        strike=style.strike or None,
    )
    return rich or None


def _colour(colour: Any) -> Color | None:
    if colour is None or colour.mode == "default":
        return None
    return Color.from_ansi(colour.value) if colour.mode == "indexed" else Color.from_rgb(*colour.value)
