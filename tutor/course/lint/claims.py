"""Rule for sentences on what an engine does: they name a trait, or the version that was seen, or say that every version does so.

What runc does today it did not do yesterday; a sentence without a version is not true for long. See «Texts» in lessons/README.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.course.lint.sources import found, scalars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.lint.findings import Finding
    from tutor.course.lint.sources import Sources

_FENCED = re.compile(r"^( *)(```+|~~~+).*?^ *\2 *$", re.MULTILINE | re.DOTALL)
# The engine itself, in code or not; not a command line (`runc create`), a path or a part of a name.
_ENGINE = re.compile(r"`(?:runc|crun)`|(?<![\w`/.:-])(?:runc|crun)(?![\w`/.:-])")
_CODE = re.compile(r"`[^`]*`")
_VERSION = re.compile(r"(?<![\w.])\d+\.\d+")
_MARKS = ("{trait ", "{always}")
# A full stop within code or a number ends no sentence.
_SENTENCE = re.compile("[^\u3002\n]*?(?:\u3002|[.!?](?=\\s|$)|\n|$)")


def claims(sources: Sources) -> Iterator[Finding]:
    """Yield every sentence on runc or crun that names neither a trait nor a version."""
    for root in sources.texts.values():
        for item in scalars(root):
            text = _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), str(item.node.value))
            for sentence in _SENTENCE.finditer(text):
                engine = _named(sentence[0])
                # The mark may follow the sentence: it becomes sentences.
                follows = text[sentence.end() :].lstrip(" ").startswith(_MARKS[0])
                marked = follows or any(mark in sentence[0] for mark in _MARKS)
                if engine is None or marked or _VERSION.search(sentence[0]):
                    continue
                yield found(
                    item, "claim", offset=sentence.start() + engine.start(), text=sentence[0].strip()[:60]
                )


def _named(sentence: str) -> re.Match[str] | None:
    """Return where a sentence names an engine; None where it does so only within a command line."""
    for match in _ENGINE.finditer(sentence):
        inside = any(
            span.start() < match.start() and match.end() < span.end() for span in _CODE.finditer(sentence)
        )
        if not inside:
            return match
    return None
