"""The command `oci-tutor`: read the command line, import the module of its subcommand, and run it.

Nothing that goes wrong here or below ends in a traceback: an expected failure says what, where, why and what to do next; an
unexpected one goes to a log file whose path is named.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from tutor import ending, waiting
from tutor.cli.language import language_of
from tutor.cli.parser import Parser, translate_argparse
from tutor.errors import TutorError
from tutor.home import Home
from tutor.messages import Messages, command_name

if TYPE_CHECKING:
    from collections.abc import Sequence

SUBCOMMANDS = (
    "start",
    "lessons",
    "repl",
    "play",
    "my",
    "doctor",
    "engines",
    "compare",
    "conformance",
    "explain",
    "glossary",
    "image",
    "docker",
    "lint",
    "verify",
    "new-lesson",
)
"""The subcommands, in the order of the help. Each is a module of this package; the package's docstring says what it has."""
WITHOUT_SUBCOMMAND = "start"
INTERRUPTED = 130
"""The exit status after Ctrl-C, as a shell gives it (128 + SIGINT)."""
HUNG_UP = 129
"""The exit status when the terminal has gone (128 + SIGHUP)."""
BROKEN_PIPE = 141
"""The exit status when the reader of the output has closed it (128 + SIGPIPE)."""


class Subcommand(Protocol):
    """The module of a subcommand; one with `STARTS_LABS` starts labs, for which an ordinary user needs namespaces."""

    def add_arguments(self, parser: argparse.ArgumentParser, messages: Messages) -> None:
        """Add the subcommand's own arguments to its parser."""

    def run(self, arguments: argparse.Namespace, messages: Messages) -> int:
        """Do what the arguments say and return the exit status."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `oci-tutor` and return its exit status.

    0 success, 1 failure, 2 wrong command line, 129 the terminal has gone, 130 interrupted, 128 + N ended by the signal N.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _replace_unencodable()
    messages = Messages.load(language_of(arguments))
    with ending.heeded():
        try:
            status = _run_and_report(arguments, messages)
        except ending.Ended as ended:
            status = cast("int", ended.code)
        finally:
            waiting.clear()
        if ending.terminal_gone():
            ending.discard_output()
            return HUNG_UP
        return status


def _run_and_report(arguments: list[str], messages: Messages) -> int:
    try:
        status = _run(arguments, messages)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has no reader either; without this the interpreter prints an error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except TutorError as error:
        print_failure(*error.render(messages))
        return 1
    except Exception as error:  # noqa: BLE001  (the last resort: a learner sees one message, never a traceback)
        if ending.terminal_gone():
            return HUNG_UP  # nothing can be written any more: that is what failed
        from tutor import crash

        print_failure(*crash.report(error, Home.default(), messages))
        return 1
    return status


def _run(argv: list[str], messages: Messages) -> int:
    # The common options have no default in the parsers (`Parser` says why), so their defaults are here.
    common = argparse.Namespace(engine="runt", course=None, trust=False, plain=False)
    with ending.watched(1):
        arguments = _parser(argv, messages).parse_args(argv, common)
        if arguments.version:
            print(f"oci-tutor {_version()}")
            return 0
        chosen = subcommand(arguments.command or WITHOUT_SUBCOMMAND)
    if getattr(chosen, "STARTS_LABS", False):
        from tutor.lab.lab import prepare

        prepare(Home.default())  # no thread runs now
    with ending.watched(1):
        if arguments.plain and not getattr(chosen, "STARTS_LABS", False):
            return _run_plainly(chosen, arguments, messages)
        return chosen.run(arguments, messages)


def _run_plainly(chosen: Subcommand, arguments: argparse.Namespace, messages: Messages) -> int:
    """Run a subcommand that prints lines, and print them in plain form. Those that start labs are faces: they do it themselves."""
    from contextlib import redirect_stdout

    from tutor.cli import terminal
    from tutor.text.plain import PlainStream
    from tutor.view.plain import words

    terminal.plain = True
    stream = PlainStream(sys.stdout, words(messages))
    try:
        with redirect_stdout(cast("TextIO", stream)):
            return chosen.run(arguments, messages)
    finally:
        stream.flush()
        terminal.plain = False


def subcommand(name: str) -> Subcommand:
    """Import the module of a subcommand and return it."""
    return cast("Subcommand", import_module(f"tutor.cli.{name.replace('-', '_')}"))


def _parser(argv: list[str], messages: Messages) -> argparse.ArgumentParser:
    """Return the parser for a command line: of the subcommands, only those that it names have their arguments."""
    translate_argparse(messages)
    parser: argparse.ArgumentParser = Parser.in_language_of(messages)(
        prog=command_name(), description=messages("cli.description"), epilog=messages("cli.epilog")
    )
    parser.add_argument("--version", action="store_true", help=messages("cli.version"))
    commands = parser.add_subparsers(
        dest="command", metavar=messages("cli.command"), title=messages("cli.commands")
    )
    for name in SUBCOMMANDS:
        text = messages(f"cli.{name}.help")
        described = f"cli.{name}.description"
        own = commands.add_parser(
            name, help=text, description=messages(described) if messages.has(described) else text
        )
        if name in argv:
            subcommand(name).add_arguments(own, messages)
    return parser


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("oci-tutor")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _replace_unencodable() -> None:
    """Print `?` for what the terminal's encoding lacks (`LC_ALL=ja_JP.eucJP`), instead of failing on a `✓`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stream that a test has put there may not have it
            stream.reconfigure(errors="replace")


def print_failure(title: str, body: str = "", following: str = "") -> None:
    """Print a failure to standard error: what, why, what to do next. Where that has gone, the exit status has to tell it."""
    with suppress(OSError):
        waiting.clear()
        print(f"oci-tutor: {title}", *filter(None, (body, following)), sep="\n", file=sys.stderr)
