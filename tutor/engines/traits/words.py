"""A trait in words: what each engine and version answered, as sentences for a lesson."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tutor.engines.model import ENGINE_NAMES
from tutor.engines.traits.table import Table, short
from tutor.messages import Messages

if TYPE_CHECKING:
    from tutor.messages import Language


def said(trait: str, answer: str, messages: Messages) -> str:
    """Return an answer in words; an answer that only a newer version of this program knows, as it is."""
    key = f"traits.{trait}.answer.{answer}"
    return messages(key) if messages.has(key) else answer


def sentences(trait: str, messages: Messages, engine: str = "", version: str = "", answer: str = "") -> str:
    """Return what is recorded of a trait, a sentence for each answer; and what the engine here answered, where it is not recorded."""
    told = _recorded(trait, messages.language)
    if not answer:
        return told
    here = messages(
        "traits.here", engine=f"`{engine}` {short(version)}", answer=said(trait, answer, messages)
    )
    return messages("traits.between").join(filter(None, (told, here)))


@cache
def _recorded(trait: str, language: Language) -> str:
    table, messages = Table.load(), Messages(language)
    by_answer: dict[str, list[str]] = {}
    for name in ENGINE_NAMES:
        observed = [each for each in table.of(name) if each.answers.get(trait)]
        alike = len({each.answers[trait] for each in observed}) == 1
        for answer in dict.fromkeys(each.answers[trait] for each in observed):
            versions = [short(each.version) for each in observed if each.answers[trait] == answer]
            listed = messages("traits.versions").join(versions)
            if alike and len(versions) > 1:
                listed = messages("traits.range", first=versions[0], last=versions[-1])
            by_answer.setdefault(answer, []).append(f"`{name}`" if name == "runt" else f"`{name}` {listed}")
    return messages("traits.between").join(
        messages(
            "traits.sentence",
            engines=messages("traits.and").join(names),
            answer=said(trait, answer, messages),
        )
        for answer, names in by_answer.items()
    )
