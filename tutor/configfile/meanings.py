"""What each member of `config.json` means, in the learner's language: one table for the editors and for `explain`.

The table of members (members.py) says which there are, of what type, and by which clause; the message catalogue's topic `members` what
they mean. A pattern is a JSON pointer with `*` in place of an index, or of the name of a map's member: `/mounts/*/options`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from tutor.configfile.members import CONFIG
from tutor.lazy_dataclass import dataclass
from tutor.messages import LANGUAGES, topic_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.configfile.rules import Rule
    from tutor.messages import Messages

Path = tuple[str | int, ...]
"""The names of members and indices of items from the top of a document to one of its values."""

SUGGESTED: dict[str, tuple[str, ...]] = {
    "/ociVersion": ("1.3.0", "1.2.1", "1.1.0", "1.0.2"),
    "/root/path": ("rootfs",),
    "/process/cwd": ("/",),
    "/process/env/*": ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"),
    "/mounts/*/type": ("proc", "tmpfs", "sysfs", "devpts", "mqueue", "cgroup", "bind", "none"),
    "/mounts/*/options/*": (
        "ro", "rw", "nosuid", "nodev", "noexec", "bind", "rbind", "private", "rprivate", "slave", "rslave", "shared", "rshared", "rro",
        "relatime", "noatime", "strictatime", "nosymfollow", "idmap", "ridmap", "tmpcopyup", "mode=755", "size=64m",
    ),
    "/linux/resources/devices/*/access": ("rwm", "rw", "r", "w", "m"),
    "/linux/resources/hugepageLimits/*/pageSize": ("2MB", "1GB", "64KB"),
}  # fmt: skip
"""Usual values of strings that may have others as well."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of `config.json` that the specification knows: its pattern, its rule, its clause, and whether its object needs it."""

    pattern: str
    rule: Rule
    clause: str
    required: bool = False

    @property
    def values(self) -> tuple[str, ...]:
        """The strings that it may be, or usually is."""
        return self.rule.choices or SUGGESTED.get(self.pattern, ())

    def meaning(self, m: Messages, value: str = "") -> str:
        """Return what it means, or what one value of it means; empty if the value needs no explanation."""
        key = _key(f"{self.pattern or '/'}={value}" if value else self.pattern or "/")
        return m(f"members.{key}") if key else ""


TOP = Member("", CONFIG, CONFIG.clause)


def member_at(path: Path) -> Member | None:
    """Return the member at a path; None if the specification does not know it."""
    found = TOP
    for name in path:
        below = child_of(found, name)
        if below is None:
            return None
        found = below
    return found


def child_of(member: Member, name: str | int) -> Member | None:
    """Return the member below one; None if the specification does not know it."""
    rule = member.rule
    if rule.kind == "object":
        known = rule.members.get(str(name)) if isinstance(name, str) else None
        part, required = str(name), name in rule.required
    else:
        fits = isinstance(name, int) if rule.kind == "array" else isinstance(name, str) and rule.kind == "map"
        known = rule.items if fits else None
        part, required = "*", False
    if known is None:
        return None
    return Member(f"{member.pattern}/{part}", known, known.clause or member.clause, required)


def every_member(top: Member = TOP) -> Iterator[Member]:
    """Yield a member and all below it, in the order of the table."""
    yield top
    if top.rule.items is not None:
        below = child_of(top, 0 if top.rule.kind == "array" else "*")
        if below is not None:
            yield from every_member(below)
    for name in top.rule.members:
        below = child_of(top, name)
        if below is not None:
            yield from every_member(below)


def path_of(pointer: str) -> Path:
    """Return the path that a JSON pointer (RFC 6901) names; digits are an index where the table has an array."""
    path: list[str | int] = []
    member: Member | None = TOP
    for part in pointer.split("/")[1:]:
        name: str | int = part.replace("~1", "/").replace("~0", "~")
        if member is not None and member.rule.kind == "array" and part.isdigit():
            name = int(part)
        path.append(name)
        member = member and child_of(member, name)
    return tuple(path)


def dotted(path: Path) -> str:
    """Return a path as it is written in prose: `process.args[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


@cache
def _key(wanted: str) -> str:
    """Return the key of the catalogue that fits best: itself, else the one with the fewest wildcards; empty if there is none."""
    keys = {key.partition(".")[2] for key in topic_entries(LANGUAGES[0], "members")}
    if wanted in keys:
        return wanted
    fitting = [key for key in keys if "*" in key and _expression(key).fullmatch(wanted)]
    return min(fitting, key=lambda key: (key.count("*"), -len(key)), default="")


@cache
def _expression(key: str) -> re.Pattern[str]:
    """Return the expression of a key: `**` is any part, `*` one name; at the end it is an item of an array, or a member of a map."""
    pattern, equals, value = key.partition("=")
    ends = pattern.endswith("/*")
    parts = (pattern[:-2] if ends else pattern).split("**")
    expression = "[^=]*".join(re.escape(part).replace(r"\*", "[^/=]+") for part in parts)
    return re.compile(expression + (r"/\*" if ends else "") + re.escape(equals + value))
