"""Checks a parsed `config.json` against the table of members; every problem is reported, not only the first."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from tutor.configfile.document import Span, child
from tutor.configfile.members import CONFIG, HOMES
from tutor.configfile.relations import relations
from tutor.configfile.text_checks import CHECKS, SURROGATE

if TYPE_CHECKING:
    from tutor.configfile.document import Document, JsonValue, Problem, Severity
    from tutor.configfile.rules import Check, Rule

_KINDS = {"object": dict, "map": dict, "array": list, "string": str, "boolean": bool}
# Where the specification says SHOULD.
_ONLY_WARN: set[Check] = {"absolute_destination", "access"}
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
                elif value[name] == "" and name in rule.required:
                    self._tell(child(pointer, name), "not_empty", rule.members[name].clause or clause)
        for name, item in value.items():
            if rule.kind == "map":
                self._name(name, rule, child(pointer, name), clause)
            known = rule.items if rule.kind == "map" else rule.members.get(name)
            if known is None:
                self._unknown(name, value, rule, pointer, clause)
            elif item is not None:
                self.check(item, known, child(pointer, name), clause)

    def _name(self, name: str, rule: Rule, pointer: str, clause: str) -> None:
        """Check a name that a map has: it is passed to the kernel, as values are."""
        at = self._document.keys.get(pointer)
        if not name:
            self._tell(pointer, "empty_name", clause, at=at)
        elif "\0" in name:
            self._tell(pointer, "nul", clause, at=at)
        elif at and self._has_half_a_pair(name, at):
            self._tell(pointer, "surrogate", clause, at=at)
        elif rule.names and name not in rule.names:
            self._tell(pointer, "choice", clause, at=at, found=_quoted(name), choices=_listed(rule.names))

    def _has_half_a_pair(self, value: str, span: Span) -> bool:
        """Tell whether half of a surrogate pair is written in a string, for which the parser puts U+FFFD."""
        return (
            "\ufffd" in value
            and SURROGATE.search(json.loads(self._document.text[span.start : span.end])) is not None
        )

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
        if "\0" in value and not rule.nul:
            self._tell(pointer, "nul", clause)
            return
        if self._has_half_a_pair(value, self._document.values[pointer]):
            self._tell(pointer, "surrogate", clause)
            return
        if not value and rule.check != "environment":
            return  # as with Go's `omitempty`, as if the member were absent; where it is required, that is told
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
        if rule.check and not CHECKS[rule.check](value):
            severity = "warning" if rule.check in _ONLY_WARN else "error"
            self._tell(pointer, f"check.{rule.check}", clause, severity=severity, found=_quoted(value))

    def check_relations(self) -> None:
        """Check conditions between members, which the table of members cannot express."""
        told = {problem.pointer for problem in self.problems if problem.severity == "error"}
        for relation in relations(self._document):
            pointer = relation.pointer
            if any(pointer == each or each.startswith(f"{pointer}/") for each in told):
                continue  # a value that is wrong by itself
            at = None
            if pointer not in self._document.values:
                at = self._head(pointer.rpartition("/")[0])
            values: dict[str, Any] = {name: _quoted(value) for name, value in relation.values.items()}
            self._tell(pointer, relation.key, relation.clause, at=at, **values)

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
