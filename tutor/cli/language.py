"""The language of a command line, before it is parsed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from tutor.messages import LANGUAGES, Language, language_from_environment

if TYPE_CHECKING:
    from collections.abc import Sequence


def language_of(argv: Sequence[str]) -> Language:
    """Return what `--lang` names, else the locale's.

    It is English where standard output's encoding has no Japanese (`LC_ALL=C` without UTF-8 mode).
    """
    wanted = ""
    for position, argument in enumerate(argv):
        if argument == "--":
            break
        if argument == "--lang":
            wanted = argv[position + 1] if position + 1 < len(argv) else ""
        elif argument.startswith("--lang="):
            wanted = argument.partition("=")[2]
    for language in LANGUAGES:
        if language == wanted:
            return language
    return language_from_environment() if _has_japanese(sys.stdout) else "en"


def _has_japanese(stream: TextIO) -> bool:
    try:
        "\u3042".encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
