"""One table of glyphs: what means the same looks the same in the TUI, in the REPL and in every report."""

from __future__ import annotations

import ast
from pathlib import Path

from tutor.text import glyphs

TUTOR = Path(__file__).parents[2] / "tutor"
TABLE = Path(glyphs.__file__)
PUNCTUATION = set("…·─–• ")
"""Characters of the table that also stand for themselves: an ellipsis, a middle dot between words, a rule, a dash, a bullet."""


def texts(file: Path) -> list[ast.Constant]:
    """Return the string literals of a module, without its docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]


def test_no_other_module_writes_a_glyph_itself() -> None:
    table = {each for text in texts(TABLE) for each in str(text.value) if not each.isascii()} - PUNCTUATION
    assert {"✓", "✗", "△", "●", "○"} <= table
    written = [
        f"{file.relative_to(TUTOR.parent)}:{text.lineno}: {text.value!r}"
        for file in sorted(TUTOR.rglob("*.py"))
        if file != TABLE
        for text in texts(file)
        if table & set(str(text.value))
    ]
    assert written == []
