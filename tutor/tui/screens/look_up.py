"""Opens what is looked up: the clause of a step, the glossary, a term."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tutor.course.clauses import Clauses
from tutor.course.glossary import Glossary
from tutor.errors import TutorError
from tutor.tui.screens.reference import GlossaryList, Reading
from tutor.view.reference import clause_markdown, term_markdown, text_of, title_of

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.glossary import Term
    from tutor.course.model import Step
    from tutor.tui.screens.base import TutorScreen


def open_clause(screen: TutorScreen, folder: Path, name: str) -> None:
    """Open a clause of the specification.

    Raises:
        TutorError: there is no such clause, or no name was given.
    """
    if not name:
        raise TutorError("course.clause.none_here")
    m = screen.messages
    clause = Clauses.load(folder, m.language).find(name)
    screen.app.push_screen(Reading(clause.name, clause_markdown(clause, m), m))


def open_glossary(
    screen: TutorScreen, folder: Path, step: Step | None, word: str = "", *, about: str = "", of: str = "here"
) -> None:
    """Open the list of terms, those of a step first, or those of another text (`about`, of what `view.term.OF` says); or a term.

    Raises:
        TutorError: there is no such term.
    """
    m = screen.messages
    glossary = Glossary.load(folder, m.language)
    if word:
        _open_term(screen, folder, glossary.find(word))
    else:
        here, others = glossary.first_those_in(about or text_of(step))
        show = partial(_open_term, screen, folder)
        screen.app.push_screen(GlossaryList(here, others, m, show, m(f"view.term.{of}")))


def _open_term(screen: TutorScreen, folder: Path, term: Term) -> None:
    m = screen.messages
    text = term_markdown(term, title_of(folder, term.lesson, m), m)
    screen.app.push_screen(Reading(term.word, text, m))
