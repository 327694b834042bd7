"""Rules for the logic: hints that are tested, files that are used, a prediction, placeholders of shell lines."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

import yaml

from tutor.course.lint.findings import Finding
from tutor.course.lint.sources import elements, entries, found, member, pairs, scalars, word
from tutor.course.placeholders import PLACEHOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.lint.sources import Sources
    from tutor.course.yaml_items import Item

# Most braces of a shell line or a script belong to the shell or to awk: only what resembles a placeholder is examined.
_PLACEHOLDER = re.compile(r"(\$?)\{([a-z_]+)\}")
_FOLDERS = ("solutions", "files")


def logic(sources: Sources) -> Iterator[Finding]:
    """Yield the defects of a lesson's logic that the loader does not report."""
    yield from _prediction(sources)
    for _, step in sources.steps:
        yield from _hints(step)
        yield from _lines(step)
    yield from _files(sources)


def _prediction(sources: Sources) -> Iterator[Finding]:
    steps = member(sources.logic, "steps")
    predictions = [step for _, step in sources.steps if _is_true(member(step, "prediction"))]
    if steps is not None and not predictions:
        yield found(steps, "no_prediction")


def _is_true(item: Item | None) -> bool:
    return item is not None and item.node.value in ("true", "True")


def _hints(step: Item) -> Iterator[Finding]:
    """Yield each hint with `when` that no known wrong answer tests; one without is given after some failed tries anyway."""
    named = {word(member(item, "hint")) for _, item in entries(member(step, "wrong"))}
    for name, hint in entries(member(step, "hints")):
        if member(hint, "when") is not None and name not in named:
            yield found(hint, "untriggered_hint", name=name)


def _lines(step: Item) -> Iterator[Finding]:
    for item in _shell_lines(step):
        for offset, key, values in _placeholders(word(item)):
            yield found(item, key, offset=offset, **values)


def _placeholders(text: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Yield offset, key and values of each doubtful placeholder in a text: misspelt, or a shell variable."""
    for match in _PLACEHOLDER.finditer(text):
        name, whole = match[2], match[0]
        near = difflib.get_close_matches(name, PLACEHOLDERS, n=1, cutoff=0.7)
        if match[1] and name in PLACEHOLDERS:
            yield match.start(), "filled_variable", {"name": whole}
        elif not match[1] and near and name not in PLACEHOLDERS:
            yield match.start(), "misspelt_placeholder", {"name": whole, "near": f"{{{near[0]}}}"}


def _shell_lines(item: Item) -> Iterator[Item]:
    """Yield the shell lines of a step: solutions, `run`, `command`; the loader checks `setup` and `suggested`."""
    for name, _, value in pairs(item):
        if name in ("run", "command", "solution") and isinstance(value.node, yaml.ScalarNode):
            yield value
        elif name == "solution":
            yield from (each for each in elements(value) if isinstance(each.node, yaml.ScalarNode))
            for each in elements(value):
                yield from _shell_lines(each)
        else:
            yield from _shell_lines(value)
            for each in elements(value):
                yield from _shell_lines(each)


def _files(sources: Sources) -> Iterator[Finding]:
    """Yield each file of a lesson that nothing names, and doubtful placeholders in the others."""
    if sources.logic is None:
        return
    named = {word(item) for item in scalars(sources.logic)}
    for folder in _FOLDERS:
        for file in sorted((sources.folder / folder).rglob("*")):
            if not file.is_file():
                continue
            if file.relative_to(sources.folder / folder).as_posix() not in named:
                yield Finding(file, 0, 0, "lint.unused_file")
            yield from _filled(file)


def _filled(file: Path) -> Iterator[Finding]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return
    for number, line in enumerate(lines, 1):
        for offset, key, values in _placeholders(line):
            yield Finding(file, number, offset + 1, f"lint.{key}", dict(values))
