"""The command `oci-tutor`: the command line to the face that it asks for. Faces are imported when they are wanted.

Nothing that goes wrong here or below ends in a traceback: what is expected says what, where, why and what now; what is not
goes to a log file whose path is named.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.cli.parser import Parser, language_of, speak
from tutor.errors import TutorError
from tutor.home import Home
from tutor.messages import Messages, command_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tutor.engines.model import EngineName

INTERRUPTED = 130
"""The exit status after Ctrl-C, as a shell gives it (128 + SIGINT)."""
BROKEN_PIPE = 141
"""The exit status when the reader of our output has gone (128 + SIGPIPE)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `oci-tutor` and return its exit status: 0 well, 1 failed, 2 wrong command line, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _let_any_text_be_printed()
    messages = Messages.load(language_of(arguments))
    try:
        status = _run(arguments, messages)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has no reader either; without this the interpreter complains of it while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except TutorError as error:
        complain(*error.render(messages))
        return 1
    except Exception as error:  # noqa: BLE001  (the last resort: a learner sees one message, never a traceback)
        from tutor import crash

        complain(*crash.tell(error, Home.default(), messages))
        return 1
    return status


def _run(argv: list[str], messages: Messages) -> int:
    arguments = _parser(messages).parse_args(argv)
    if arguments.version:
        print(f"oci-tutor {_version()}")
        return 0
    engine: EngineName = getattr(arguments, "engine", "runt")
    match arguments.command:
        case "docker":
            from tutor.cli.docker import run as docker

            return docker(arguments, messages)
        case "doctor":
            from tutor.cli.doctor import run as doctor

            return doctor(messages, as_json=arguments.json)
        case "explain":
            from tutor.cli.explain import run as explain

            return explain(arguments, messages)
        case "image":
            from tutor.cli.image import run as image

            return image(arguments, messages)
        case "lessons":
            from tutor.cli.lessons import print_lessons

            return print_lessons(arguments, messages)
        case "lint":
            from tutor.cli.lint import run as lint

            return lint(arguments, messages)
        case "verify":
            from tutor.cli.open_course import open_course
            from tutor.cli.verify import run as verify

            _log_to_file()
            return verify(arguments, messages, open_course(arguments, messages)[0], engine)
        case "new-lesson":
            from tutor.cli.new_lesson import run as new_lesson

            return new_lesson(arguments, messages)
        case "repl":
            from tutor.cli.repl import run as repl

            _log_to_file()
            return repl(arguments, messages, engine=engine)
        case "play":
            return _play(arguments, messages, engine)
        case _:
            return _start_tui(arguments, messages, engine)


def _start_tui(arguments: argparse.Namespace, messages: Messages, engine: EngineName) -> int:
    from tutor.cli.open_course import open_course

    course, home = open_course(arguments, messages)
    lesson_id: str | None = getattr(arguments, "lesson", None)
    if lesson_id is not None:
        course.lesson(lesson_id)  # an unknown name is said here, before the screen is taken
    _need_a_screen()
    from tutor.tui.app import run

    _log_to_file()
    return run(course=course, engine=engine, messages=messages, home=home, lesson_id=lesson_id)


def _play(arguments: argparse.Namespace, messages: Messages, engine: EngineName) -> int:
    if arguments.repl:
        from tutor.cli.repl import play

        _log_to_file()
        return play(arguments, messages, engine=engine)
    from tutor.cli.open_course import open_course
    from tutor.session.free_play import usable_bundle

    if arguments.bundle is not None:
        usable_bundle(arguments.bundle)
    _need_a_screen()
    course, home = open_course(arguments, messages)  # its list is what lies below
    from tutor.tui.app import Playing, run

    _log_to_file()
    return run(course=course, engine=engine, messages=messages, home=home, playing=Playing(arguments.bundle))


def _need_a_screen() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TutorError("cli.no_terminal")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise TutorError("cli.dumb_terminal")


def _parser(messages: Messages) -> argparse.ArgumentParser:
    speak(messages)
    parser: argparse.ArgumentParser = Parser.speaking(messages)(
        prog=command_name(), description=messages("cli.description"), epilog=messages("cli.epilog")
    )
    parser.add_argument("--version", action="store_true", help=messages("cli.version"))
    commands = parser.add_subparsers(
        dest="command", metavar=messages("cli.command"), title=messages("cli.commands")
    )

    def add(name: str) -> argparse.ArgumentParser:
        text = messages(f"cli.{name}.help")
        return commands.add_parser(name, help=text, description=text)

    lesson = messages("cli.lesson")
    add("start").add_argument("lesson", metavar=lesson, help=messages("cli.start.lesson"))
    add("lessons").add_argument("--spec-map", action="store_true", help=messages("cli.lessons.spec_map"))
    add("repl").add_argument("lesson", metavar=lesson, nargs="?", help=messages("cli.repl.lesson"))
    play = add("play")
    play.add_argument(
        "bundle", metavar=messages("cli.play.place"), nargs="?", type=Path, help=messages("cli.play.bundle")
    )
    play.add_argument("--repl", action="store_true", help=messages("cli.play.repl"))
    add("doctor").add_argument("--json", action="store_true", help=messages("cli.doctor.json"))

    from tutor.cli.docker import add_arguments as add_docker
    from tutor.cli.image import add_arguments as add_image
    from tutor.cli.new_lesson import add_arguments as add_new_lesson
    from tutor.course.lint.arguments import add_arguments as add_lint
    from tutor.explain.arguments import add_arguments as add_explain
    from tutor.verify.arguments import add_arguments as add_verify

    add_explain(commands, messages)
    add_image(commands, messages)
    add_docker(commands, messages)
    add_lint(commands, messages)
    add_verify(commands, messages)
    add_new_lesson(commands, messages)
    return parser


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("oci-tutor")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _log_to_file() -> None:
    from tutor.log import log_to_file

    log_to_file(Home.default())


def _let_any_text_be_printed() -> None:
    """Print `?` for what the terminal's encoding lacks (`LC_ALL=ja_JP.eucJP`), rather than failing on a `✓`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a test or an embedder has put its own stream
            stream.reconfigure(errors="replace")


def complain(title: str, body: str = "", following: str = "") -> None:
    """Print a failure to standard error: what, why, what now."""
    print(f"oci-tutor: {title}", *filter(None, (body, following)), sep="\n", file=sys.stderr)
