"""Conditions on the seccomp profile (config-linux.md, Seccomp)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.configfile.relations.model import Relation, number, outside, strings, text
from tutor.configfile.relations.seccomp_rules import contradictions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tutor.configfile.document import Document, JsonValue

_PLACE = "/linux/seccomp"
_CLAUSE = "config-linux.md#seccomp"
_NOTIFY = "SCMP_ACT_NOTIFY"
_WAIT = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
_HIGHEST_ERRNO = 4095  # MAX_ERRNO of the kernel (linux/err.h)


def _profile(document: Document) -> Iterator[Relation]:
    profile = document.object_at(_PLACE)
    if not profile.get("defaultAction"):
        return  # no filter at all, or an error that is told
    action = text(profile, "defaultAction")
    if action == _NOTIFY:
        yield Relation(f"{_PLACE}/defaultAction", "notify_all", _CLAUSE, {"found": action})
    yield from _errno(profile, action, f"{_PLACE}/defaultErrnoRet")
    rules = document.objects(f"{_PLACE}/syscalls")
    for pointer, rule in rules:
        yield from _rule(pointer, rule)
    notifies = any(text(rule, "action") == _NOTIFY for _, rule in rules)
    yield from _listener(profile, notifies=notifies)
    yield from contradictions(profile, rules)


def _rule(pointer: str, rule: dict[str, JsonValue]) -> Iterator[Relation]:
    action, names = text(rule, "action"), strings(rule, "names")
    yield from _errno(rule, action, f"{pointer}/errnoRet")
    if "" in names:
        yield Relation(f"{pointer}/names/{names.index('')}", "not_empty", _CLAUSE)
    if action == _NOTIFY and "write" in names:
        yield Relation(f"{pointer}/action", "notify_write", _CLAUSE, {"found": action})


def _errno(owner: Mapping[str, JsonValue], action: str, pointer: str) -> Iterator[Relation]:
    """Refuse a number for an action that does not return it: "the runtime MUST print and error and fail"."""
    name = pointer.rpartition("/")[2]
    if owner.get(name) is None or not action:
        return
    if action not in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"):
        yield Relation(pointer, "no_errno", _CLAUSE, {"action": action})
    elif action == "SCMP_ACT_ERRNO":
        wrong = outside(pointer, number(owner, name), 0, _HIGHEST_ERRNO, _CLAUSE)
        if wrong:
            yield wrong


def _listener(profile: dict[str, JsonValue], *, notifies: bool) -> Iterator[Relation]:
    if not profile.get("listenerPath"):
        if notifies:
            yield Relation(f"{_PLACE}/listenerPath", "listener_missing", _CLAUSE, {"action": _NOTIFY})
        if profile.get("listenerMetadata"):
            values: dict[str, str | int] = {"name": "listenerMetadata", "other": "listenerPath"}
            yield Relation(f"{_PLACE}/listenerMetadata", "needs", _CLAUSE, values)
    flags = strings(profile, "flags")
    if not notifies and _WAIT in flags:
        where = f"{_PLACE}/flags/{flags.index(_WAIT)}"
        yield Relation(where, "nothing_to_wait_for", _CLAUSE, {"found": _WAIT, "action": _NOTIFY})


LOOKS = (_profile,)
