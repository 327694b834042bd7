"""A learner's file, `my_runtime.py`, as text: which functions are in it, and how a function is put in without touching the rest."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from tutor import files
from tutor.errors import TutorError
from tutor.own_steps import parts
from tutor.own_steps.exercises import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tutor.home import Home

FILE = "my_runtime.py"
COURSE = "build-your-own"
BEGINNING = '''"""My own container runtime."""

import os

from container import Container, ContainerError
'''
"""What a new file has."""
_WIDTH = 100  # columns of an import


class SourceError(TutorError):
    """The file is not Python: `own.error.syntax`. `line` and `column` count from 1."""

    def __init__(self, error: SyntaxError) -> None:
        self.line, self.column = error.lineno or 1, error.offset or 1
        super().__init__("own.error.syntax", line=self.line, column=self.column, message=error.msg)


class Written(NamedTuple):
    """A function of the file; lines count from 1, and the last one is included. A stub is not written yet."""

    name: str
    first_line: int
    last_line: int
    is_stub: bool


def file_of(home: Home) -> Path:
    """Return the place of the learner's file: one for all lessons of the course."""
    return home.labs / COURSE / FILE


def read(path: Path) -> str:
    """Return the text of the learner's file; what a new one begins with where there is none.

    Raises:
        TutorError: `own.error.unreadable`.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return BEGINNING
    except (OSError, UnicodeDecodeError) as error:
        raise TutorError("own.error.unreadable", path=path, reason=error) from error


def write(path: Path, text: str) -> None:
    """Replace the learner's file as a whole.

    Raises:
        TutorError: `own.error.unwritable`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, text.encode())
    except OSError as error:
        raise TutorError("own.error.unwritable", path=path, reason=error.strerror) from error


def functions_of(text: str) -> dict[str, Written]:
    """Return the functions at the top of the file by their names. Raises SourceError."""
    found = parts.functions(parsed(text)).items()
    return {
        name: Written(name, first_line(node), last_line(node), parts.is_stub(node)) for name, node in found
    }


def missing(text: str, names: Iterable[str] = FUNCTIONS) -> tuple[str, ...]:
    """Return those of `names` that are not written yet, in their order. Raises SourceError."""
    names = tuple(names)
    written = parts.written(parsed(text), names)
    return tuple(name for name in names if name not in written)


def with_skeleton(text: str, names: Iterable[str]) -> str:
    """Append the signature and the docstring of each function that the file does not have. Raises SourceError."""
    known = functions_of(text)
    added = [_skeleton(name) for name in names if name not in known]
    return _joined([text.rstrip("\n"), *added]) if added else text


def with_definitions(text: str, snippet: str) -> str:
    """Put the definitions at the top of `snippet` in the place of those with the same names, or at the end.

    All else stays as it is. What `snippet` imports is imported. Raises SourceError.
    """
    source, tree = snippet.splitlines(), parsed(snippet)
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    for node in tree.body:
        names = parts.defined_names(node)
        if not names or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        new = "\n".join(source[first_line(node) - 1 : last_line(node)])
        text = _replaced(text, names, new)
    for each in imports:
        text = _with_import(text, each)
    return text


def without_definitions(text: str, names: Iterable[str]) -> str:
    """Put the skeletons of these functions in place of what the file has. Raises SourceError."""
    for name in names:
        text = _replaced(text, {name}, _skeleton(name))
    return text


def reference_definition(names: Iterable[str]) -> str:
    """Return our functions with these names, with what they use and import, as a snippet for `with_definitions`."""
    text = parts.source_of("reference")
    tree, lines = parts.syntax_tree(text), text.splitlines()
    needed = needed_statements(tree, set(names))
    used = set().union(
        *(parts.used_names(each) for each in needed), *(parts.defined_names(each) for each in needed)
    )
    imports = [ast.unparse(each) for each in _imports_of(tree, used)]
    definitions = ["\n".join(lines[first_line(each) - 1 : last_line(each)]) for each in needed]
    return _joined(["\n".join(imports), *definitions])


def needed_statements(tree: ast.Module, names: set[str]) -> list[ast.stmt]:
    """Return the statements that define `names`, and whatever they use that is defined beside them and no exercise's, in its order."""
    wanted, todo = set(), set(names)
    while todo:
        wanted |= todo
        defining = [node for node in tree.body if parts.defined_names(node) & todo]
        todo = set().union(*(parts.used_names(node) for node in defining)) - wanted - set(FUNCTIONS)
    return [node for node in tree.body if parts.defined_names(node) & wanted]


def _imports_of(tree: ast.Module, used: set[str]) -> list[ast.Import | ast.ImportFrom]:
    """Return the imports of the reference that define names in `used`, from the modules that a learner imports from."""
    found: list[ast.Import | ast.ImportFrom] = []
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [each for each in node.names if (each.asname or each.name) in used]
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        if module.startswith(f"{parts.PACKAGE}.reference."):
            continue  # a part of the reference that is in the snippet itself
        if names:
            short = module.removeprefix(f"{parts.PACKAGE}.")
            found.append(ast.ImportFrom(short, names, 0) if module else ast.Import(names))
    return found


def _with_import(text: str, wanted: ast.Import | ast.ImportFrom) -> str:
    """Add one import, unless its names are imported already; names from one module share a statement."""
    tree, lines = parsed(text), text.splitlines()
    ours = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    module = wanted.module if isinstance(wanted, ast.ImportFrom) else None
    for each in ours:
        if isinstance(each, ast.ImportFrom) and module is not None and each.module == module:
            if any(name.name == "*" for name in each.names):
                return text
            names = sorted(
                {name.name for name in (*each.names, *wanted.names)}, key=lambda name: (name.islower(), name)
            )
            if set(names) == {name.name for name in each.names}:
                return text
            lines[each.lineno - 1 : each.end_lineno] = _import_lines(module, names)
            return "\n".join(lines) + "\n"
    if module is None:
        has = {name.name for each in ours if isinstance(each, ast.Import) for name in each.names}
        new = [f"import {name.name}" for name in wanted.names if name.name not in has]
    else:
        new = _import_lines(module, [name.name for name in wanted.names])
    plain = [each for each in ours if isinstance(each, ast.Import)]
    before = plain if module is None and plain else ours
    place = (before[-1].end_lineno or 0) if before else _after_docstring(tree)
    lines[place:place] = new
    return "\n".join(lines) + "\n"


def _import_lines(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _after_docstring(tree: ast.Module) -> int:
    first = tree.body[0] if tree.body else None
    return (first.end_lineno or 0) if first is not None and ast.get_docstring(tree) is not None else 0


def _replaced(text: str, names: set[str], new: str) -> str:
    """Put `new` in the place of what defines one of `names`; of several definitions the last one counts, and the others go."""
    lines = text.splitlines()
    found = [node for node in parsed(text).body if parts.defined_names(node) & names]
    if not found:
        return _joined([text.rstrip("\n"), new])
    *earlier, last = found
    lines[first_line(last) - 1 : last_line(last)] = new.splitlines()
    for node in reversed(earlier):
        end = last_line(node)
        while end < len(lines) and not lines[end].strip():
            end += 1
        del lines[first_line(node) - 1 : end]
    return "\n".join(lines) + "\n"


def _skeleton(name: str) -> str:
    """Return the signature and the docstring of our function, with `...` for its body."""
    text = parts.source_of("reference")
    node = parts.functions(parts.syntax_tree(text))[name]
    end = node.body[0].end_lineno or node.lineno
    head = text.splitlines()[node.lineno - 1 : end]
    return "\n".join([*head, "    ..."])


def _joined(blocks: list[str]) -> str:
    """Join blocks as PEP 8 has it: two empty lines between functions, none between constants."""
    text = "\n\n\n".join(each for each in blocks if each) + "\n"
    return re.sub(
        r"(?<=\n)(_?[A-Z][A-Z_]* = (?:[^\n]*|\{\n(?: [^\n]*\n)*\}))\n{3}(?=_?[A-Z][A-Z_]* = )", r"\1\n", text
    )


def parsed(text: str) -> ast.Module:
    """Return the file as a syntax tree. Raises SourceError."""
    try:
        return parts.syntax_tree(text)
    except SyntaxError as error:
        raise SourceError(error) from error
    except ValueError as error:  # a null byte
        raise SourceError(SyntaxError(str(error))) from error


def first_line(node: ast.stmt) -> int:
    """Return the first line of a statement, that of its decorators."""
    decorators = node.decorator_list if isinstance(node, parts.Definition) else []
    return min([node.lineno, *(each.lineno for each in decorators)])


def last_line(node: ast.stmt) -> int:
    """Return the last line of a statement."""
    return node.end_lineno or node.lineno
