"""Rules for the texts: both languages alike, code that fits a narrow terminal, bodies that are read to the end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.course.lint.sources import found, member, pairs, scalars
from tutor.messages import LANGUAGES
from tutor.text import cell_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.lint.findings import Finding
    from tutor.course.lint.sources import Sources
    from tutor.course.yaml_items import Item
    from tutor.messages import Language

CODE_WIDTH = 76
"""The columns of code that fit an 80 column terminal: the guide has a frame and a margin."""
LONGEST_BODY = 2000
"""The columns of a body, all lines together: 1000 Japanese characters, or the same in English."""
# Kana and kanji (written as escapes, because code holds no Japanese).
_JAPANESE = re.compile("[\u3041-\u30ff\u3400-\u9fff]")
_CODE = re.compile(r"^( *)(```+|~~~+)[^\n]*\n(.*?)^ *\2 *$", re.MULTILINE | re.DOTALL)


def texts(sources: Sources) -> Iterator[Finding]:
    """Yield the defects of a lesson's texts that the loader does not report."""
    yield from _keys(sources)
    for language in sources.texts:
        root = sources.texts[language]
        for each in scalars(root):
            yield from _code(each)
            yield from _left_over(each, language)
        for step, item in sources.step_texts(language).items():
            body = member(item, "body")
            if body is not None:
                yield from _length(step, body)


def _keys(sources: Sources) -> Iterator[Finding]:
    """Yield the keys and the code blocks that only one language has."""
    if len(sources.texts) == len(LANGUAGES):
        one, other = (sources.texts[language] for language in LANGUAGES)
        yield from _missing(one, other)
        yield from _missing(other, one)
        yield from _code_blocks(sources)


def _missing(here: Item, there: Item) -> Iterator[Finding]:
    theirs = {name: value for name, _, value in pairs(there)}
    for name, key, value in pairs(here):
        if name not in theirs:
            yield found(key, "only_here", name=name, other=there.file.name)
        else:
            yield from _missing(value, theirs[name])


def _code_blocks(sources: Sources) -> Iterator[Finding]:
    """Yield each step whose code blocks differ between the languages, comments aside."""
    one, other = LANGUAGES
    theirs = sources.step_texts(other)
    for step, item in sources.step_texts(one).items():
        for part in ("body", "summary"):
            left, right = member(item, part), member(theirs.get(step), part)
            if left is None or right is None:
                continue
            if _typed(left) != _typed(right):
                yield found(right, "other_code", step=step, other=left.file.name)


def _typed(item: Item) -> list[str]:
    """Return the lines of all code blocks, without comments and empty lines."""
    blocks = [match[3] for match in _CODE.finditer(str(item.node.value))]
    lines = [re.sub(r"(^|\s)(#|//) .*", "", line).rstrip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def _left_over(item: Item, language: Language) -> Iterator[Finding]:
    """Yield a translation's text if there is Japanese left in it."""
    left = _JAPANESE.search(str(item.node.value)) if language != "ja" else None
    if left is not None:
        yield found(item, "left_over", offset=left.start(), text=str(item.node.value)[left.start() :][:12])


def _code(item: Item) -> Iterator[Finding]:
    for block in _CODE.finditer(str(item.node.value)):
        offset = block.start(3)
        for line in block[3].splitlines(keepends=True):
            width = cell_width(line.rstrip("\n")) - len(block[1])
            if width > CODE_WIDTH:
                yield found(item, "wide_code", offset=offset, width=width, most=CODE_WIDTH)
            offset += len(line)


def _length(step: str, body: Item) -> Iterator[Finding]:
    width = sum(cell_width(line) for line in str(body.node.value).splitlines())
    if not width:
        yield found(body, "empty_body", step=step)
    elif width > LONGEST_BODY:
        yield found(body, "long_body", step=step, width=width, most=LONGEST_BODY)
