"""Parsing a command line, and the help; the rows of the table itself are in `commands`.

Options are taken as Go's `flag` and urfave/cli take them for runc: `--name value`, `--name=value`, `-name value`,
`-name=value`; a flag also as `--name=false`; before or after the arguments; `--` ends them.
"""

from __future__ import annotations

from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Value = bool | int | str | tuple[str, ...]

    Fields = dict[str, Any]
    """The values of all options by the fields that they fill; of a field `a.b`, the value for `b` in a dictionary `a`."""

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class UsageError(RuntError):
    """A command line that is not valid; `heading` introduces the help that is printed with it."""

    def __init__(self, message: str, heading: str, exit_status: int = 1) -> None:
        super().__init__(message, exit_status)
        self.heading = heading


class Option:
    """One option: its names (the long one first), the field that it fills, what kind of value it has, and what it does.

    `default` tells the kind: a `bool` is a flag, an `int` a number, a `str` text, a `tuple` text that may be given again.
    An option without a field is accepted and ignored.
    """

    __slots__ = ("default", "field", "help", "names")

    def __init__(self, names: str, field: str, default: Value, help_text: str) -> None:
        self.names = names.split()
        self.field = field
        self.default = default
        self.help = help_text

    def read(self, name: str, text: str) -> bool | int | str:
        """Return the value of `text`. Raises UsageError."""
        if isinstance(self.default, bool):
            if text not in (*_TRUE, *_FALSE):
                raise _incorrect(f'invalid boolean value "{text}" for -{name}: parse error')
            return text in _TRUE
        if isinstance(self.default, int):
            try:
                return int(text, 0)
            except ValueError:
                raise _incorrect(f'invalid value "{text}" for flag -{name}: parse error') from None
        return text


class Command:
    """One command: its name, its arguments, its options and its help."""

    __slots__ = ("arguments", "description", "maximum", "minimum", "mixed", "name", "summary")

    def __init__(
        self,
        name: str,
        summary: str,
        *,
        arguments: str,
        count: tuple[int, int],
        description: str,
        options_first: bool = False,
    ) -> None:
        self.name = name
        self.summary = summary
        self.arguments = arguments
        self.minimum, self.maximum = count
        self.description = description
        self.mixed = not options_first
        """Whether options may follow arguments; if not, what follows the first one is for another program."""

    def check_count(self, arguments: Sequence[str]) -> None:
        """Raise UsageError, in runc's words, for too few or too many arguments."""
        if self.minimum <= len(arguments) <= self.maximum:
            return
        if self.minimum == self.maximum:
            wanted = f"exactly {self.minimum} argument(s)"
        elif len(arguments) < self.minimum:
            wanted = f"a minimum of {self.minimum} argument(s)"
        else:
            wanted = f"a maximum of {self.maximum} argument(s)"
        raise UsageError(f'runt: "{self.name}" requires {wanted}', "Incorrect Usage.")


HELP = Option("help h", "help", default=False, help_text="show help")


def parse(options: Sequence[Option], words: Sequence[str], *, mixed: bool) -> tuple[Fields, list[str]]:
    """Return the fields that `options` fill and the arguments that are left over.

    With `mixed`, options may follow arguments; otherwise the first argument ends them. An unknown option is an error
    before the first argument and itself an argument after it.
    Raises UsageError.
    """
    values: dict[Option, Value] = {option: option.default for option in options}
    arguments = _read(values, words, mixed=mixed)
    fields: Fields = {}
    for option, value in values.items():
        name, _, member = option.field.partition(".")
        if member:
            fields.setdefault(name, {})[member] = value
        elif name:
            fields[name] = value
    return fields, arguments


def _read(values: dict[Option, Value], words: Sequence[str], *, mixed: bool) -> list[str]:
    """Store in `values` what `words` give; return the arguments. Raises UsageError."""
    by_name = {name: option for option in values for name in option.names}
    arguments: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            return [*arguments, *words[position:]]
        if not word.startswith("-") or word == "-":
            if not mixed:
                return list(words[position - 1 :])
            arguments.append(word)
            continue
        name, equals, text = word[2 if word.startswith("--") else 1 :].partition("=")
        option = by_name.get(name)
        if option is None:
            if not arguments:
                raise _incorrect(f"flag provided but not defined: -{name}")
            arguments.append(word)
            continue
        if not equals:
            if isinstance(option.default, bool):
                text = "true"
            elif position < len(words):
                text = words[position]
                position += 1
            else:
                raise _incorrect(f"flag needs an argument: -{name}")
        value = option.read(name, text)
        before = values[option]
        values[option] = (*before, str(value)) if isinstance(before, tuple) else value
    return arguments


def global_help(version: str, options: Sequence[Option], commands: Sequence[Command]) -> str:
    """Return the help of the program, with these global options and commands."""
    width = max(len(command.name) for command in commands)
    lines = "".join(f"   {command.name:<{width}}  {command.summary}\n" for command in commands)
    return (
        "NAME:\n   runt - an OCI runtime, written to be read\n\n"
        "USAGE:\n   runt [global options] command [command options] [arguments...]\n\n"
        f"VERSION:\n   {version}\n\n"
        f"COMMANDS:\n{lines}   {'help':<{width}}  show the commands, or the help of one command\n\n"
        f"GLOBAL OPTIONS:\n{_option_lines(options)}"
    )


def command_help(command: Command, options: Sequence[Option]) -> str:
    """Return the help of one command, with these options."""
    own = [option for option in options if option is not HELP]
    arguments = " ".join(filter(None, ("[command options]" if own else "", command.arguments)))
    text = (
        f"NAME:\n   runt {command.name} - {command.summary}\n\n"
        f"USAGE:\n   runt {command.name} {arguments}".rstrip()
        + f"\n\n{command.description}\n"
    )
    if own:
        text += f"\nOPTIONS:\n{_option_lines(own)}"
    return text


def _option_lines(options: Sequence[Option]) -> str:
    names = []
    for option in options:
        value = "" if isinstance(option.default, bool) else " value"
        names.append(", ".join(f"{'--' if len(name) > 1 else '-'}{name}{value}" for name in option.names))
    width = max(map(len, names))
    return "".join(
        f"   {name:<{width}}  {option.help}\n" for name, option in zip(names, options, strict=True)
    )


def _incorrect(message: str) -> UsageError:
    return UsageError(message, f"Incorrect Usage: {message}")
