"""What all screens have: the message for a terminal that is too small, the list of keys, questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from tutor.session.events import Notice
from tutor.tui.keys import GROUPS
from tutor.tui.screens.dialogs import Ask, Help
from tutor.tui.widgets.notice_bar import NoticeBar
from tutor.tui.widgets.way_out import way_out
from tutor.view.edited_file import edited_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import ComposeResult
    from textual.binding import Binding

    from tutor.messages import Messages
    from tutor.tui.keys import Key
    from tutor.tui.navigation import Navigation
    from tutor.tui.palette import PaletteCommand
    from tutor.tui.screens.dialogs import Answer

SMALLEST = (80, 24)


class TutorScreen(Screen[None]):
    """A screen of oci-tutor, with texts of the catalogue and a table of keys."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (80, "-narrow"), (110, "-medium"), (160, "-wide")]  # noqa: RUF012  (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (24, "-low"), (32, "-tall")]  # noqa: RUF012  (as Textual declares it)
    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self, messages: Messages, navigation: Navigation) -> None:
        super().__init__()
        self.messages = messages
        self.navigation = navigation

    @property
    def typing(self) -> bool:
        """Tell whether the focus is in a text or a terminal, so that letters are no keys."""
        return way_out(self.focused) != ""

    @property
    def has_selection(self) -> bool:
        """Tell whether text is selected, by the mouse or where it is typed: Ctrl-C copies it."""
        return bool(self.get_selected_text() or self._selected_where_typed)

    @property
    def _selected_where_typed(self) -> str:
        return self.focused.selected_text if isinstance(self.focused, TextArea | Input) else ""

    def action_copy_text(self) -> None:
        """Copy what is selected; a selection by the mouse ends then, so that the next Ctrl-C is another key."""
        if not self.get_selected_text() and self._selected_where_typed:
            self.app.copy_to_clipboard(self._selected_where_typed)
        else:
            super().action_copy_text()
            self.clear_selection()

    def compose(self) -> ComposeResult:
        """Lay out the screen, and over it the message for a terminal that is too small."""
        self._note_size()
        yield from self.parts()
        yield Static(id="too-small")

    def _note_size(self) -> None:
        """Take the classes of the breakpoints before there are widgets: those that come with the size later have all of them styled again."""
        for size, breakpoints in zip(
            self.app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True
        ):
            fitting = [(least, name) for least, name in breakpoints if size >= least]
            self.add_class(*(name for _, name in sorted(fitting)[-1:]), update=False)

    @property
    def too_small(self) -> bool:
        """Tell whether the terminal is too small to show anything but that."""
        return self.size.width < SMALLEST[0] or self.size.height < SMALLEST[1]

    @on(Resize)
    def _say_size(self, event: Resize) -> None:
        width, height = SMALLEST
        now = {"columns": event.size.width, "lines": event.size.height}
        text = self.messages("tui.too_small", width=width, height=height, **now)
        self.query_one("#too-small", Static).update(Content(text))

    def parts(self) -> ComposeResult:
        """Lay out the widgets of this screen."""
        raise NotImplementedError

    def palette_commands(self) -> Iterator[PaletteCommand]:
        """Yield title, explanation and action of each command for the palette."""
        raise NotImplementedError

    @property
    def edited_name(self) -> str:
        """The name of the file that the learner edits."""
        return edited_name(None)

    def ask(
        self,
        name: str,
        yes: Callable[[], object],
        no: Callable[[], object] = lambda: None,
        *,
        instead: Callable[[], object] | None = None,
        quits: bool = False,
    ) -> None:
        """Ask the question `tui.ask.NAME` of the catalogue; call what belongs to the answer. `quits`: as `Ask` has it."""
        parts = ("title", "body", "proceed", "cancel", *(["instead"] if instead else []))
        texts = (self.messages(f"tui.ask.{name}.{part}", file=self.edited_name) for part in parts)
        then = {"yes": yes, "no": no, "instead": instead or no}

        def answered(answer: Answer | None) -> None:
            then[answer or "no"]()

        self.app.push_screen(Ask(*texts, quits=quits), answered)

    def on_paste(self) -> None:
        """Say that what was pasted is not taken, where it is no text: as keys it could do anything."""
        if not self.typing:
            notice = Notice("information", self.messages("tui.paste_ignored"))
            self.query_one(NoticeBar).cover(notice)

    def action_help(self) -> None:
        """Show all keys of this screen, grouped."""
        m = self.messages
        now: dict[str | None, Binding] = {}
        for active in self.active_bindings.values():
            now.setdefault(active.binding.id, active.binding)
        groups: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        for group in GROUPS:
            rows: list[tuple[str, str]] = []
            for key in self.KEYS:
                if key.group == group:
                    binding = now.get(f"{self.name_of_keys}.{key.id}") or key.binding(self.name_of_keys)
                    rows.append((self.app.get_key_display(binding), m(f"tui.key.{key.id}.long")))
            if rows:
                groups.append((m(f"tui.help.group.{group}"), tuple(rows)))
        self.app.push_screen(Help(m, tuple(groups)))

    def action_help_anywhere(self) -> None:
        """Show all keys of this screen, also while typing."""
        self.action_help()

    @property
    def name_of_keys(self) -> str:
        """The first part of this screen's binding ids."""
        return type(self).__name__.removesuffix("Screen").lower()

    def action_theme(self) -> None:
        """Change between the dark and the light theme."""
        self.navigation.change_theme()

    def action_quit_gently(self) -> None:
        """End the program."""
        self.app.exit(0)

    def action_quit_anywhere(self) -> None:
        """End the program, from whatever screen."""
        self.action_quit_gently()

    async def action_palette(self) -> None:
        """Open the command palette."""
        self.navigation.open_palette()
