"""Parses JSON (RFC 8259): the position of every part, and for the first mistake an explanation of what was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tutor.configfile.document import Document, JsonValue, Span, child
from tutor.configfile.mistakes import MistakeError, describe_junk, missing_comma, unclosed, unclosed_string

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"([^"\\\x00-\x1f]*)"')
_CHUNK = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_$][A-Za-z_0-9.$-]*")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS: dict[str, JsonValue] = {"true": True, "false": False, "null": None}
_SURROGATES = re.compile("[\ud800-\udfff]")
# Deeper than any configuration, and well within Python's recursion limit.
_DEEPEST = 200


def parse(text: str) -> Document:
    """Parse a text as JSON. Raises nothing: mistakes are in the document's `problems`."""
    document = Document(text)
    try:
        reader = _Reader(document)
        document.value = reader.document()
        document.valid = True
    except MistakeError as mistake:
        document.value = None
        document.problems = [
            document.problem(mistake.span, mistake.pointer, f"syntax.{mistake.key}", values=mistake.values)
        ]
    return document


class _Reader:
    """One pass over the text; `at` is the offset of the next character."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._at = 0
        self._readers: dict[str, Callable[[str, int], JsonValue]] = {"{": self._object, "[": self._array}

    def document(self) -> JsonValue:
        self._skip_space()
        if self._at == len(self._text):
            raise MistakeError(Span(0, 0), "", "empty")
        value = self._value("", 0)
        self._skip_space()
        if self._at < len(self._text):
            char = self._text[self._at]
            if char in "}]":
                raise MistakeError(Span(self._at, self._at + 1), "", "extra_closing", found=char)
            mistake = describe_junk(self._text, self._at, "")
            raise mistake or MistakeError(Span(self._at, self._at + 1), "", "extra", found=char)
        return value

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _peek(self) -> str:
        """Return the next character that is not a space; empty at the end."""
        self._skip_space()
        return self._text[self._at : self._at + 1]

    def _value(self, pointer: str, depth: int) -> JsonValue:
        start = self._at
        char = self._text[start : start + 1]
        value: JsonValue
        if char == '"':
            value = self._string(pointer)
        elif char in self._readers:
            if depth >= _DEEPEST:
                raise MistakeError(Span(start, start + 1), pointer, "too_deep", depth=_DEEPEST)
            value = self._readers[char](pointer, depth)
        elif char in "-0123456789" and char:
            value = self._number(pointer)
        else:
            value = self._literal(pointer)
        self._document.values[pointer] = Span(start, self._at)
        return value

    def _object(self, pointer: str, depth: int) -> JsonValue:
        opened, members = self._at, dict[str, JsonValue]()
        self._at += 1
        comma: int | None = None
        while (char := self._peek()) != "}" or comma is not None:
            if char == "}" and comma is not None:
                raise MistakeError(Span(comma, comma + 1), pointer, "trailing_comma", closing="}")
            name, where = self._key(pointer, opened, comma)
            self._colon(where, name)
            members[name] = self._value(where, depth + 1)
            comma = self._comma(pointer, opened, "}")
            if comma is None:
                break
        self._at += 1
        return members

    def _array(self, pointer: str, depth: int) -> JsonValue:
        opened, items = self._at, list[JsonValue]()
        self._at += 1
        comma: int | None = None
        while (char := self._peek()) != "]" or comma is not None:
            if char == "]" and comma is not None:
                raise MistakeError(Span(comma, comma + 1), pointer, "trailing_comma", closing="]")
            if not char:
                raise unclosed(self._document, opened, pointer)
            items.append(self._value(child(pointer, len(items)), depth + 1))
            comma = self._comma(pointer, opened, "]")
            if comma is None:
                break
        self._at += 1
        return items

    def _key(self, pointer: str, opened: int, comma: int | None) -> tuple[str, str]:
        start = self._at
        char = self._text[start : start + 1]
        if not char:
            raise unclosed(self._document, opened, pointer)
        if char != '"':
            if mistake := describe_junk(self._text, start, pointer):
                raise mistake
            if char == "," and comma is not None:
                raise MistakeError(Span(start, start + 1), pointer, "double_comma")
            if char == "]":
                raise self._mismatch(pointer, opened, "}")
            word = _WORD.match(self._text, start)
            if word:
                raise MistakeError(Span(start, word.end()), pointer, "unquoted_key", found=word[0])
            raise MistakeError(Span(start, start + 1), pointer, "key_expected", found=char)
        name = self._string(pointer)
        where = child(pointer, name)
        span = Span(start, self._at)
        if where in self._document.keys:
            first = self._document.position_of(self._document.keys[where].start)
            self._document.problems.append(
                self._document.problem(
                    span, where, "duplicate_key", severity="warning",
                    values={"name": name, "first_line": first.line},
                )
            )  # fmt: skip
            # Forget the positions below the first value: only the second counts.
            for spans in (self._document.values, self._document.keys):
                for old in [each for each in spans if each.startswith(f"{where}/")]:
                    del spans[old]
        self._document.keys[where] = span
        return name, where

    def _colon(self, pointer: str, name: str) -> None:
        end = self._at
        char = self._peek()
        if char != ":":
            if char == "=":
                raise MistakeError(Span(self._at, self._at + 1), pointer, "equals", name=name)
            if char and (mistake := describe_junk(self._text, self._at, pointer)):
                raise mistake
            raise MistakeError(Span(end, end + 1), pointer, "missing_colon", name=name)
        self._at += 1
        if (char := self._peek()) == "" or char in ",}]":
            raise MistakeError(Span(end, self._at), pointer, "missing_value", name=name)

    def _comma(self, pointer: str, opened: int, closing: str) -> int | None:
        """Read the end of a member or an item; return the offset of a comma, or None before a closing bracket."""
        end = self._at
        char = self._peek()
        if char == closing:
            return None
        if char == ",":
            self._at += 1
            return self._at - 1
        if not char:
            raise unclosed(self._document, opened, pointer)
        if char in "}]":
            raise self._mismatch(pointer, opened, closing)
        raise describe_junk(self._text, self._at, pointer) or missing_comma(
            self._text, end, self._at, pointer
        )

    def _mismatch(self, pointer: str, opened: int, wanted: str) -> MistakeError:
        line = self._document.position_of(opened).line
        return MistakeError(
            Span(self._at, self._at + 1), pointer, "mismatched",
            found=self._text[self._at], wanted=wanted, opening=self._text[opened], opening_line=line,
        )  # fmt: skip

    def _string(self, pointer: str) -> str:
        simple = _STRING.match(self._text, self._at)
        if simple:
            self._at = simple.end()
            return _SURROGATES.sub("\ufffd", simple[1])
        start = self._at
        self._at += 1
        pieces: list[str] = []
        while True:
            chunk = _CHUNK.match(self._text, self._at)
            pieces.append(chunk[0] if chunk else "")
            self._at = chunk.end() if chunk else self._at
            char = self._text[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                break
            if char == "\\":
                pieces.append(self._escape(pointer))
            elif not char or char in "\n\r":
                raise unclosed_string(self._text, start, self._at, pointer)
            else:
                code = f"{ord(char):04x}"
                raise MistakeError(Span(self._at, self._at + 1), pointer, "control_character", code=code)
        # Two escaped surrogates make one character; a single one is none (Go, and so runc, reads U+FFFD).
        joined = "".join(pieces)
        return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if joined else joined

    def _escape(self, pointer: str) -> str:
        start = self._at
        char = self._text[start + 1 : start + 2]
        if char == "u" and (digits := _HEX.match(self._text, start + 2)):
            self._at = digits.end()
            return chr(int(digits[0], 16))
        if char and char in _ESCAPES:
            self._at = start + 2
            return _ESCAPES[char]
        raise MistakeError(Span(start, start + 2), pointer, "bad_escape", found=f"\\{char.strip()}")

    def _number(self, pointer: str) -> JsonValue:
        start = self._at
        match = _NUMBER.match(self._text, start)
        word = re.compile(r"[-+0-9A-Za-z_.]*").match(self._text, start)
        end = word.end() if word else start + 1
        if match is None or match.end() != end:
            written = self._text[start:end]
            octal = re.fullmatch(r"0[oO]?([0-7]+)", written)
            if octal and len(octal[1]) < 20:
                raise MistakeError(
                    Span(start, end), pointer, "octal", found=written, decimal=int(octal[1], 8)
                )
            raise MistakeError(Span(start, end), pointer, "bad_number", found=written)
        self._at = end
        # Python refuses integers of thousands of digits; no member of config.json can hold one.
        if match[1] or match[2] or end - start > 4000:
            return float(match[0])
        return int(match[0])

    def _literal(self, pointer: str) -> JsonValue:
        start = self._at
        word = _WORD.match(self._text, start)
        if word is None:
            char = self._text[start : start + 1]
            if char == ",":
                raise MistakeError(Span(start, start + 1), pointer, "double_comma")
            raise describe_junk(self._text, start, pointer) or MistakeError(
                Span(start, start + 1), pointer, "value_expected", found=char
            )
        if word[0] not in _LITERALS:
            meant = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false",
                "null": "null", "none": "null", "nil": "null"}.get(word[0].lower())  # fmt: skip
            if meant:
                raise MistakeError(Span(start, word.end()), pointer, "literal", found=word[0], meant=meant)
            raise MistakeError(Span(start, word.end()), pointer, "unquoted_value", found=word[0])
        self._at = word.end()
        return _LITERALS[word[0]]
