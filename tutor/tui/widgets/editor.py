"""The editor of `config.json`: JSON in colours, with its problems marked during typing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.binding import Binding
from textual.color import Color
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from tutor.configfile import problems
from tutor.text.glyphs import PASSED, SEVERITIES, UNSAVED
from tutor.tui.inline_markdown import inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text
    from textual.app import ComposeResult, RenderResult
    from textual.timer import Timer

    from tutor.configfile import Problem, Severity
    from tutor.messages import Messages

_TYPING_PAUSE = 0.15  # seconds after the last keystroke before the text is checked


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

    def __init__(self) -> None:
        super().__init__(
            id="config-text", language="json", soft_wrap=False, show_line_numbers=True, tab_behavior="indent"
        )
        self.indent_width = 2
        self._faults: dict[int, Fault] = {}

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

    def use_colours(self, variables: dict[str, str]) -> None:
        """Colour JSON by the CSS variables of the theme."""
        name = f"tutor-{variables['background']}"
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
        style = ground + Style(color=self.app.theme_variables[f"text-{severity}"], bold=True)
        mark = Strip([Segment(SEVERITIES[severity], style)], 1)
        return Strip.join([strip.crop(0, place), mark, strip.crop(place + 1)])

    def action_document_start(self) -> None:
        """Go to the first character."""
        self.move_cursor((0, 0))

    def action_document_end(self) -> None:
        """Go behind the last character."""
        self.move_cursor(self.document.end)


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


class ProblemLine(Widget):
    """The text under the editor: the problem nearest to the cursor, or that there is none."""

    DEFAULT_CSS = "ProblemLine { height: auto; max-height: 4; padding: 0 1; background: $panel; }"

    def __init__(self) -> None:
        super().__init__(id="problem-line")
        self._content = Content("")

    def show(self, content: Content) -> None:
        """Show a text."""
        if content.plain != self._content.plain:
            self._content = content
            self.refresh(layout=True)

    def render(self) -> RenderResult:
        """Return the text."""
        return self._content


class ConfigPane(Vertical):
    """The editor with the text of its nearest problem. It keeps the text on disk, to tell whether there are unsaved edits."""

    class Edited(Message):
        """`unsaved` has changed."""

    def __init__(self, messages: Messages) -> None:
        super().__init__(id="config", classes="pane")
        self._messages = messages
        self._saved = ""
        self._timer: Timer | None = None
        self._problems: Sequence[Problem] = ()
        self._was_unsaved = False

    def compose(self) -> ComposeResult:
        """Lay out the editor and the line below it."""
        yield JsonArea()
        yield ProblemLine()

    def on_mount(self) -> None:
        """Use the colours of the theme, now and after each change of it."""
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._use_colours())
        self._use_colours()
        self._update()

    def _use_colours(self) -> None:
        self.area.use_colours(self.app.theme_variables)

    @property
    def area(self) -> JsonArea:
        """The text area."""
        return self.query_one(JsonArea)

    @property
    def text(self) -> str:
        """The text in the editor."""
        return self.area.text

    @property
    def saved(self) -> str:
        """The text on disk, as it was read or saved last."""
        return self._saved

    @property
    def unsaved(self) -> bool:
        """Tell whether the text in the editor is another than on disk."""
        return self.text != self._saved

    def load(self, text: str) -> None:
        """Replace the text in the editor by the text on disk; the cursor stays on its line."""
        self._saved = text
        if self.text != text:
            cursor = self.area.cursor_location
            self.area.load_text(text)
            self.area.move_cursor(self.area.clamp_visitable(cursor))
        self._find_problems()

    def mark_saved(self, text: str) -> None:
        """Note that `text` is on disk, without a change of the text in the editor."""
        self._saved = text
        self._update()

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_TYPING_PAUSE, self._find_problems)
        self._update()

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self._update()

    def _find_problems(self) -> None:
        """Find the problems of the text, and show them."""
        self._problems = problems(self.text) if self.text.strip() or self._saved else ()
        faults: dict[int, Fault] = {}
        for problem in reversed(self._problems):
            end = problem.end_column - 1 if problem.end_line == problem.line else None
            faults[problem.line - 1] = Fault(problem.column - 1, end, problem.severity)
        self.area.show_faults(faults)
        self._update()

    def _update(self) -> None:
        m = self._messages
        row, column = self.area.cursor_location
        place = m("tui.config.place", line=row + 1, column=column + 1)
        nearest = min(self._problems, key=lambda problem: abs(problem.line - 1 - row), default=None)
        if nearest is None:
            text = Content.assemble((f"{PASSED} ", "$text-success"), (m("tui.config.fine"), "$text-success"))
        else:
            where = m("tui.config.place", line=nearest.line, column=nearest.column)
            style = "$text-error" if nearest.severity == "error" else "$text-warning"
            parts: list[str | Content | tuple[str, str]] = [
                (f"{SEVERITIES[nearest.severity]} {where}  ", f"bold {style}"),
                inline(nearest.message(m), style),
            ]
            if nearest.clause:
                parts.append((f"  {nearest.clause}", "$text-muted"))
            if len(self._problems) > 1:
                parts.append((f"  {m('tui.config.more', count=len(self._problems) - 1)}", "$text-muted"))
            text = Content.assemble(*parts)
        self.query_one(ProblemLine).show(text)
        saved = m("tui.config.unsaved") if self.unsaved else m("tui.config.saved")
        glyph = UNSAVED if self.unsaved else PASSED
        self.border_title = f"config.json  {glyph} {saved}"
        self.border_subtitle = place
        if self.unsaved != self._was_unsaved:
            self._was_unsaved = self.unsaved
            self.post_message(self.Edited())
