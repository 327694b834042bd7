"""Turns a finding into text in the learner's language, with its place and the clause of the specification."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from tutor.engines.traits.words import sentences
from tutor.explain.clauses import clause_of
from tutor.explain.model import Explanation
from tutor.home import shown

if TYPE_CHECKING:
    from tutor.explain.bundle import Bundle
    from tutor.explain.model import Finding
    from tutor.messages import Messages


_TRAIT = "trait "


def put(finding: Finding, bundle: Bundle, m: Messages) -> Explanation:
    """Return a finding as texts that are ready to show."""
    problem = finding.problem
    key = f"explain.{finding.id}"
    values = dict(finding.values)
    if (
        finding.id == "hook.unfit"
    ):  # the explanation of a program is about the container, and most hooks run outside it
        reason = str(finding.values.get("why", "")).partition(".")[2]
        known = m.has(f"explain.hook.reason.{reason}")
        values["reason"] = m(f"explain.hook.reason.{reason if known else 'format'}")
    fix = _part(m, key, "fix", values)
    if problem:
        cause, then = problem.parted(m)
        fix = then or fix
    else:
        cause = _part(m, key, "cause", values)
    if finding.values.get("stderr"):
        cause += m("explain.hook.words", stderr=finding.values["stderr"])
    if finding.values.get("near"):
        fix += m("explain.near", near=finding.values["near"])
    place, line, column = _place(finding, bundle)
    return Explanation(
        finding.id,
        _part(m, key, "title", values),
        cause,
        fix,
        place=place,
        pointer=finding.pointer or "",
        line=line,
        column=column,
        clause=(problem.clause if problem else "") or clause_of(finding.id),
        severity=finding.severity,
    )


def unfilled(m: Messages, key: str, values: dict[str, str | int]) -> set[str]:
    """Return the placeholders of a text for which there is no value."""
    return {
        name
        for name in _placeholders(m, key)
        if not name.startswith(_TRAIT) and values.get(name, "") in ("", 0)
    }


def _placeholders(m: Messages, key: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(m.raw(key)) if name} - {"tutor"}


def _part(m: Messages, key: str, part: str, values: dict[str, str | int]) -> str:
    """Return title, cause or fix. Where the error alone, without its bundle, leaves a placeholder empty, take the text for it (`bare`)."""
    bare = f"{key}.bare.{part}"
    chosen = bare if m.has(bare) and unfilled(m, f"{key}.{part}", values) else f"{key}.{part}"
    return filled(m, chosen, values)


def filled(m: Messages, key: str, values: dict[str, str | int]) -> str:
    """Return a text with its placeholders filled: `{trait NAME}` by what is recorded of it; one without a value becomes empty."""
    names = _placeholders(m, key)
    traits = {name: sentences(name.removeprefix(_TRAIT), m) for name in names if name.startswith(_TRAIT)}
    return m(key, **{name: values.get(name, "") for name in names} | traits).strip()


def _place(finding: Finding, bundle: Bundle) -> tuple[str, int, int]:
    """Return `file:line:column`, line and column; for a missing member, those of the object that lacks it."""
    if finding.pointer is None or bundle.config is None or bundle.text is None:
        return "", 0, 0
    if finding.problem:
        line, column = finding.problem.line, finding.problem.column
        return f"{shown(bundle.config)}:{line}:{column}", line, column
    if not bundle.document.valid:
        return shown(bundle.config), 0, 0
    pointer = finding.pointer
    while pointer not in bundle.document.values:
        pointer = pointer.rpartition("/")[0]
    key = bundle.document.keys.get(pointer)
    value = bundle.document.values[pointer]
    # For a value of many lines, the place of its key.
    span = key if key and bundle.document.text[value.start] in "{[" else value
    at = bundle.document.position_of(span.start)
    return f"{shown(bundle.config)}:{at.line}:{at.column}", at.line, at.column
