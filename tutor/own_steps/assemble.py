"""The script that a learner takes away: one file, the standard library only, and nothing of oci-tutor.

Its order is that of reading: the system calls, the container, the learner's functions, the command line. Ours stand in for what is
not written yet, and the script says so.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from typing import TYPE_CHECKING

from tutor.own_steps import parts, source
from tutor.own_steps.exercises import FUNCTIONS

if TYPE_CHECKING:
    from tutor.messages import Messages

_SYSTEM_PYTHON = "/usr/bin/python3"
_HEAD = """#!{python} -I
\"\"\"{title}\"\"\"

from __future__ import annotations

{imports}
"""


def exported(text: str, messages: Messages) -> str:
    """Return the script for the learner's file `text`; its title and the headings of its parts are in their language.

    Raises:
        SourceError: the file is not Python.
    """
    mine = source.parsed(text)
    missing = source.missing(text)
    blocks = {name: _body(parts.source_of(name)) for name in ("syscalls", "container", "frame")}
    trees = [parts.syntax_tree(parts.source_of(name)) for name in ("syscalls", "container", "frame")]
    blocks["mine"] = _body(text)
    if missing:
        blocks["ours"] = _ours(mine, set(missing))
        trees.append(parts.syntax_tree(source.reference_definition(missing)))
    order = ("syscalls", "container", "ours", "mine", "frame")
    body = "\n\n".join(
        f"# {messages(f'own.part.{name}')}\n\n{blocks[name]}" for name in order if blocks.get(name)
    )
    return (
        _HEAD.format(
            python=_interpreter(), title=messages("own.script"), imports="\n".join(_imports([*trees, mine]))
        )
        + "\n\n"
        + body
        + "\n"
    )


def _interpreter() -> str:
    """Return the interpreter for the first line: the system's own, which daemons find, unlike that of a shim in someone's PATH."""
    return _SYSTEM_PYTHON if os.access(_SYSTEM_PYTHON, os.X_OK) else os.path.realpath(sys.executable)


def _body(text: str) -> str:
    """Return a module without its docstring, its imports, its stubs, and what is only for types."""
    lines, tree = text.splitlines(), source.parsed(text)
    gone: set[int] = set()
    for index, node in enumerate(tree.body):
        is_docstring = index == 0 and ast.get_docstring(tree, clean=False) is not None
        if is_docstring or isinstance(node, ast.Import | ast.ImportFrom) or parts.is_stub(node):
            gone.update(range(source.first_line(node), source.last_line(node) + 1))
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in gone)
    return re.sub(r"\n{4,}", "\n\n\n", kept).strip("\n")


def _ours(mine: ast.Module, names: set[str]) -> str:
    """Return our functions `names` and what they use; a helper with the name of one of the learner's gets another name."""
    text = _body(source.reference_definition(tuple(name for name in FUNCTIONS if name in names)))
    theirs = {name for node in mine.body for name in parts.defined_names(node) if not parts.is_stub(node)}
    ours = {name for node in parts.syntax_tree(text).body for name in parts.defined_names(node)} - names
    for name in ours & theirs:
        text = re.sub(rf"\b{re.escape(name)}\b", f"ours{name}", text)
    return text


def _imports(trees: list[ast.Module]) -> list[str]:
    """Return the imports of all parts from the standard library, each once."""
    modules: set[str] = set()
    names: dict[str, set[str]] = {}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Import):
                modules.update(f"import {ast.unparse(each)}" for each in node.names)
            elif isinstance(node, ast.ImportFrom) and not parts.is_provided_import(node):
                names.setdefault(node.module or "", set()).update(ast.unparse(each) for each in node.names)
    return sorted(modules) + [
        f"from {module} import {', '.join(sorted(found))}" for module, found in sorted(names.items())
    ]
