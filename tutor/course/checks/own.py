"""The check on functions that the learner has written for a runtime of their own: what they do, beside what ours do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.verdict import Evidence
from tutor.own_steps.exercises import EXERCISES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.own_steps.judge import Judgement


@kind(
    "own_step",
    Argument("exercise", "word", required=True, known=tuple(each.id for each in EXERCISES)),
    Argument("differs", "texts"),
    Argument("mishap", "texts"),
    Argument("missing", "boolean"),
)
def own_step(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The learner's functions of an exercise leave what ours leave, in the kernel and on disk.

    For hints: `differs` holds if one of these is another than after ours (`mounts`, or `mounts:/data`); `mishap`, if a command was ended by
    one of these (an exception, the name of an errno, a system call, a function, or `syntax`, `hang`, `ended`); `missing`, if a function
    is not written yet.
    """
    judged = context.own(arguments["exercise"])
    if isinstance(judged, str):
        looked_at = context.messages("course.check.own_step.looked_at", exercise=arguments["exercise"])
        expected = context.messages("course.check.own_step.judged")
        return Finding(False, (Evidence(looked_at, expected, judged, ""),))
    evidence = _evidence(context, judged)
    asked = [name for name in ("differs", "mishap", "missing") if name in arguments]
    if not asked:
        return Finding(judged.passed, evidence)
    holds = {
        "differs": any(
            each.is_about(word) for each in judged.differences for word in arguments.get("differs", ())
        ),
        "mishap": judged.mishap is not None
        and any(judged.mishap.is_about(word) for word in arguments.get("mishap", ())),
        "missing": bool(judged.missing) == arguments.get("missing"),
    }
    return Finding(any(holds[name] for name in asked), evidence)


def _evidence(context: CheckContext, judged: Judgement) -> tuple[Evidence, ...]:
    words = context.messages
    found = []
    if judged.missing:
        expected = words("course.check.own_step.written")
        unwritten = words("course.check.own_step.unwritten")
        found += [Evidence(f"{name}()", expected, unwritten, "") for name in judged.missing]
    if judged.mishap is not None:
        found.append(_mishap(context, judged))
    for each in judged.differences:
        looked_at = words("course.check.own_step.clause", looked_at=each.looked_at, clause=each.clause)
        found.append(Evidence(looked_at, each.expected, each.found, each.command))
    if not found:
        alike = words("course.check.own_step.alike")
        found.append(Evidence(words("course.check.own_step.compared"), alike, alike, ""))
    return tuple(found)


def _mishap(context: CheckContext, judged: Judgement) -> Evidence:
    words, mishap = context.messages, judged.mishap
    assert mishap is not None  # noqa: S101  (for mypy)
    place = f"{mishap.function}()" if mishap.function else "my_runtime.py"
    if mishap.line:
        place = words("course.check.own_step.place", line=mishap.line, place=place)
    if mishap.source_line.strip():
        place += f": {mishap.source_line.strip()}"
    return Evidence(place, words("course.check.own_step.ends_well"), mishap.explanation, "")
