"""The command line that `:` opens: the commands of the REPL, with completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tutor.session.commands.registry import BY_NAME, COMMANDS
from tutor.text import pad

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tutor.messages import Messages
    from tutor.session.commands.registry import Argument


class CommandLineInput(Input):
    """The line itself. Tab takes one completion after the other, arrow keys move among them; on an empty line, Up recalls the history."""

    BINDINGS: ClassVar = [
        Binding("tab", "complete(1)", show=False),
        Binding("shift+tab", "complete(-1)", show=False),
        Binding("up", "walk(-1)", show=False),
        Binding("down", "walk(1)", show=False),
    ]

    class Walked(Message):
        """An arrow key: go `by` completions further."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class CompletionWanted(Message):
        """Tab: take the highlighted completion, or the one that is `by` further than the one that was taken."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def action_complete(self, by: int) -> None:
        """Take a completion."""
        self.post_message(self.CompletionWanted(by))

    def action_walk(self, by: int) -> None:
        """Highlight another completion."""
        self.post_message(self.Walked(by))


class CommandLine(Vertical):
    """A line at the bottom of the screen, with the completions above it; hidden until it is opened."""

    DEFAULT_CSS = """
    CommandLine { height: auto; display: none; background: $panel;
        &.-open { display: block; }
        & Horizontal { height: 1; }
        & .prompt { width: 3; color: $text-accent; text-style: bold; padding: 0 0 0 1; }
        & CommandLineInput { border: none; height: 1; width: 1fr; background: $panel; padding: 0; }
        & CommandLineInput:focus { border: none; }
        & OptionList { height: auto; max-height: 10; border: none; background: $panel; padding: 0 1 0 3; }
    }
    """

    class Entered(Message):
        """The learner entered a line."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    def __init__(
        self, messages: Messages, complete: Callable[[Argument, str], tuple[tuple[str, str], ...]]
    ) -> None:
        super().__init__(id="command-line")
        self._messages = messages
        self._complete = complete
        self._history: list[str] = []
        self._recalled = 0
        self._candidates: list[str] = []
        self._taken: int | None = None
        """Which of the candidates Tab has put into the line; None: the line is as it was typed."""

    def compose(self) -> ComposeResult:
        """Lay out the completions and the line."""
        completions = OptionList(id="completions")
        completions.can_focus = False
        yield completions
        with Horizontal():
            yield Static(":", classes="prompt")
            yield CommandLineInput(
                placeholder=self._messages("tui.command.placeholder"), select_on_focus=False
            )

    @property
    def input(self) -> CommandLineInput:
        """The line."""
        return self.query_one(CommandLineInput)

    def open(self, line: str = "") -> None:
        """Show the line with a text in it, and give it the focus."""
        self.add_class("-open")
        self._set(line)
        self._recalled = len(self._history)
        self._offer(line)
        self.screen.set_focus(self.input)  # at once: the next key is for this line

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")

    @property
    def is_open(self) -> bool:
        """Tell whether it is shown."""
        return self.has_class("-open")

    def candidates(self, line: str) -> list[tuple[str, str, str]]:
        """Return the completions of the last word of `line`: the whole line with it, the word, and its help."""
        words = line.split(" ")
        if len(words) == 1:
            return [
                (
                    command.name + (" " if command.arguments or command.flags else ""),
                    command.name,
                    self._help(command.name),
                )
                for command in COMMANDS
                if command.name.startswith(line)
            ]
        command = BY_NAME.get(words[0])
        if command is None:
            return []
        before, prefix = " ".join(words[:-1]), words[-1]
        flags = [(flag, "") for flag in command.flags if flag.startswith(prefix)]
        place = len(words) - 2
        if place < len(command.arguments):
            argument = command.arguments[place]
            if argument.name == "command":
                values = [
                    (each.name, self._help(each.name)) for each in COMMANDS if each.name.startswith(prefix)
                ]
            else:
                values = list(self._complete(argument, prefix))
        else:
            values = []
        return [(f"{before} {value}", value, text) for value, text in [*values, *flags]]

    def _help(self, name: str) -> str:
        key = f"session.command.{name}"
        return self._messages(key) if self._messages.has(key) else ""

    def _offer(self, line: str) -> None:
        found = self.candidates(line)
        self._taken = None
        self._candidates = [whole for whole, _, _ in found]
        completions = self.query_one(OptionList)
        completions.clear_options()
        completions.add_options(
            Option(Content.assemble((pad(word, 12), "bold"), (text, "")), id=None) for _, word, text in found
        )
        completions.display = bool(found)
        completions.highlighted = 0 if found and line else None

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        line = self.input.value
        if self.is_open and (self._taken is None or line != self._candidates[self._taken]):
            self._offer(line)

    @on(CommandLineInput.CompletionWanted)
    def _take(self, event: CommandLineInput.CompletionWanted) -> None:
        event.stop()
        count, highlighted = len(self._candidates), self.query_one(OptionList).highlighted
        if not count:
            return
        if self._taken is not None:
            index = (self._taken + event.by) % count
        elif event.by > 0:
            index = highlighted or 0
        else:
            index = count - 1
        # The choices stay, so that another Tab takes the next one; with a single one there is nothing to choose.
        self._taken = index if count > 1 else None
        self._set(self._candidates[index])
        self.query_one(OptionList).highlighted = index

    @on(CommandLineInput.Walked)
    def _walk(self, event: CommandLineInput.Walked) -> None:
        event.stop()
        completions = self.query_one(OptionList)
        recalling = not self.input.value or self._recalled < len(self._history)
        if recalling and self._history and (event.by < 0 or self._recalled < len(self._history)):
            self._recalled = max(0, min(self._recalled + event.by, len(self._history)))
            self._set(self._history[self._recalled] if self._recalled < len(self._history) else "")
        elif event.by > 0:
            self._taken = None
            completions.action_cursor_down()
        else:
            self._taken = None
            completions.action_cursor_up()

    def _set(self, line: str) -> None:
        self.input.value = line
        self.input.cursor_position = len(line)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._set(self._candidates[event.option_index])
        self.input.focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        line = event.value.strip()
        self.close()
        if line:
            self._history.append(line)
        self.post_message(self.Entered(line))
