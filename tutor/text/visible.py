"""Makes characters visible that a terminal obeys or does not show: escape sequences, bells, overrides of the direction."""

from __future__ import annotations

from unicodedata import category

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def printable(line: str) -> str:
    """Return a line that is safe for the screen: with spaces for tabs, and `visible`."""
    return visible(line.rstrip("\r").expandtabs(8))


def visible(text: str, *, keep: str = "") -> str:
    r"""Return a text with what is not printable as an escape (`\n`, `\x1b`, `\u200b`), but for the characters in `keep`."""
    if text.isprintable():
        return text
    return "".join(each if each in keep else _shown(each) for each in text)


def _shown(character: str) -> str:
    # Spaces other than ASCII's are not printable to Python, and Japanese has one: U+3000.
    if character.isprintable() or category(character) == "Zs":
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
