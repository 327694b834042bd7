"""The text of a daemon.json, changed where a runtime's entry stands and nowhere else.

What people have written keeps its order, its indentation and its line ends: the text is edited, not printed anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tutor.configfile import parse
from tutor.configfile.document import child
from tutor.errors import TutorError

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.configfile import Document, JsonValue

_RUNTIMES = "/runtimes"
_BYTE_ORDER_MARK = "\ufeff"


class DaemonJson:
    """A daemon.json that is valid: an object, whose `runtimes`, if it has any, is one too."""

    def __init__(self, text: str, document: Document, mark: str = "") -> None:
        self._text = text
        self._document = document
        self._mark = mark

    @classmethod
    def read(cls, data: bytes, path: Path) -> DaemonJson:
        """Return the file of this content; an empty one is taken as `{}`, as dockerd does.

        Raises:
            TutorError: `docker.not_json` and `docker.not_object`, with the line and column where it goes wrong.
        """
        text = data.decode("utf-8", "replace")
        mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
        text = text.removeprefix(mark)
        document = parse(text if text.strip() else "{}\n")
        if not document.valid:
            raise TutorError("docker.not_json", path=path, problem=document.problems[0])
        for pointer, name in (("", "daemon.json"), (_RUNTIMES, "runtimes")):
            value = _at(document, pointer)
            if pointer in document.values and not isinstance(value, dict):
                place = document.position(pointer)
                raise TutorError(
                    "docker.not_object", path=path, name=name, line=place.line, column=place.column
                )
        return cls(document.text, document, mark)

    @property
    def data(self) -> bytes:
        """The file's content."""
        return (self._mark + self._text).encode()

    def runtime(self, name: str) -> JsonValue:
        """Return a runtime's entry, None if it has none."""
        return _at(self._document, child(_RUNTIMES, name))

    def setting(self, name: str) -> JsonValue:
        """Return the value of a key of the file, None if it isn't there."""
        return _at(self._document, child("", name))

    def with_runtime(self, name: str, path: str) -> DaemonJson:
        """Return the file with a runtime's entry added, or pointing to `path` from now on."""
        entry: JsonValue = {"path": path}
        pointer = child(_RUNTIMES, name)
        if pointer in self._document.values:
            span = self._document.values[pointer]
            return self._changed(self._text[: span.start] + json.dumps(entry) + self._text[span.end :])
        if _RUNTIMES in self._document.values:
            return self._changed(self._with_member(_RUNTIMES, name, entry))
        return self._changed(self._with_member("", "runtimes", {name: entry}))

    def without_runtime(self, name: str, *, keep_empty: bool = False) -> DaemonJson:
        """Return the file without a runtime's entry; and without `runtimes`, if nothing else was in it (unless `keep_empty`)."""
        runtimes = _at(self._document, _RUNTIMES)
        if not isinstance(runtimes, dict) or (name not in runtimes and (runtimes or keep_empty)):
            return self
        if keep_empty or set(runtimes) - {name}:
            return self._changed(self._without_member(_RUNTIMES, name))
        return self._changed(self._without_member("", "runtimes"))

    def with_no_runtimes(self) -> DaemonJson:
        """Return the file with `"runtimes": {}`, if it has no `runtimes`."""
        if _RUNTIMES in self._document.values:
            return self
        return self._changed(self._with_member("", "runtimes", {}))

    def _changed(self, text: str) -> DaemonJson:
        document = parse(text)
        assert document.valid, text  # noqa: S101  (an edit of ours that spoils the file must never be written)
        return DaemonJson(text, document, self._mark)

    def _members(self, pointer: str) -> list[str]:
        """Return the pointers of an object's members, in the order of the text."""
        keys = self._document.keys
        return sorted(
            (each for each in keys if each.rpartition("/")[0] == pointer), key=lambda each: keys[each].start
        )

    def _with_member(self, pointer: str, name: str, value: JsonValue) -> str:
        """Return the text with a last member more in an object, written as its other members are."""
        text, members = self._text, self._members(pointer)
        newline = "\r\n" if "\r\n" in text else "\n"
        unit = self._indentation()
        if members:
            at = self._document.values[members[-1]].end
            before, head = self._space_before(members[-1]), ","
        else:
            span = self._document.values[pointer]
            depth = pointer.count("/")
            before, head = newline + unit * (depth + 1), ""
            text = text[: span.start + 1] + newline + unit * depth + text[span.end - 1 :]
            at = span.start + 1
        on_lines = "\n" in before
        written = json.dumps(value, indent=unit if on_lines and value else None, ensure_ascii=False)
        written = written.replace("\n", newline + before.rpartition("\n")[2])
        return f"{text[:at]}{head}{before}{json.dumps(name, ensure_ascii=False)}: {written}{text[at:]}"

    def _without_member(self, pointer: str, name: str) -> str:
        """Return the text without a member: with the comma before it, or the one behind it where it is the first."""
        text, members, where = self._text, self._members(pointer), child(pointer, name)
        keys, values = self._document.keys, self._document.values
        index = members.index(where)
        if len(members) == 1:
            span = values[pointer]
            return text[: span.start] + "{}" + text[span.end :]
        if index:
            return text[: values[members[index - 1]].end] + text[values[where].end :]
        return text[: keys[where].start] + text[keys[members[1]].start :]

    def _space_before(self, pointer: str) -> str:
        """Return the white space before a member's key."""
        before = self._text[: self._document.keys[pointer].start]
        space = before[len(before.rstrip()) :]
        # The first one of `{"a": 1}` has none, its followers do.
        return space or " "

    def _indentation(self) -> str:
        """Return what a level is indented by: what the first member of the file is, else four spaces as Docker's manual has."""
        for member in self._members(""):
            space = self._space_before(member)
            if "\n" in space and (unit := space.rpartition("\n")[2]):
                return unit
        return "    "


def _at(document: Document, pointer: str) -> JsonValue:
    """Return the value at a pointer whose parts are names without escapes, None where there is none."""
    value = document.value
    for name in pointer.split("/")[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
