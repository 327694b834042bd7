"""Characters that no terminal shows, made visible: a program's own colours, bells, and what turns the writing around."""

from __future__ import annotations

from unicodedata import category


def printable(line: str) -> str:
    r"""Return a line safe for the screen: tabs widened, and what is not printable as an escape (`\x1b`, `\u200b`)."""
    line = line.rstrip("\r").expandtabs(8)
    return line if line.isprintable() else "".join(map(_shown, line))


def _shown(character: str) -> str:
    # Spaces other than ASCII's are not printable to Python, and Japanese has one: U+3000.
    if character.isprintable() or category(character) == "Zs":
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
