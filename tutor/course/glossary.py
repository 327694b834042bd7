"""The glossary of a course: its terms in one language, and the lesson that teaches each. `glossary.yaml` is beside the lessons."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from tutor.course.find import beside_lessons
from tutor.course.yaml_items import parse
from tutor.errors import TutorError
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.yaml_items import Item
    from tutor.messages import Language

FILE = "glossary.yaml"
_LETTER = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its words, other words by which it is found (in either language), what it is, and the lesson that teaches it."""

    id: str
    word: str
    also: tuple[str, ...]
    text: str
    lesson: str
    item: Item

    def occurs_in(self, text: str) -> bool:
        """Tell whether a text has the term; words of Latin letters only as whole words (a plural counts)."""
        return any(_pattern(word).search(text) for word in (self.word, *self.also))


@dataclass(frozen=True, slots=True)
class Glossary:
    """The terms, in the order of the file, which is that of the lessons."""

    terms: tuple[Term, ...]

    @classmethod
    def load(cls, course: Path, language: Language) -> Glossary:
        """Load the glossary of a course; that of the installed one where it has none.

        Raises:
            LessonError: the file is defective.
        """
        terms: dict[str, Term] = {}
        for item in parse(beside_lessons(course, FILE) / FILE).mapping(("terms",))["terms"].items():
            term = _term(item, language)
            if term.id in terms:
                raise item.error("duplicate_id", name=term.id)
            terms[term.id] = term
        return cls(tuple(terms.values()))

    def find(self, word: str) -> Term:
        """Return the term of a word, whatever the case of its letters.

        Raises:
            TutorError: `course.glossary.unknown`, with words that are similar.
        """
        words = {
            each.casefold(): term
            for term in reversed(self.terms)
            for each in (*term.also, term.id, term.word)
        }
        wanted = " ".join(word.split()).casefold()
        if wanted in words:
            return words[wanted]
        parts = [each for each in words if wanted and wanted in each]
        near = parts or difflib.get_close_matches(wanted, words, cutoff=0.4) or list(words)[-5:]
        named = dict.fromkeys(words[each].word for each in near)
        if len(parts) and len(named) == 1:
            return words[parts[0]]
        raise TutorError("course.glossary.unknown", word=word, near=", ".join(named))

    def first_those_in(self, text: str) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
        """Return the terms that occur in a text, and the others."""
        here = tuple(term for term in self.terms if term.occurs_in(text))
        return here, tuple(term for term in self.terms if term not in here)


def _term(item: Item, language: Language) -> Term:
    entries = item.mapping(("id", "lesson", "ja", "en"))
    texts = {each: entries[each].mapping(("term", "text"), ("also",)) for each in ("ja", "en")}
    also = [word for each in texts.values() for word in (each["also"].texts() if "also" in each else ())]
    other = texts["en" if language == "ja" else "ja"]["term"].text()
    here = texts[language]
    return Term(
        entries["id"].identifier(),
        here["term"].text(),
        tuple(dict.fromkeys((*also, other))),
        here["text"].text(),
        entries["lesson"].text(),
        entries["lesson"],
    )


def _pattern(word: str) -> re.Pattern[str]:
    before = r"(?<![A-Za-z0-9])" if _LETTER.match(word) else ""
    after = r"(?:s?)(?![A-Za-z0-9])" if _LETTER.match(word[-1:]) else ""
    return re.compile(before + re.escape(word) + after, re.IGNORECASE)
