"""The text area for `config.json`: JSON in colours, problems marked, brackets in pairs, indentation, completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.color import Color
from textual.document._document import Document
from textual.document._edit import Edit
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from tutor.configfile import keystrokes
from tutor.configfile.completion import Change, candidates
from tutor.lazy_dataclass import dataclass
from tutor.text.glyphs import SEVERITIES
from tutor.view.edited_file import INDENTATION, newline_of

if TYPE_CHECKING:
    from rich.text import Text
    from textual.events import Key

    from tutor.configfile import Severity
    from tutor.tui.widgets.completion_list import CompletionList

LARGEST_HELPED = 200_000
"""Characters of a text up to which keys do more than type: that takes a look at the whole text."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem in one line: from column `start` to `end` (from 0, the end exclusive; None: to the end of the line)."""

    start: int
    end: int | None
    severity: Severity


class JsonArea(TextArea):
    """A text area that marks a line with a problem by a glyph in the gutter and an underline."""

    # Function keys run operations here, so the actions that Textual binds to them get other keys.
    BINDINGS: ClassVar = [
        Binding("ctrl+a", "select_all", show=False),
        Binding("ctrl+home", "document_start", show=False),
        Binding("ctrl+end", "document_end", show=False),
    ]

    def __init__(self, popup: CompletionList) -> None:
        super().__init__(
            id="config-text", language="json", soft_wrap=False, show_line_numbers=True, tab_behavior="indent"
        )
        self.indent_width = keystrokes.INDENTATION
        self._is_python = False
        self._faults: dict[int, Fault] = {}
        self._popup = popup

    def on_resize(self) -> None:
        """Keep the line of the cursor in sight: the text of a problem below may have taken its place."""
        if self is self.screen.focused:
            self.scroll_cursor_visible()

    @property
    def faults(self) -> dict[int, Fault]:
        """The problems by line, from 0."""
        return self._faults

    def show_faults(self, faults: dict[int, Fault]) -> None:
        """Mark these lines and no others."""
        if faults != self._faults:
            self._faults = faults
            self.notify_style_update()
            self.refresh()

    def use_language(self, *, python: bool) -> None:
        """Edit Python from now on, without colours and without the helps of JSON; or JSON."""
        self._is_python = python
        self._popup.close()
        self.language = None if python else "json"
        self.indent_width = INDENTATION if python else keystrokes.INDENTATION

    def use_colours(self, variables: dict[str, str]) -> None:
        """Colour JSON by the CSS variables of the theme."""
        name = f"tutor-{variables['background']}-{variables['text-primary']}"
        if name not in self.available_themes:
            self.register_theme(json_theme(name, variables))
        self.theme = name

    def get_line(self, line_index: int) -> Text:
        """Return a line as Textual draws it, with its problem underlined."""
        line = super().get_line(line_index)
        if line_index in self._faults and len(line):
            fault = self._faults[line_index]
            start = min(fault.start, len(line) - 1)
            line.stylize(Style(underline=True, bold=True), start, max(start + 1, fault.end or len(line)))
        return line

    def render_line(self, y: int) -> Strip:
        """Return a line of the screen, with the glyph of its problem in the gutter."""
        strip = super().render_line(y)
        line_index = y + self.scroll_offset.y  # lines are not wrapped here
        if line_index not in self._faults or self.gutter_width < 3:
            return strip
        severity = self._faults[line_index].severity
        place = self.gutter_width - 1
        ground = next((segment.style for segment in strip.crop(place, place + 1)), None) or Style()
        colour = Color.parse(self.app.theme_variables[f"text-{severity}"]).rich_color
        style = ground + Style(color=colour, bold=True)
        mark = Strip([Segment(SEVERITIES[severity], style)], 1)
        return Strip.join([strip.crop(0, place), mark, strip.crop(place + 1)])

    def action_document_start(self) -> None:
        """Go to the first character."""
        self.move_cursor((0, 0))

    def action_document_end(self) -> None:
        """Go behind the last character."""
        self.move_cursor(self.document.end)

    # -- keys ------------------------------------------------------------------------------------------------------

    @property
    def offset_of_cursor(self) -> int:
        """The character offset of the cursor in the text."""
        return self.index_of(self.cursor_location)

    def index_of(self, location: tuple[int, int]) -> int:
        """Return the character offset of a location."""
        assert isinstance(self.document, Document)  # noqa: S101  (for mypy: it is all that Textual has)
        return self.document.get_index_from_location(location)

    def location_of(self, index: int) -> tuple[int, int]:
        """Return the location of a character offset."""
        assert isinstance(self.document, Document)  # noqa: S101  (for mypy: it is all that Textual has)
        return self.document.get_location_from_index(index)

    @property
    def offers(self) -> bool:
        """Whether completions are shown that are for the place of the cursor."""
        return self._popup.is_open and self._popup.at == self.cursor_location

    async def _on_key(self, event: Key) -> None:
        """Take a key that does more than type a character; any other is left to Textual."""
        if self.read_only or not self._take(event):
            return
        event.stop()
        event.prevent_default()
        self._restart_blink()

    def _take(self, event: Key) -> bool:
        if self._is_python:
            return self._take_python(event)
        if self.offers and (event.key == "tab" or (event.key == "enter" and self._popup.chosen)):
            self.accept()
            return True
        if not self.selection.is_empty or len(self.text) > LARGEST_HELPED:
            return False
        if event.key == "tab":
            line = self.document[self.cursor_location[0]][: self.cursor_location[1]]
            return bool(line.strip()) and self.offer(asked=True)
        if event.key == "enter":
            self._popup.close()
            self.change(keystrokes.newline(self.text, self.offset_of_cursor))
            return True
        if not event.is_printable or not event.character:
            return False
        change = keystrokes.typed(self.text, self.offset_of_cursor, event.character)
        if change is None:
            self._replace_via_keyboard(event.character, *self.selection)
        else:
            self.change(change)
        self.offer()
        return True

    def _take_python(self, event: Key) -> bool:
        if event.key != "enter" or not self.selection.is_empty:
            return False
        self._replace_via_keyboard(newline_of(self.text, self.offset_of_cursor), *self.selection)
        return True

    def change(self, change: Change) -> None:
        """Make a change of the text, which can be undone, and move the cursor where it leaves it."""
        text = self.text
        if text[change.start : change.end] != change.text:
            start = self.location_of(change.start)
            end = self.location_of(change.end)
            self.edit(Edit(change.text, start, end, maintain_selection_offset=False))
        self.move_cursor(self.location_of(change.cursor))

    def replace_all(self, text: str) -> None:
        """Replace the whole text by another one, as one change that can be undone; the cursor stays on its line."""
        old, cursor = self.text, self.cursor_location
        if old == text:
            return
        start = next(
            (at for at, (a, b) in enumerate(zip(old, text, strict=False)) if a != b), min(len(old), len(text))
        )
        room = min(len(old), len(text)) - start
        kept = next((n for n in range(room) if old[-1 - n] != text[-1 - n]), room)
        self.history.checkpoint()
        self.change(Change(start, len(old) - kept, text[start : len(text) - kept], 0))
        self.history.checkpoint()
        self.move_cursor(self.clamp_visitable(cursor))

    # -- completion ------------------------------------------------------------------------------------------------

    def offer(self, *, asked: bool = False) -> bool:
        """Show what may be written at the cursor; unasked only while a word is being typed. Return whether there is anything."""
        offset = self.offset_of_cursor
        found = candidates(self.text, offset)
        if not asked:
            found = tuple(each for each in found if each.change.end > each.change.start)
        if not found:
            self._popup.close()
            return False
        self._popup.open(found, self.cursor_location, chosen=asked)
        self.call_after_refresh(self.place_popup)
        return True

    def place_popup(self) -> None:
        """Put the completions beside the line of the cursor."""
        if self.offers:
            self._popup.place(self.cursor_screen_offset)

    def accept(self) -> None:
        """Write the highlighted completion; offer values behind a key that has just been written."""
        candidate = self._popup.highlighted
        self._popup.close()
        if candidate is None:
            return
        self.history.checkpoint()
        self.change(candidate.change)
        if candidate.key and (candidate.member.values or candidate.member.rule.kind == "boolean"):
            self.offer(asked=True)
            self._popup.passive()

    def action_delete_left(self) -> None:
        """Delete the character before the cursor; in an empty pair of brackets or quotation marks, both."""
        offered = self.offers
        helped = self.selection.is_empty and not self._is_python
        change = keystrokes.backspace(self.text, self.offset_of_cursor) if helped else None
        if change is None:
            super().action_delete_left()
        else:
            self.change(change)
        self._popup.close()
        if offered:
            self.offer()

    def action_cursor_down(self, select: bool = False) -> None:
        """Go to the next completion; without any, to the next line."""
        if self.offers and not select:
            self._popup.move(1)
        else:
            super().action_cursor_down(select)

    def action_cursor_up(self, select: bool = False) -> None:
        """Go to the completion before; where none is highlighted, to the line before."""
        if self.offers and self._popup.chosen and not select:
            self._popup.move(-1)
        else:
            super().action_cursor_up(select)


def json_theme(name: str, variables: dict[str, str]) -> TextAreaTheme:
    """Return a theme for the editor in the colours of the app's theme."""

    def style(variable: str, *, bold: bool = False) -> Style:
        return Style(color=Color.parse(variables[variable]).rich_color, bold=bold)

    def ground(variable: str, text: str) -> Style:
        return Style(
            color=Color.parse(variables[text]).rich_color, bgcolor=Color.parse(variables[variable]).rich_color
        )

    return TextAreaTheme(
        name,
        base_style=ground("surface", "foreground"),
        gutter_style=ground("surface", "text-muted"),
        cursor_style=ground("input-cursor-background", "input-cursor-foreground"),
        cursor_line_style=Style(bgcolor=Color.parse(variables["panel"]).rich_color),
        cursor_line_gutter_style=ground("panel", "foreground"),
        bracket_matching_style=Style(bold=True, underline=True),
        selection_style=ground("input-selection-background", "input-selection-foreground"),
        syntax_styles={
            "json.label": style("text-primary"),
            "string": style("text-success"),
            "number": style("text-warning"),
            "boolean": style("text-accent", bold=True),
            "json.null": style("text-accent", bold=True),
            "string.escape": style("text-warning"),
            "punctuation.delimiter": style("text-muted"),
            "punctuation.bracket": style("foreground"),
            "json.error": style("text-error"),
        },
    )
