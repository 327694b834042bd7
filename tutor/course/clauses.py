"""The clauses of the specifications in words of the course's own, with their rules and the address of the original.

`clauses.yaml`, beside the lessons, has the summaries; the rules come from the map of the specification.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from tutor.course.find import beside_lessons
from tutor.course.specmap import SpecMap
from tutor.course.yaml_items import parse
from tutor.errors import TutorError
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item
    from tutor.messages import Language

FILE = "clauses.yaml"
IMAGE_PREFIX = "image-spec/"
IMAGE_VERSION = "1.1.1"
"""The version of image-spec that the summaries follow; that of runtime-spec is the map's."""
_ADDRESS = "https://github.com/opencontainers/{specification}/blob/v{version}/{clause}"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, in one language.

    Attributes:
        name: the document and its heading, as lessons write it (`config.md#mounts`, `image-spec/manifest.md`).
        specification: `runtime-spec` or `image-spec`, and its version.
        text: what it says, in words of the course's own.
        rules: its rules (MUSTs), in words of the course's own; empty for image-spec.
        address: where the original is.
    """

    name: str
    specification: str
    text: str
    rules: tuple[str, ...]
    address: str


@dataclass(frozen=True, slots=True)
class Clauses:
    """The clauses of a course, in one language; `items` has their places in the file."""

    known: dict[str, Clause]
    items: dict[str, Item]

    @classmethod
    def load(cls, course: Path, language: Language) -> Clauses:
        """Load the clauses of a course; those of the installed one where it has none.

        Raises:
            LessonError: the file, or the map of the specification, is defective.
        """
        folder = beside_lessons(course, FILE)
        spec_map = SpecMap.load(folder, language)
        rules: dict[str, list[str]] = {}
        for rule in spec_map.rules if spec_map else ():
            rules.setdefault(rule.clause.text(), []).append(rule.text)
        known: dict[str, Clause] = {}
        items: dict[str, Item] = {}
        for item in parse(folder / FILE).mapping(("clauses",))["clauses"].items():
            entries = item.mapping(("clause", "ja", "en"))
            name = entries["clause"].text()
            if name in known:
                raise item.error("duplicate_id", name=name)
            specification, version = (
                ("image-spec", IMAGE_VERSION)
                if name.startswith(IMAGE_PREFIX)
                else ("runtime-spec", spec_map.version if spec_map else "")
            )
            texts = {each: entries[each].text() for each in ("ja", "en")}
            address = _ADDRESS.format(
                specification=specification, version=version, clause=name.removeprefix(IMAGE_PREFIX)
            )
            known[name] = Clause(
                name, f"{specification} {version}", texts[language], tuple(rules.get(name, ())), address
            )
            items[name] = entries["clause"]
        return cls(known, items)

    def find(self, name: str) -> Clause:
        """Return a clause by its name, or by its last part (`mounts`) where only one has it.

        Raises:
            TutorError: `course.clause.unknown`, with names that are similar.
        """
        if name in self.known:
            return self.known[name]
        ends = [each for each in self.known if each.endswith((f"#{name}", f"/{name}"))]
        if len(ends) == 1:
            return self.known[ends[0]]
        near = ends or difflib.get_close_matches(name, self.known, cutoff=0.4) or list(self.known)[:5]
        raise TutorError("course.clause.unknown", name=name, near=", ".join(near))
