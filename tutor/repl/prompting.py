"""Completion, highlighting, validation and history of the prompt, for prompt_toolkit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.validation import ValidationError, Validator

from tutor.errors import TutorError
from tutor.session.commands.registry import BY_NAME, COMMANDS, IN_SHELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from tutor.repl.repl import Repl

# The values of an error that may be the wrong word, in the order of preference.
_FAULTY_WORDS = ("flag", "extra", "typed", "command")


class CommandCompleter(Completer):
    """Completes commands, their flags and their arguments, each with its description."""

    def __init__(self, repl: Repl) -> None:
        self._repl = repl

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Yield the completions of the word at the cursor."""
        del complete_event
        text = document.text_before_cursor
        prefix = document.get_word_before_cursor(WORD=True)
        if text.lstrip().startswith(IN_SHELL):
            text = text.replace(
                IN_SHELL, f"{IN_SHELL} ", 1
            )  # what follows is another word, also without a blank
            prefix = prefix.removeprefix(IN_SHELL)
        words = text.split()
        before = words[:-1] if prefix else words
        for value, about in self._candidates(before, prefix):
            if value.lower().startswith(prefix.lower()):
                yield Completion(value, start_position=-len(prefix), display_meta=about)

    def _candidates(self, before: list[str], prefix: str) -> Iterator[tuple[str, str]]:
        if not before or before == ["help"]:
            yield from ((each.name, self._about(f"command.{each.name}")) for each in COMMANDS)
            return
        command = BY_NAME.get(before[0])
        if command is None:
            return
        given = [word for word in before[1:] if word not in command.flags]
        if len(given) < len(command.arguments) or command.name == IN_SHELL:
            argument = command.arguments[min(len(given), len(command.arguments) - 1)]
            yield from self._repl.session.completions(argument, prefix)
        for flag in command.flags:
            if flag not in before:
                yield flag, self._about(f"flag.{flag.lstrip('-')}")

    def _about(self, key: str) -> str:
        messages = self._repl.messages
        return messages(f"session.{key}") if messages.has(f"session.{key}") else ""


class CommandLexer(Lexer):
    """Colours a command line: known and unknown commands, flags, arguments."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return a function that styles a line."""

        def styled(number: int) -> StyleAndTextTuples:
            fragments: StyleAndTextTuples = []
            name_seen = False
            for word in _with_spaces(document.lines[number]):
                if word.isspace():
                    style = ""
                elif not name_seen:
                    known = word in BY_NAME or word.startswith(IN_SHELL)
                    style = "class:command" if known else "class:unknown"
                    name_seen = True
                else:
                    style = "class:flag" if word.startswith("-") else "class:argument"
                fragments.append((style, word))
            return fragments

        return styled


def _with_spaces(text: str) -> list[str]:
    """Return words and the spaces between them, alternating; a line may begin with spaces."""
    pieces: list[str] = []
    for character in text:
        if pieces and pieces[-1][-1].isspace() == character.isspace():
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


class CommandValidator(Validator):
    """Refuses a line with a mistake in its arguments, with the cursor on the wrong word.

    A line that begins with no command ends, as in a shell, and so does any wrong line behind which more was typed already: what
    follows is another line, and must not come into this one. The loop says then what is wrong.
    """

    def __init__(self, repl: Repl, more_typed: Callable[[], bool] = lambda: False) -> None:
        self._repl = repl
        self._more_typed = more_typed

    def validate(self, document: Document) -> None:
        """Check a line before it is run.

        Raises:
            ValidationError: its arguments are wrong.
        """
        try:
            self._repl.parse_lines(document.text)
        except TutorError as error:
            if error.key == "session.error.unknown_command" or "\n" in document.text or self._more_typed():
                return
            title, body, following = error.render(self._repl.messages)
            message = "  ".join(filter(None, (title, (body or following).replace("\n", " "))))
            raise ValidationError(fault_position(document.text, error), message) from error


def fault_position(text: str, error: TutorError) -> int:
    """Return the offset of the word that an error is about; the end of the text if an argument is missing."""
    words = (str(error.values[name]) for name in _FAULTY_WORDS if name in error.values)
    missing = error.key.endswith("missing_argument")
    found = [text.find(word) for word in words if word in text]
    return len(text) if missing or not found else found[0]


def open_history(folder: Path) -> History:
    """Return the history that is kept in a directory; one in memory if that can't be written."""
    path = folder / "repl-history"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.open("a", encoding="utf-8").close()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
