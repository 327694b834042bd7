"""Edit the text of a daemon.json at the entry of a runtime, and nowhere else.

The rest keeps its order, its indentation and its line ends: the text is edited, not serialized again.
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
    """A valid daemon.json: an object whose `runtimes`, if there is one, is an object, too."""

    def __init__(self, text: str, document: Document, mark: str = "") -> None:
        self._text = text
        self._document = document
        self._mark = mark

    @classmethod
    def read(cls, data: bytes, path: Path) -> DaemonJson:
        """Parse a file's content; an empty one counts as `{}`, as for dockerd.

        Raises:
            TutorError: `docker.not_json` and `docker.not_object`, with line and column of the error.
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
        """Return the entry of a runtime; None if there is none."""
        return _at(self._document, child(_RUNTIMES, name))

    def setting(self, name: str) -> JsonValue:
        """Return the value of a key of the file; None if there is none."""
        return _at(self._document, child("", name))

    def with_runtime(self, name: str, path: str) -> DaemonJson:
        """Return the file with an entry of a runtime added, or with its path changed to `path`."""
        entry: JsonValue = {"path": path}
        pointer = child(_RUNTIMES, name)
        if pointer in self._document.values:
            span = self._document.values[pointer]
            return self._changed(self._text[: span.start] + json.dumps(entry) + self._text[span.end :])
        if _RUNTIMES in self._document.values:
            return self._changed(self._with_member(_RUNTIMES, name, entry))
        return self._changed(self._with_member("", "runtimes", {name: entry}))

    def without_runtime(self, name: str, *, keep_empty: bool = False) -> DaemonJson:
        """Return the file without the entry of a runtime; also without `runtimes` if that is empty then (unless `keep_empty`)."""
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
        assert document.valid, text  # noqa: S101  (an edit that makes the file invalid must never be written)
        return DaemonJson(text, document, self._mark)

    def _members(self, pointer: str) -> list[str]:
        """Return the pointers of an object's members, in the order of the text."""
        keys = self._document.keys
        return sorted(
            (each for each in keys if each.rpartition("/")[0] == pointer), key=lambda each: keys[each].start
        )

    def _with_member(self, pointer: str, name: str, value: JsonValue) -> str:
        """Return the text with a member appended to an object, in the style of the others."""
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
        """Return the text without a member: with the comma before it, or after it if it is the first."""
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
        # In `{"a": 1, "b": 2}` the first member has none, the others have.
        return space or " "

    def _indentation(self) -> str:
        """Return the indentation of a level: that of the file's first member, else four spaces, as in Docker's manual."""
        for member in self._members(""):
            space = self._space_before(member)
            if "\n" in space and (unit := space.rpartition("\n")[2]):
                return unit
        return "    "


def _at(document: Document, pointer: str) -> JsonValue:
    """Return the value at a pointer whose parts have no escapes; None if there is none."""
    value = document.value
    for name in pointer.split("/")[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
