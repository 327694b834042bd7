"""Checks a parsed `config.json` against the table of members; every problem is reported, not only the first."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from tutor.configfile.document import Span, child
from tutor.configfile.members import CONFIG, HOMES

if TYPE_CHECKING:
    from tutor.configfile.document import Document, JsonValue, Problem, Severity
    from tutor.configfile.rules import Check, Rule

_VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
_PAGE = re.compile(r"[1-9][0-9]*[KMG]B")
_KINDS = {"object": dict, "map": dict, "array": list, "string": str, "boolean": bool}
_VALID: dict[Check, re.Pattern[str]] = {
    "absolute": re.compile(r"/.*", re.DOTALL),
    "absolute_destination": re.compile(r"/.*", re.DOTALL),
    "version": _VERSION,
    "environment": re.compile(r"[^=]+=.*", re.DOTALL),
    "not_empty": re.compile(r".+", re.DOTALL),
    "page_size": _PAGE,
}
# Where the specification says SHOULD.
_ONLY_WARN: set[Check] = {"absolute_destination"}
# The length at which a quoted value is cut, in characters.
_LONGEST = 60


def check_structure(document: Document) -> list[Problem]:
    """Return every difference between a document and the specification, in the order of the text."""
    checker = _Checker(document)
    checker.check(document.value, CONFIG, "", CONFIG.clause)
    checker.check_relations()
    return checker.problems


class _Checker:
    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def check(self, value: JsonValue, rule: Rule, pointer: str, clause: str) -> None:
        """Check one value and everything below it."""
        clause = rule.clause or clause
        found = _type_name(value)
        if rule.kind == "any":
            return
        if rule.kind == "integer":
            if isinstance(value, bool) or not isinstance(value, int):
                self._wrong_type(pointer, clause, "integer", found)
            elif not (rule.minimum or 0) <= value <= (rule.maximum or 0):
                self._tell(
                    pointer,
                    "range",
                    clause,
                    found=_quoted(value),
                    minimum=rule.minimum or 0,
                    maximum=rule.maximum or 0,
                )
            return
        if not isinstance(value, _KINDS[rule.kind]):
            self._wrong_type(pointer, clause, "object" if rule.kind == "map" else rule.kind, found)
        elif isinstance(value, dict):
            self._object(value, rule, pointer, clause)
        elif isinstance(value, list):
            self._array(value, rule, pointer, clause)
        elif isinstance(value, str):
            self._string(value, rule, pointer, clause)

    def _object(self, value: dict[str, JsonValue], rule: Rule, pointer: str, clause: str) -> None:
        if rule.kind == "object":
            for name in (*rule.required, *rule.expected):
                # As in Go, and so in runc, a member that is null counts as missing.
                if value.get(name) is None:
                    self._missing(name, rule, pointer, clause)
        for name, item in value.items():
            known = rule.items if rule.kind == "map" else rule.members.get(name)
            if known is None:
                self._unknown(name, value, rule, pointer, clause)
            elif item is not None:
                self.check(item, known, child(pointer, name), clause)

    def _missing(self, name: str, rule: Rule, pointer: str, clause: str) -> None:
        member = rule.members[name]
        required = name in rule.required
        self._tell(
            child(pointer, name), "missing" if required else "missing_expected", member.clause or clause,
            severity="error" if required else "warning", at=self._head(pointer), name=name,
            expected_type=member.kind,
        )  # fmt: skip

    def _unknown(self, name: str, value: dict[str, JsonValue], rule: Rule, pointer: str, clause: str) -> None:
        lowered = {known.lower(): known for known in rule.members if known not in value}
        close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.75)
        where = child(pointer, name)
        at = self._document.keys.get(where)
        if close:
            self._tell(
                where,
                "did_you_mean",
                clause,
                severity="warning",
                at=at,
                found=_quoted(name),
                meant=lowered[close[0]],
            )
            return
        if pointer not in [home for home, _ in HOMES]:
            return
        for home, other in HOMES:
            if home != pointer and name in other.members:
                clause = other.members[name].clause or other.clause
                self._tell(
                    where, "misplaced", clause, severity="warning", at=at, name=name, home=child(home, name)
                )
                return

    def _array(self, value: list[JsonValue], rule: Rule, pointer: str, clause: str) -> None:
        if len(value) < rule.least:
            self._tell(pointer, "too_few", clause, least=rule.least)
        seen: dict[str, int] = {}
        for index, item in enumerate(value):
            where = child(pointer, index)
            if rule.items is not None:
                self.check(item, rule.items, where, clause)
            if rule.unique and isinstance(item, dict) and isinstance(name := item.get(rule.unique), str):
                if name in seen:
                    first = self._document.position(child(child(pointer, seen[name]), rule.unique)).line
                    self._tell(
                        child(where, rule.unique), "duplicate", clause, found=_quoted(name), first_line=first
                    )
                else:
                    seen[name] = index

    def _string(self, value: str, rule: Rule, pointer: str, clause: str) -> None:
        if rule.choices and value not in rule.choices:
            close = difflib.get_close_matches(value.lower(), [each.lower() for each in rule.choices], n=1)
            meant = next((each for each in rule.choices if close and each.lower() == close[0]), "")
            severity: Severity = "warning" if rule.lenient else "error"
            if meant:
                self._tell(
                    pointer, "choice_close", clause, severity=severity, found=_quoted(value), meant=meant
                )
            else:
                choices = _listed(rule.choices)
                self._tell(
                    pointer, "choice", clause, severity=severity, found=_quoted(value), choices=choices
                )
        if rule.check and not _VALID[rule.check].fullmatch(value):
            severity = "warning" if rule.check in _ONLY_WARN else "error"
            self._tell(pointer, f"check.{rule.check}", clause, severity=severity, found=_quoted(value))

    def check_relations(self) -> None:
        """Check conditions between members, which the table of members cannot express."""
        root = self._document.value
        linux = root.get("linux") if isinstance(root, dict) else None
        mounts = root.get("mounts") if isinstance(root, dict) else None
        devices = linux.get("devices") if isinstance(linux, dict) else None
        for index, device in enumerate(devices if isinstance(devices, list) else ()):
            if isinstance(device, dict) and device.get("type") in ("c", "b", "u"):
                pointer = f"/linux/devices/{index}"
                for name in ("major", "minor"):
                    if device.get(name) is None:
                        self._tell(child(pointer, name), "missing", "config-linux.md#devices",
                            at=self._head(pointer), name=name, expected_type="integer")  # fmt: skip
        for index, mount in enumerate(mounts if isinstance(mounts, list) else ()):
            if isinstance(mount, dict):
                self._both(
                    mount, f"/mounts/{index}", "uidMappings", "gidMappings", "config.md#posix-platform-mounts"
                )
        seccomp = linux.get("seccomp") if isinstance(linux, dict) else None
        if isinstance(seccomp, dict) and seccomp.get("listenerMetadata") and not seccomp.get("listenerPath"):
            self._tell("/linux/seccomp/listenerMetadata", "needs", "config-linux.md#seccomp",
                name="listenerMetadata", other="listenerPath")  # fmt: skip

    def _both(self, value: dict[str, JsonValue], pointer: str, one: str, two: str, clause: str) -> None:
        if (value.get(one) is None) != (value.get(two) is None):
            name, other = (two, one) if value.get(one) is None else (one, two)
            self._tell(child(pointer, name), "needs", clause, name=name, other=other)

    def _wrong_type(self, pointer: str, clause: str, expected: str, found: str) -> None:
        self._tell(pointer, "wrong_type", clause, expected_type=expected, found_type=found)

    def _head(self, pointer: str) -> Span:
        """Return what to mark for an object that lacks a member: its key, or its opening brace."""
        if pointer in self._document.keys:
            return self._document.keys[pointer]
        start = self._document.values[pointer].start
        return Span(start, start + 1)

    def _tell(
        self,
        pointer: str,
        key: str,
        clause: str,
        *,
        severity: Severity = "error",
        at: Span | None = None,
        **values: str | int,
    ) -> None:
        span = at or self._document.values[pointer]
        if not at and self._document.text[span.start] in "{[":
            # For a value of many lines, mark its key, not the parts of it that are right.
            span = self._head(pointer)
        values["where"] = pointer
        self.problems.append(
            self._document.problem(
                span, pointer, f"structure.{key}", severity=severity, clause=clause, values=values
            )
        )


def _type_name(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return names[type(value)]


def _quoted(value: str | int) -> str:
    text = str(value) if isinstance(value, str) or abs(value) < 10**40 else "1e40+"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _listed(choices: tuple[str, ...]) -> str:
    return ", ".join(choices if len(choices) <= 16 else (*choices[:15], "…"))
