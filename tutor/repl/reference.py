"""The commands `clause` and `glossary`: what the specification says, and what a term means, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.clauses import Clauses
from tutor.course.find import course_of
from tutor.course.glossary import Glossary
from tutor.errors import TutorError
from tutor.repl.layout import Line, indent, line, table, wrap_line
from tutor.repl.markdown import render
from tutor.view.reference import clause_markdown, term_markdown, text_of, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tutor.course.glossary import Term
    from tutor.messages import Messages
    from tutor.view.lesson_view import LessonView


def clause(view: LessonView, names: tuple[str, ...], messages: Messages, width: int) -> list[Line]:
    """Return a clause of the specification; without a name, that of the present step.

    Raises:
        TutorError: there is no such clause, or the step has none.
    """
    name = names[0] if names else (view.step.clause if view.step is not None else "")
    if not name:
        raise TutorError("course.clause.none_here")
    found = Clauses.load(course_of(view.lesson), messages.language).find(name)
    return [line(found.name, "title"), (), *render(clause_markdown(found, messages), width)]


def glossary(view: LessonView, word: str, messages: Messages, width: int) -> list[Line]:
    """Return a term; without a word the list of all, those of the present step first.

    Raises:
        TutorError: there is no such term.
    """
    folder = course_of(view.lesson)
    terms = Glossary.load(folder, messages.language)
    if word:
        return term_lines(terms.find(word), folder, messages, width)
    here, others = terms.first_those_in(text_of(view.step))
    lines: list[Line] = []
    for key, some in (("here", here), ("others" if here else "all", others)):
        if some:
            lines += [line(messages(f"view.term.{key}"), "heading"), *term_table(some, width), ()]
    return [*lines, *wrap_line(line(messages("repl.glossary.how"), "faint"), width)]


def term_lines(term: Term, folder: Path, messages: Messages, width: int) -> list[Line]:
    """Return one term: its word, what it is, other words for it, and the lesson that teaches it."""
    text = term_markdown(term, title_of(folder, term.lesson, messages), messages)
    return [line(term.word, "title"), *indent(render(text, width - 2), ("", "  "))]


def term_table(terms: Iterable[Term], width: int) -> list[Line]:
    """Return the terms as a table: the word, and what it is."""
    return table((), [(line(f"  {term.word}", "command"), line(term.text)) for term in terms], width)
