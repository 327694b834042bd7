"""`oci-tutor explain`: an engine's error, or a bundle, explained on a terminal or through a pipe."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.explain.bundle import Bundle, kind_of
from tutor.explain.explainer import explain, explain_bundle
from tutor.explain.model import Failure
from tutor.explain.printed import sentences
from tutor.home import shown
from tutor.text import cell_width, pad, wrap

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tutor.explain.model import Explanation
    from tutor.messages import Messages

WIDEST = 100
_LONGEST = 1024 * 1024  # characters of an error that are read
_UNEXPLAINED = ("unknown", "silent")


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Explain an error (0: explained, 1: not known) or a bundle (0: nothing is wrong, 1: something is).

    Raises:
        TutorError: a file or directory that was named is not there.
    """
    said, bundle = _asked(arguments)
    width = min(shutil.get_terminal_size().columns, WIDEST)
    if said.strip():
        return _explain_error(said, bundle or _here(), messages, width)
    return _explain_bundle(bundle or Bundle(Path()), messages, width)


def _asked(arguments: argparse.Namespace) -> tuple[str, Bundle | None]:
    """Return the error's text, empty when a bundle is to be looked at, and the bundle, None where none was named."""
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
    path = Path(name)
    if directory and kind_of(path) != "directory":
        raise TutorError("explain.no_directory", path=name)
    if not kind_of(path):
        raise TutorError("explain.no_file", path=name)
    return path


def _here() -> Bundle:
    """Return the bundle of the present directory, as engines take it; none where it has no `config.json`."""
    return Bundle(Path()) if kind_of(Path("config.json")) else Bundle()


def _explain_error(said: str, bundle: Bundle, messages: Messages, width: int) -> int:
    found = explain(Failure(said), bundle, messages)
    lines = sentences(said)
    print("\n".join(_lines(found, messages, width, "\n".join(lines[:6]))))
    others = [
        each for each in explain_bundle(bundle, messages) if bundle.text and each.pointer != found.pointer
    ]
    if others:
        print()
        command = messages("explain.more", count=len(others), path=bundle.path or bundle.config)
        print("\n".join(wrap(command, width)))
    return 1 if found.id in _UNEXPLAINED else 0


def _explain_bundle(bundle: Bundle, messages: Messages, width: int) -> int:
    found = explain_bundle(bundle, messages)
    for number, each in enumerate(found):
        if number:
            print()
        print("\n".join(_lines(each, messages, width)))
    errors = [each for each in found if each.severity == "error"]
    if not found:
        print("\n".join(wrap(messages("explain.nothing", path=shown(bundle.config or "")), width)))
    return 1 if errors else 0


def _lines(found: Explanation, messages: Messages, width: int, said: str = "") -> Iterator[str]:
    glyph = "△" if found.severity == "warning" else "✗"
    yield from wrap(f"{glyph} {messages(f'explain.severity.{found.severity}')}: {found.title}", width)
    pointer = f"({found.pointer})" if found.pointer else ""
    place = "  ".join(filter(None, (found.place, pointer)))
    rows = {"said": said, "place": place, "clause": found.clause, "cause": found.cause, "fix": found.fix}
    labels = {name: messages(f"explain.row.{name}") for name in rows}
    column = max(cell_width(label) for label in labels.values()) + 2
    for name, text in rows.items():
        for number, line in enumerate(wrap(text, width - column - 2) if text else ()):
            label = labels[name] if number == 0 else ""
            yield f"  {pad(label, column)}{line}"
