"""Rules for what a learner reads: paragraphs that are read to the end, and an action soon, not one step of reading after another."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from tutor.course.lint.sources import found, member, scalars, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.lint.findings import Finding
    from tutor.course.lint.sources import Sources
    from tutor.course.yaml_items import Item
    from tutor.messages import Language

LONGEST_PARAGRAPH = {"ja": 150, "en": 60}
"""Words of an English paragraph, characters (blanks left out) of a Japanese one, which has no words to count.

Both are about four lines of 80 columns: a word and its blank take 5.6 columns in this course, a Japanese character two.
"""
_FENCED = re.compile(r"^( *)(```+|~~~+).*?^ *\2 *$", re.MULTILINE | re.DOTALL)
# A blank line, and the beginning of an item of a list or of a row of a table.
_ENDS = re.compile(r"\n[ \t]*(?=\n)|\n(?=[ \t]*(?:[-*+|]|\d+\.)[ \t])")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
# What is not shown, or becomes a sentence of another length on each machine.
_MARK = re.compile(r"\{trait [\w-]+\}|\{always\}")


def reading(sources: Sources) -> Iterator[Finding]:
    """Yield each paragraph that is too long, and steps of reading where there should be something to do."""
    for language, root in sources.texts.items():
        for item in scalars(root):
            yield from _paragraphs(item, language)
    yield from _steps([step for _, step in sources.steps])


def _paragraphs(item: Item, language: Language) -> Iterator[Finding]:
    text = _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), str(item.node.value))
    starts = [0, *(match.end() for match in _ENDS.finditer(text)), len(text)]
    for start, end in pairwise(starts):
        length, most = _length(text[start:end], language), LONGEST_PARAGRAPH[language]
        if length > most:
            offset = start + len(text[start:end]) - len(text[start:end].lstrip())
            yield found(item, f"long_paragraph_{language}", offset=offset, length=length, most=most)


def _length(paragraph: str, language: Language) -> int:
    words = _MARK.sub("", _LINK.sub(r"\1", paragraph)).split()
    return len(words) if language == "en" else sum(map(len, words))


def _steps(steps: list[Item]) -> Iterator[Finding]:
    """Yield each step of reading that follows one; the last step, which sums up, may."""
    for before, step in pairwise(steps[:-1]):
        if word(member(before, "kind")) == word(member(step, "kind")) == "read":
            yield found(step, "reading_again")
