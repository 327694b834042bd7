"""Conditions made of conditions: `all`, `any` and `not`. The evidence is that of all conditions examined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tutor.course.checks.context import CheckContext, Finding
from tutor.course.checks.registry import Kind, find, read_condition, register
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.course.yaml_items import Item


@dataclass(frozen=True, slots=True)
class _Combination(Kind):
    """A kind whose argument is a list of conditions, or for `not` a single one."""

    def read(self, item: Item) -> dict[str, Any]:
        """Return the conditions that a lesson lists.

        Raises:
            LessonError: one of them is defective, or there is none.
        """
        if self.name == "not":
            return {"of": (read_condition(item),)}
        members = tuple(read_condition(each) for each in item.items())
        if not members:
            raise item.error("no_conditions")
        return {"of": members}


def _all(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """Each of these holds."""
    findings = [find(each, context) for each in arguments["of"]]
    return Finding(
        all(each.passed for each in findings), tuple(e for each in findings for e in each.evidence)
    )


def _any(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """At least one of these holds; the evidence is that of the first that holds, else of all."""
    findings = [find(each, context) for each in arguments["of"]]
    holding = next((each for each in findings if each.passed), None)
    if holding is not None:
        return holding
    return Finding(False, tuple(e for each in findings for e in each.evidence))


def _not(context: CheckContext, arguments: Mapping[str, Any]) -> Finding:
    """This does not hold."""
    (inner,) = (find(each, context) for each in arguments["of"])
    other_than = context.messages
    return Finding(
        not inner.passed,
        tuple(
            replace(each, expected=other_than("course.check.not", expected=each.expected))
            for each in inner.evidence
        ),
    )


for _name, _function in (("all", _all), ("any", _any), ("not", _not)):
    register(_Combination(_name, (), (), _function))
