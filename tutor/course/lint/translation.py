"""Stale translations: a stamp for each step says of which Japanese text its translation was made.

`translation.en.yaml` beside the texts holds the stamps. A stamp is the beginning of the SHA-256 of the step's Japanese texts
as data, so that moving or indenting them does not change it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import yaml

from tutor.course.lint.findings import Finding
from tutor.course.lint.sources import found, member, pairs, word
from tutor.course.storage import write_atomically
from tutor.course.yaml_items import parse
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.lint.sources import Sources
    from tutor.course.yaml_items import Item
    from tutor.messages import Language

FIRST: Language = "ja"
"""The language that lessons are written in."""
TRANSLATIONS: tuple[Language, ...] = ("en",)
_LENGTH = 16  # hexadecimal digits: 64 bits
_HEAD = "lesson"
_STEPS = "steps"
_HEADER = """\
# Which Japanese text text.{language}.yaml translates: a hash of each step's. Written by `oci-tutor lint --stamp {lesson}`,
# to be run once the translation says what the Japanese says.
"""


def translation(sources: Sources) -> Iterator[Finding]:
    """Yield the steps whose translation has no stamp, or the stamp of another Japanese text."""
    if FIRST not in sources.texts:
        return
    now = stamps(sources)
    for language in TRANSLATIONS:
        if language in sources.texts:
            yield from _compare(sources, language, now)


def _compare(sources: Sources, language: Language, now: dict[str, str]) -> Iterator[Finding]:
    texts, lesson = sources.texts[language], sources.folder.name
    try:
        made_of = _read(stamp_file(sources, language))
    except TutorError:
        yield Finding(stamp_file(sources, language), 0, 0, "lint.no_stamps", {"lesson": lesson})
        return
    keys = {name: key for name, key, _ in pairs(member(texts, _STEPS))}
    for name, stamp in now.items():
        key = texts if name == _HEAD else keys.get(name)
        if key is None:
            continue  # not translated at all, which the loader reports
        if name not in made_of:
            yield found(key, "unstamped", step=name, lesson=lesson)
        elif word(made_of[name][1]) != stamp:
            yield found(key, "stale", step=name, lesson=lesson, original=f"text.{FIRST}.yaml")
    for name, (key, _) in made_of.items():
        if name not in now:
            yield found(key, "stamp_without", step=name, lesson=lesson)


def _read(file: Path) -> dict[str, tuple[Item, Item]]:
    root = parse(file)
    found_steps = {name: (key, value) for name, key, value in pairs(member(root, _STEPS))}
    return found_steps | {name: (key, value) for name, key, value in pairs(root) if name == _HEAD}


def stamps(sources: Sources) -> dict[str, str]:
    """Return the stamps of a lesson's Japanese as it is now: of its title and summary, and of each step."""
    root = sources.texts[FIRST]
    head = {name: _texts(value.node) for name, _, value in pairs(root) if name != _STEPS}
    return {_HEAD: _stamp(head)} | {
        name: _stamp(_texts(item.node)) for name, item in sources.step_texts(FIRST).items() if name != _HEAD
    }


def _texts(node: yaml.Node) -> object:
    """Return what is written, whatever it is: other rules tell what is no text."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _texts(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_texts(value) for value in node.value]
    return node.value


def _stamp(texts: object) -> str:
    canonical = json.dumps(texts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_LENGTH]


def stamp_file(sources: Sources, language: Language) -> Path:
    """Return the file of a translation's stamps."""
    return sources.folder / f"translation.{language}.yaml"


def write_stamps(sources: Sources) -> list[Path]:
    """Write the stamps of all translations of a lesson; return the files that changed.

    Raises:
        TutorError: `lint.unwritable`.
    """
    now = stamps(sources)
    changed = []
    for language in TRANSLATIONS:
        file = stamp_file(sources, language)
        # In quotes: a stamp of digits alone would be read as a number.
        lines = [f'{_HEAD}: "{now[_HEAD]}"', f"{_STEPS}:"]
        lines += [f'  {name}: "{stamp}"' for name, stamp in now.items() if name != _HEAD]
        text = _HEADER.format(language=language, lesson=sources.folder.name) + "\n".join(lines) + "\n"
        try:
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                write_atomically(file, text)
                changed.append(file)
        except OSError as error:
            raise TutorError("lint.unwritable", file=file, reason=error.strerror) from error
    return changed
