"""argparse in the learner's language: wraps Japanese by its width, and takes the common options anywhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

from tutor import waiting
from tutor.engines.model import ENGINE_NAMES
from tutor.messages import LANGUAGES, Messages
from tutor.text import cell_width, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

# argparse's own texts that can reach a user, and the catalogue's entries for them (`cli.argparse.*`, %-placeholders).
# A test compares them with the argparse of the Python that runs.
ARGPARSE_TEXTS = {
    "usage: ": "usage",
    "options": "options",
    "positional arguments": "positionals",
    "subcommands": "subcommands",
    "%(heading)s:": "heading",
    " (default: %(default)s)": "default",
    "show this help message and exit": "help",
    "show program's version number and exit": "version",
    "%(prog)s: error: %(message)s\n": "error",
    "%(prog)s: warning: %(message)s\n": "warning",
    "argument %(argument_name)s: %(message)s": "argument",
    "ambiguous option: %(option)s could match %(matches)s": "ambiguous",
    "can't open '%(filename)s': %(error)s": "cannot_open",
    "expected %s argument": "expected_some",
    "expected %s arguments": "expected_some",
    "expected at least one argument": "expected_at_least_one",
    "expected at most one argument": "expected_at_most_one",
    "expected one argument": "expected_one",
    "ignored explicit argument %r": "takes_no_value",
    "invalid %(type)s value: %(value)r": "invalid_value",
    "invalid choice: %(value)r (choose from %(choices)s)": "invalid_choice",
    "invalid choice: %(value)r, maybe you meant %(closest)r? (choose from %(choices)s)": "invalid_choice_meant",
    "not allowed with argument %s": "not_allowed_with",
    "one of the arguments %s is required": "one_required",
    "the following arguments are required: %s": "required",
    "unexpected option string: %s": "unexpected",
    "unknown parser %(parser_name)r (choices: %(choices)s)": "unknown_command",
    "unrecognized arguments: %s": "unrecognized",
    "argument '%(argument_name)s' is deprecated": "argument_deprecated",
    "command '%(parser_name)s' is deprecated": "command_deprecated",
    "option '%(option)s' is deprecated": "option_deprecated",
}


def translate_argparse(messages: Messages) -> None:
    """Make argparse take its own texts from the catalogue, by replacing its gettext functions (`_`, `ngettext`)."""

    def translate(text: str) -> str:
        key = ARGPARSE_TEXTS.get(text)
        return messages.raw(f"cli.argparse.{key}") if key else text

    def translate_number(one: str, many: str, count: int) -> str:
        return translate(one if count == 1 else many)

    vars(argparse).update(_=translate, ngettext=translate_number)


class Parser(argparse.ArgumentParser):
    """A parser that takes the common options, as the parsers of its subcommands do, and measures its help in cells.

    The common options have no default: the parser of a subcommand would overwrite what was given before the subcommand.
    """

    messages: ClassVar[Messages]

    @classmethod
    def in_language_of(cls, messages: Messages) -> type[Parser]:
        """Return a class of parsers with these messages; argparse makes subparsers of their parent's class."""
        return type(cls.__name__, (cls,), {"messages": messages})

    def __init__(self, **keywords: object) -> None:
        keywords.setdefault("formatter_class", _HelpFormatter)
        super().__init__(allow_abbrev=False, **keywords)  # type: ignore[arg-type]  # passed on as add_parser gave them
        common = self.add_argument_group(self.messages("cli.common"))
        common.add_argument(
            "--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help=self.messages("cli.lang")
        )
        common.add_argument(
            "--engine", choices=ENGINE_NAMES, default=argparse.SUPPRESS, help=self.messages("cli.engine")
        )
        common.add_argument(
            "--course",
            metavar="PATH",
            type=Path,
            default=argparse.SUPPRESS,
            help=self.messages("cli.course.help"),
        )
        common.add_argument(
            "--plain", action="store_true", default=argparse.SUPPRESS, help=self.messages("cli.plain")
        )
        common.add_argument(
            "--trust", action="store_true", default=argparse.SUPPRESS, help=self.messages("cli.course.trust")
        )

    def error(self, message: str) -> NoReturn:
        """Print the usage, what is wrong and where the help is, on standard error; exit with status 2."""
        waiting.clear()
        following = self.messages("cli.see_help", command=f"{self.prog} --help")
        text = self.messages.raw("cli.argparse.error") % {"prog": self.prog, "message": message}
        self.exit(2, f"{self.format_usage()}{text}{following}\n")


class _HelpFormatter(argparse.HelpFormatter):
    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None,
    ) -> str:
        # argparse indents the lines that follow by the characters of its prefix; Japanese ones are two columns wide.
        shown = str(vars(argparse)["_"]("usage: ")) if prefix is None else prefix
        stand_in = "x" * cell_width(shown)
        return super()._format_usage(usage, actions, groups, stand_in).replace(stand_in, shown, 1)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrap(text.strip(), width - len(indent)))
