"""The parts that a learner's runtime is made of: the carried modules, and the learner's file, as syntax trees.

The standard library only: `launch` runs with it inside the sandbox, before anything of the learner's.
"""

from __future__ import annotations

import ast
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CARRIED = Path(__file__).parent / "carried"
PACKAGE = "tutor.own_steps.carried"
_REFERENCE = ("bundle", "namespaces", "filesystem", "process", "lifecycle", "cgroups")
"""The modules of the model solution, in the order in which an exported script has them."""
_PROVIDED = ("syscalls", "container", "tutor.own_steps")
"""The modules that a learner's file imports from, or a carried one: in the exported script all of them are one."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_parsing = threading.Lock()


def syntax_tree(text: str, path: str = "<unknown>") -> ast.Module:
    """Return a module as a syntax tree; one is built at a time, as CPython 3.11 needs it.

    Its count of the depth is one for all threads. Where the garbage collector runs a finalizer halfway, another thread gets its turn,
    and a second tree that is begun then makes it `SystemError: AST constructor recursion depth mismatch`.

    Raises:
        SyntaxError: it is not Python.
        ValueError: there is a null byte in it.
    """
    with _parsing:
        return ast.parse(text, path)


def source_of(name: str) -> str:
    """Return the text of what is carried along: `syscalls`, `container`, `reference` (its modules one after the other) or `frame`."""
    files = [f"reference/{each}.py" for each in _REFERENCE] if name == "reference" else [f"{name}.py"]
    text = "\n\n".join((CARRIED / each).read_text(encoding="utf-8") for each in files)
    return text.replace("  # fmt: skip", "")


def is_provided_import(node: ast.stmt) -> bool:
    """Tell whether a statement imports from what is carried along, or from the future."""
    if not isinstance(node, ast.ImportFrom):
        return False
    module = node.module or ""
    return module == "__future__" or any(
        module == each or module.startswith(each + ".") for each in _PROVIDED
    )


def is_stub(node: ast.stmt) -> bool:
    """Tell whether a function is not written yet: its body is a docstring, `...` and nothing else."""
    if not isinstance(node, ast.FunctionDef):
        return False
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return all(_is_ellipsis(each) for each in body)


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """Return the functions at the top of a module by their names; of two with one name the later, as Python does."""
    return {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}


def written(tree: ast.Module, names: Iterable[str]) -> set[str]:
    """Return those of `names` that the module defines at its top, and not as a stub."""
    defined = functions(tree)
    return {name for name in names if name in defined and not is_stub(defined[name])}


def runnable(tree: ast.Module) -> ast.Module:
    """Return the module without stubs and without imports of what is provided; the places of the rest stay."""
    body = [each for each in tree.body if not is_stub(each) and not is_provided_import(each)]
    return ast.Module(body=body, type_ignores=[])


def defined_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module defines."""
    if isinstance(node, Definition):
        return {node.name}
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}


def used_names(node: ast.AST) -> set[str]:
    """Return every name that is read somewhere in `node`."""
    return {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
