"""Steps that can't be done in this lab, for want of what a user namespace does not give: they are read instead, and say why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tutor.course.model import Quiz, Read
from tutor.session.recording import bare

if TYPE_CHECKING:
    from collections.abc import Collection

    from tutor.course.model import Lesson, Requirement, Step
    from tutor.messages import Messages


def without(lesson: Lesson, lacks: Collection[str], messages: Messages) -> tuple[Lesson, frozenset[str]]:
    """Return the lesson with steps to read in place of those that need what the lab lacks, and the ids of these steps.

    The container stays as it was before such a step, after its setup; steps to read that follow begin in that state too.
    """
    steps: list[Step] = []
    impossible = set()
    state: Requirement | None = None  # the container's, while it is not what the lesson describes
    for step in lesson.steps:
        missing = [each for each in step.needs if each in lacks]
        if missing:
            state = step.requires if state is None else state
            steps.append(replace(_to_read(step, missing[0], messages), requires=state, setup=step.setup))
            impossible.add(step.id)
        elif state is not None and isinstance(step.activity, Read):
            steps.append(replace(step, requires=state))
        else:
            state = None
            steps.append(step)
    return replace(lesson, steps=tuple(steps)), frozenset(impossible)


def _to_read(step: Step, missing: str, messages: Messages) -> Step:
    parts = [messages(f"session.lacks.{missing}"), step.body.rstrip()]
    match step.activity:
        case Quiz(question=question, choices=choices):
            parts += [question.rstrip(), "\n".join(f"- {choice.text.strip()}" for choice in choices)]
    if step.checks:
        marked = (messages("session.lacks.check", text=check.text) for check in step.checks)
        parts.append("\n".join(f"- {each}" for each in marked))
    return bare(step, "\n\n".join(part for part in parts if part) + "\n")
