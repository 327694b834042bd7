"""Recognises messages that no runtime has made: those of this program, and those of programs in containers."""

from __future__ import annotations

import re
import string
from functools import cache

from tutor.messages import LANGUAGES, topic_entries, topics

_SHORTEST = 8  # letters of a title without its placeholders; a shorter one could stand in any text
# `cat: can't open '/x': ...`, `sh: 1: x: not found`: a program, what it did, the reason. A runtime says what it did, without a name.
_OF_A_PROGRAM = re.compile(r"^(?P<program>[a-z_/.][\w./+-]*): (?:can't |cannot |.+: )")
_OF_ENGINES = (
    "runc",
    "runt",
    "crun",
    "docker",
    "ctr",
    "containerd",
    "podman",
    "error",
    "panic",
    "fatal",
    "exec",
)
_PREFIX = re.compile(r"^oci-tutor(?: \w[\w-]*)?: ")


def has_own_prefix(sentence: str) -> bool:
    """Tell whether a line begins as errors of oci-tutor on the command line do."""
    return bool(_PREFIX.match(sentence))


def is_own(sentence: str) -> bool:
    """Tell whether a line is the title of an error of oci-tutor, in either language. The first call reads the whole catalogue."""
    return any(each.fullmatch(sentence) for each in _titles())


def speaker(text: str, sentence: str) -> str:
    """Return the program that says a sentence by itself, of all that was printed: it is in no log, and begins with its name."""
    match = _OF_A_PROGRAM.match(sentence)
    if match is None or match["program"] in _OF_ENGINES:
        return ""
    return match["program"] if sentence in map(str.strip, text.splitlines()) else ""


@cache
def _titles() -> tuple[re.Pattern[str], ...]:
    """Return patterns of the titles of errors for users (tutor.errors): those that a line on what to do follows."""
    found = []
    for language in LANGUAGES:
        known = {
            key: text for topic in topics(language) for key, text in topic_entries(language, topic).items()
        }
        for key in known:
            group, _, part = key.rpartition(".")
            if part != "next" or f"{group}.title" not in known:
                continue
            parts = list(string.Formatter().parse(known[f"{group}.title"]))
            if sum(len(text) for text, *_ in parts) >= _SHORTEST:
                found.append(
                    "".join(re.escape(text) + (".+" if name is not None else "") for text, name, *_ in parts)
                )
    return tuple(map(re.compile, found))
