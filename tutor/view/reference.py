"""Clauses of the specification and terms of the glossary as Markdown, which every face can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.course.yaml_items import parse

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.course.clauses import Clause
    from tutor.course.glossary import Term
    from tutor.course.model import Step
    from tutor.messages import Messages


def clause_markdown(clause: Clause, messages: Messages) -> str:
    """Return a clause: what it says, its rules, and where the original is."""
    parts = [clause.text]
    if clause.rules:
        rules = "\n".join(f"- {rule}" for rule in clause.rules)
        parts += [f"**{messages('view.clause.rules')}**", rules]
    parts += [
        messages("view.clause.original", specification=clause.specification, address=f"<{clause.address}>")
    ]
    return "\n\n".join(parts)


def term_markdown(term: Term, lesson_title: str, messages: Messages) -> str:
    """Return a term: what it is, other words for it, and the lesson that teaches it (empty: the course has no such lesson)."""
    parts = [term.text]
    if term.also:
        parts.append(messages("view.term.also", words=messages("view.term.comma").join(term.also)))
    if lesson_title:
        parts.append(messages("view.term.lesson", title=lesson_title, lesson=term.lesson))
    return "\n\n".join(parts)


def text_of(step: Step | None) -> str:
    """Return all that a learner reads of a step, in which terms are looked for."""
    return f"{step.title}\n{step.body}\n{step.summary}" if step is not None else ""


def title_of(folder: Path, lesson_id: str, messages: Messages) -> str:
    """Return the title of a lesson of a course; empty if there is none of that id."""
    file = folder / lesson_id / f"text.{messages.language}.yaml"
    return parse(file).entries()["title"].text() if file.is_file() else ""
