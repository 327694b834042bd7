"""The check on the engine itself: what it answers to the question of a trait (`oci-tutor engines`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Argument, kind
from tutor.course.checks.verdict import Evidence
from tutor.engines.traits.table import Table
from tutor.engines.traits.words import said

if TYPE_CHECKING:
    from collections.abc import Mapping


@kind(
    "trait",
    Argument("name", "word", required=True, known=Table.load().traits),
    Argument("is", "texts", required=True),
)
def trait(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """The engine answers so to the question of a trait: for `any`, where engines or their versions differ."""
    words, name, wanted = context.messages, arguments["name"], arguments["is"]
    answer = context.trait(name)
    evidence = Evidence(
        words(f"traits.{name}.question"),
        words("course.check.or").join(said(name, each, words) for each in wanted),
        said(name, answer, words) if answer else words("course.check.trait.unknown"),
        "oci-tutor engines",
    )
    return Finding(answer in wanted, (evidence,))
