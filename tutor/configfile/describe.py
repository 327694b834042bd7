"""A member of `config.json` described for a reader: what it means, its type, its values, its members, its clause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.configfile.meanings import TOP, child_of, dotted, member_at
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from tutor.configfile.meanings import Member, Path
    from tutor.configfile.rules import Rule
    from tutor.messages import Messages


@dataclass(frozen=True, slots=True)
class Description:
    """What is to be said of a member; texts are ready to show.

    Attributes:
        name: as in prose, `process.args[0]`; the file's own name for the whole.
        kind: its type, and whether its object needs it.
        values, members: names, each with what it means.
        clause: the section of the specification; empty if the specification does not know the member.
    """

    name: str
    meaning: str
    kind: str = ""
    values: tuple[tuple[str, str], ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    clause: str = ""


def describe(path: Path, m: Messages) -> Description:
    """Return the description of the member at a path; of one that the specification does not know, what its object has."""
    member = member_at(path)
    if member is None:
        above = path[:-1]
        while member_at(above) is None:
            above = above[:-1]
        known = member_at(above) or TOP
        said = m("configfile.help.unknown", name=dotted(path), where=dotted(above) or "config.json")
        return Description(dotted(path), said, members=_members(known, m), clause=known.clause)
    needed = m(f"configfile.help.{'required' if member.required else 'optional'}")
    kind = type_phrase(member.rule, m)
    return Description(
        dotted(path) or "config.json",
        member.meaning(m),
        kind if not path or isinstance(path[-1], int) else f"{kind}{m('configfile.help.comma')}{needed}",
        _values(member, m),
        _members(member, m),
        member.clause,
    )


def type_phrase(rule: Rule, m: Messages) -> str:
    """Return the type of a value, with the range of an integer and the type of an array's items."""
    name = m(f"configfile.type.{rule.kind}")
    if rule.kind == "array" and rule.items is not None:
        return m("configfile.help.array_of", items=m(f"configfile.help.items.{rule.items.kind}"))
    if rule.kind == "integer":
        return m("configfile.help.range", kind=name, minimum=rule.minimum or 0, maximum=rule.maximum or 0)
    return name


def path_in_prose(text: str) -> Path | None:
    """Return the path that a learner types, `process.args`, `mounts[0].type`, `mounts.type`, `/process/args`; None if there is no such member."""
    text = text.strip()
    if not re.fullmatch(r"[\w./\[\]*-]+", text):
        return None
    member, path = TOP, list[str | int]()
    for part in filter(None, re.split(r"[./\[\]]", text)):
        if member.rule.kind == "array" and not (part.isdigit() or part == "*"):
            member, path = child_of(member, 0) or member, [*path, 0]
        name = (int(part) if part.isdigit() else 0) if member.rule.kind == "array" else part
        below = child_of(member, name)
        if below is None:
            return None
        member = below
        path.append(name)
    return tuple(path) if path else None


def _values(member: Member, m: Messages) -> tuple[tuple[str, str], ...]:
    """Return the strings that it, or an item of it, may be; of a map, the names that it may have."""
    item = child_of(member, 0) if member.rule.kind == "array" else None
    of = item or member
    return tuple((value, of.meaning(m, value)) for value in of.rule.names or of.values)


def _members(member: Member, m: Messages) -> tuple[tuple[str, str], ...]:
    """Return the members of an object, or of the objects in an array."""
    item = child_of(member, 0) if member.rule.kind == "array" else member
    found = [child_of(item, name) for name in item.rule.members] if item is not None else []
    return tuple(
        (each.pattern.rpartition("/")[2] + ("*" if each.required else ""), each.meaning(m))
        for each in found
        if each is not None and each.rule.kind != "any"
    )
