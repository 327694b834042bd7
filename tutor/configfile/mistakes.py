"""Recognizes common mistakes in JSON.

Some come from a Japanese input method that was left on: full-width quotes, colons, commas and spaces look right, but are not
JSON.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from tutor.configfile.document import Span

if TYPE_CHECKING:
    from tutor.configfile.document import Document

_QUOTES = "“”„‟〝〞〟＂"
_SINGLE_QUOTES = "'‘’‚‛＇`´"
_PUNCTUATION = {"、": ",", "。": ".", "，": ",", "：": ":", "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[",
    "】": "]", "「": "[", "」": "]", "；": ","}  # fmt: skip
# Spaces that JSON does not allow: U+3000 comes from an input method, U+00A0 from text that was copied from a web page.
_SPACES = {"\u3000": "full_width_space", "\u00a0": "other_space", "\ufeff": "byte_order_mark"}
_WIDE_WORD = re.compile(r"[！-～￥]+")


class MistakeError(Exception):
    """The first mistake in a text: its place, its kind, and the values of its explanation."""

    def __init__(self, span: Span, pointer: str, key: str, **values: str | int) -> None:
        super().__init__(key)
        self.span = span
        self.pointer = pointer
        self.key = key
        self.values = values


def describe_junk(text: str, at: int, pointer: str) -> MistakeError | None:
    """Return the mistake of a character that is never allowed outside a string; None if the character is allowed somewhere."""
    char = text[at]
    here = Span(at, at + 1)
    if char in _SPACES:
        return MistakeError(here, pointer, _SPACES[char])
    if char in _QUOTES:
        return MistakeError(here, pointer, "full_width", found=char, wanted='"')
    if char in _SINGLE_QUOTES:
        return MistakeError(here, pointer, "single_quote", found=char)
    if char in _PUNCTUATION:
        return MistakeError(here, pointer, "full_width", found=char, wanted=_PUNCTUATION[char])
    if text.startswith(("//", "/*", "#"), at):
        end = text.find("\n", at)
        return MistakeError(Span(at, end if end >= 0 else len(text)), pointer, "comment")
    if wide := _WIDE_WORD.match(text, at):
        wanted = unicodedata.normalize("NFKC", wide[0])
        return MistakeError(Span(at, wide.end()), pointer, "full_width", found=wide[0], wanted=wanted)
    if char == ";":
        return MistakeError(here, pointer, "semicolon")
    if not char.isprintable() and not char.isspace():
        return MistakeError(here, pointer, "invisible", code=f"{ord(char):04X}")
    if char.isspace() and char not in " \t\r\n":
        return MistakeError(here, pointer, "other_space")
    return None


def missing_comma(text: str, end: int, at: int, pointer: str) -> MistakeError:
    """Return that a comma is missing after `end` if a value or key begins at `at`; else what is wrong with the text at `at`."""
    if text[at] in '"{[-0123456789' or text[at].isalpha():
        return MistakeError(Span(end, end + 1), pointer, "missing_comma")
    if text[at] == ":":
        return MistakeError(Span(at, at + 1), pointer, "extra_colon")
    return MistakeError(Span(at, at + 1), pointer, "unexpected", found=text[at])


def unclosed(document: Document, opened: int, pointer: str) -> MistakeError:
    """Return that the bracket opened here is not closed before the text ends."""
    bracket = document.text[opened]
    return MistakeError(
        Span(opened, opened + 1),
        pointer,
        "unclosed_bracket",
        opening=bracket,
        closing={"{": "}", "[": "]"}[bracket],
    )


def unclosed_string(text: str, start: int, end: int, pointer: str) -> MistakeError:
    """Return that the string opened at `start` is not closed before its line ends at `end`."""
    for at in range(start + 1, end):
        if text[at] in _QUOTES:
            return MistakeError(Span(at, at + 1), pointer, "full_width", found=text[at], wanted='"')
    return MistakeError(Span(start, end), pointer, "unclosed_string")
