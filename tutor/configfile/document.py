"""A parsed `config.json`: its value, the position of every part of it, and its problems."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Literal

from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from tutor.messages import Messages

Severity = Literal["error", "warning"]
# The values of JSON (RFC 8259); a number that is written as an integer is an int.
JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Position:
    """A position in the text: line and column, counted in characters from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text, in character offsets from 0; `end` is exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem and its place: line and column, counted in characters from 1; the end is exclusive.

    Attributes:
        pointer: the JSON pointer (RFC 6901) of the value or of the missing member; the whole document is ``.
        severity: an `error` makes a runtime refuse the file; a `warning` is accepted, but probably a mistake.
        key: the message catalogue's entry; values: the values of its placeholders.
        clause: the section of the specification (`config.md#process`); empty for mistakes in JSON.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    pointer: str
    severity: Severity
    key: str
    values: dict[str, str | int] = field(default_factory=dict)
    clause: str = ""

    def message(self, m: Messages) -> str:
        """Return what is wrong and what to do, in the catalogue's language, without the place."""
        return m(self.key, **{name: _worded(name, value, m) for name, value in self.values.items()})

    def parted(self, m: Messages) -> tuple[str, str]:
        """Return the message as two sentences: what is wrong, and what to do; the second may be empty."""
        what, _, then = m.raw(self.key).partition(m("configfile.between"))
        values = {name: _worded(name, value, m) for name, value in self.values.items()}
        stop = m("configfile.stop")

        def sentence(template: str) -> str:
            # Capitalize only the catalogue's words, not a quoted value.
            text = f"{template[:1].upper()}{template[1:]}".format(**values)
            return text if not text or text[-1] in "?." else f"{text}{stop}"

        return sentence(what), sentence(then)

    def located(self, m: Messages) -> str:
        """Return the message after its line and column, for an output that cannot mark the text."""
        return m("configfile.located", line=self.line, column=self.column, message=self.message(m))


def _worded(name: str, value: str | int, m: Messages) -> str | int:
    """Return a value in the reader's language if it is a key of the catalogue, not a quotation."""
    if name in ("expected_type", "found_type"):
        return m(f"configfile.type.{value}")
    if name == "where" and not value:
        return m("configfile.whole")
    return value


class Document:
    """A text that was parsed as JSON: its value, the position of every part, and the problems of its syntax.

    `value` is None if the text is not JSON; then `problems` has one error. Duplicate keys are problems, too (warnings); as in
    every runtime, the last one counts.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.value: JsonValue = None
        self.valid = False
        self.values: dict[str, Span] = {}
        self.keys: dict[str, Span] = {}
        self.problems: list[Problem] = []
        self._starts = [0]
        start = text.find("\n")
        while start >= 0:
            self._starts.append(start + 1)
            start = text.find("\n", start + 1)

    def at(self, pointer: str) -> JsonValue:
        """Return the value at a JSON pointer; None if there is none."""
        at = self.value
        for name in pointer.split("/")[1:]:
            name = name.replace("~1", "/").replace("~0", "~")
            if isinstance(at, dict):
                at = at.get(name)
            elif isinstance(at, list) and name.isdigit() and int(name) < len(at):
                at = at[int(name)]
            else:
                return None
        return at

    def object_at(self, pointer: str) -> dict[str, JsonValue]:
        """Return the object at a pointer; an empty one if there is none."""
        value = self.at(pointer)
        return value if isinstance(value, dict) else {}

    def objects(self, pointer: str) -> list[tuple[str, dict[str, JsonValue]]]:
        """Return the objects of the array at a pointer, each with its own pointer."""
        value = self.at(pointer)
        found = enumerate(value if isinstance(value, list) else ())
        return [(f"{pointer}/{index}", item) for index, item in found if isinstance(item, dict)]

    def position_of(self, offset: int) -> Position:
        """Return the line and column of a character offset."""
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def position(self, pointer: str, *, of: Literal["value", "key"] = "value") -> Position:
        """Return where a value, or the key before it, begins.

        Raises:
            KeyError: there is no value at this pointer, or (for a key) it is an array's item or the whole document.
        """
        spans = self.values if of == "value" else self.keys
        return self.position_of(spans[pointer].start)

    def pointer_at(self, line: int, column: int) -> str:
        """Return the pointer of the smallest value whose text or key contains a position; `` if none does."""
        if not 1 <= line <= len(self._starts):
            return ""
        offset = self._starts[line - 1] + column - 1
        best, size = "", len(self.text) + 1
        for spans in (self.values, self.keys):
            for pointer, span in spans.items():
                if span.start <= offset < span.end and span.end - span.start < size:
                    best, size = pointer, span.end - span.start
        return best

    def problem(
        self,
        span: Span,
        pointer: str,
        key: str,
        *,
        severity: Severity = "error",
        clause: str = "",
        values: dict[str, str | int] | None = None,
    ) -> Problem:
        """Return a problem at a part of this text, which is marked up to the end of its first line."""
        start, end = self.position_of(span.start), self.position_of(max(span.start, span.end))
        if end.line > start.line:
            # A mark stays on its line; at the end of a line (a missing comma) it is one character wide.
            length = self._starts[start.line] - 1 - self._starts[start.line - 1]
            end = Position(start.line, max(start.column + 1, length + 1))
        return Problem(
            start.line,
            start.column,
            end.line,
            end.column,
            pointer,
            severity,
            f"configfile.{key}",
            values or {},
            clause,
        )


def child(pointer: str, name: str | int) -> str:
    """Return the pointer of a member or an item below a pointer, with the escapes of RFC 6901."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
