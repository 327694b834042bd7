"""The map of the specification: its rules, the checks of lessons that show each, and those that a learner has seen.

`spec-map.yaml`, beside the lessons, says how the rules were counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.yaml_items import Item, parse
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.course.progress import LessonProgress
    from tutor.messages import Language

FILE = "spec-map.yaml"


@dataclass(frozen=True, slots=True)
class Shown:
    """A check of a lesson's step that shows a rule; `check` is empty for a quiz whose answer comes from the lab."""

    lesson: str
    step: str
    check: str
    item: Item


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the specification, in one language. `musts`: how many MUSTs state it."""

    id: str
    clause: Item
    musts: int
    text: str
    shown: tuple[Shown, ...]

    @property
    def document(self) -> str:
        """The document of the rule (`runtime.md`)."""
        return self.clause.text().partition("#")[0]

    def seen_in(self, progress: Callable[[str], LessonProgress]) -> Shown | None:
        """Return the first check that showed this rule to the learner, in a step that was done by hand."""
        for each in self.shown:
            done = progress(each.lesson)
            if each.step in done.passed and each.step not in done.read:
                return each
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """The number of words of obligation (MUST ...) in a document; `elsewhere` are of other platforms, `notation` define the words."""

    name: Item
    words: int
    elsewhere: int
    notation: int


@dataclass(frozen=True, slots=True)
class SpecMap:
    """The rules in the order of the documents."""

    version: str
    documents: tuple[Document, ...]
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, course: Path, language: Language) -> SpecMap | None:
        """Return the map of a course; None if it has none.

        Raises:
            LessonError: it is defective.
        """
        file = course / FILE
        if not file.is_file():
            return None
        root = parse(file).mapping(("spec", "documents", "rules"))
        rules: dict[str, Rule] = {}
        for item in root["rules"].items():
            rule = _rule(item, language)
            if rule.id in rules:
                raise item.error("duplicate_id", name=rule.id)
            rules[rule.id] = rule
        documents = root["documents"]
        return cls(
            root["spec"].text(),
            tuple(_document(documents.key(name), each) for name, each in documents.entries().items()),
            tuple(rules.values()),
        )


def _document(name: Item, item: Item) -> Document:
    entries = item.mapping(("words", "elsewhere", "notation"))
    return Document(name, *(entries[each].number() for each in ("words", "elsewhere", "notation")))


def _rule(item: Item, language: Language) -> Rule:
    entries = item.mapping(("id", "clause", "musts", "ja", "en"), ("shown",))
    shown = entries["shown"].items() if "shown" in entries else []
    entries["clause"].text()
    return Rule(
        entries["id"].text(),
        entries["clause"],
        entries["musts"].number(),
        entries[language].text(),
        tuple(_shown(each) for each in shown),
    )


def _shown(item: Item) -> Shown:
    entries = item.mapping(("lesson", "step"), ("check",))
    check = entries["check"].text() if "check" in entries else ""
    return Shown(entries["lesson"].text(), entries["step"].text(), check, item)
