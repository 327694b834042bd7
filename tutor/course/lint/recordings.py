"""Rules for recordings: a lesson is read along with one where it cannot be done by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tutor.course.lint.findings import Finding
from tutor.course.lint.sources import elements, found, member, word
from tutor.engines.model import ENGINE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.lint.sources import Sources

FOLDER = "recorded"


def recordings(sources: Sources) -> Iterator[Finding]:
    """Yield the defects of a lesson's recordings: not JSON, of steps that do not exist, or missing for an engine."""
    folder = sources.folder / FOLDER
    needs = member(sources.logic, "needs")
    if needs is not None:
        engines = [word(each) for each in elements(member(sources.logic, "engines"))] or ENGINE_NAMES
        for engine in engines:
            if not (folder / f"{engine}.json").is_file():
                yield found(needs, "no_recording", engine=engine, file=f"{FOLDER}/{engine}.json")
    steps = {name for name, _ in sources.steps}
    for file in sorted(folder.glob("*.json")):
        text = file.read_text(encoding="utf-8", errors="replace")
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            yield Finding(file, error.lineno, error.colno, "lint.no_json", {"reason": error.msg})
            continue
        # An engine's recording has its steps below `steps`; the list of what to record besides the solutions is the whole file.
        for name in document.get("steps", document):
            if name not in steps:
                line = text[: max(text.find(f'"{name}"'), 0)].count("\n") + 1
                yield Finding(file, line, 0, "lint.recorded_without", {"name": name})
