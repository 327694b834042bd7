"""`oci-tutor explain`: an engine's error, or a bundle, explained on a terminal or through a pipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    import argparse

    from tutor.configfile.meanings import Path as MemberPath
    from tutor.explain.bundle import Bundle
    from tutor.messages import Messages

_LONGEST = 1024 * 1024  # characters of an error that are read


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `explain`."""
    parser.add_argument("what", metavar="WHAT", nargs="*", help=messages("cli.explain.what"))
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--bundle", "-b", metavar="DIR", help=messages("cli.explain.bundle"))
    place.add_argument("--config", metavar="FILE", help=messages("cli.explain.config"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Explain an error (0: explained, 1: not known), a member of `config.json` (0), or a bundle (0: nothing is wrong, 1: something is).

    Raises:
        TutorError: a file or directory that was named is not there.
    """
    from tutor.cli.terminal import text_width
    from tutor.explain.bundle import Bundle
    from tutor.explain.report import bundle_report, error_report, member_report

    member = _member(arguments.what)
    if member is not None:
        print("\n".join(member_report(member, messages, text_width()).lines))
        return 0
    error, bundle = _asked(arguments)
    if error.strip():
        report = error_report(error, bundle or Bundle.here(), messages, text_width())
    else:
        report = bundle_report(bundle or Bundle(Path()), messages, text_width())
    print("\n".join(report.lines))
    return 0 if report.good else 1


def _member(words: list[str]) -> MemberPath | None:
    """Return the member of `config.json` that is asked for; None if the word is a file, or no such member."""
    from tutor.configfile.describe import path_in_prose
    from tutor.explain.bundle import kind_of

    if len(words) != 1 or kind_of(Path(words[0])):
        return None
    return path_in_prose(words[0])


def _asked(arguments: argparse.Namespace) -> tuple[str, Bundle | None]:
    """Return the text of the error (empty: a bundle is to be examined) and the bundle (None: none was named)."""
    from tutor.explain.bundle import Bundle, kind_of

    words: list[str] = arguments.what
    bundle = None
    if arguments.bundle is not None:
        bundle = Bundle(_existing(arguments.bundle, directory=True))
    elif arguments.config is not None:
        bundle = Bundle(config=_existing(arguments.config))
    if len(words) == 1 and words[0] != "-":
        path = Path(words[0])
        if kind_of(path) == "directory":
            return "", Bundle(path)
        if kind_of(path) or (path.suffix == ".json" and " " not in words[0]):
            path = _existing(words[0])
            if path.suffix == ".json":
                return "", Bundle(config=path)
            return path.read_text(encoding="utf-8", errors="replace")[:_LONGEST], bundle
    if words and words != ["-"]:
        return " ".join(words), bundle
    if words or not sys.stdin.isatty():
        return sys.stdin.read(_LONGEST), bundle
    return "", bundle


def _existing(name: str, *, directory: bool = False) -> Path:
    from tutor.explain.bundle import kind_of

    path = Path(name)
    if directory and kind_of(path) != "directory":
        raise TutorError("explain.no_directory", path=name)
    if not kind_of(path):
        raise TutorError("explain.no_file", path=name)
    return path
