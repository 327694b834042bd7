"""`steps`: the tables of steps that the operations walk, and where each step is in the source."""

from __future__ import annotations

import ast
import os
import re

from runtime.install.interpreter import root
from runtime.operations.restore import RESTORE_STEPS
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import DELETE_STEPS
from runtime.steps.exec import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.steps.start import START_STEPS
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runtime.steps.runner import Table

_TABLES: tuple[tuple[Table, tuple[str, ...]], ...] = (
    # A table, and the commands that walk it
    (RUNTIME_STEPS, ("create", "run")),
    (INIT_STEPS, ("create", "run")),
    (START_STEPS, ("start", "run")),
    (EXEC_STEPS, ("exec",)),
    (EXEC_INIT_STEPS, ("exec",)),
    (DELETE_STEPS, ("delete", "run")),
    (RESTORE_STEPS, ("restore",)),
)
_CLAUSE = re.compile(
    r"\b((?:bundle|config|config-linux|runtime|runtime-linux)\.md), "
    # A property in backticks or in camel case, the numbers of the lifecycle's steps, or a heading
    r"(`[^`]+`|[a-z]+[A-Z]\w*|steps? \d+(?:(?:, | and | to )\d+)*|[A-Z]\w*(?: [\w-]+)*)"
)
_MANUAL = re.compile(r"\b[a-z][\w-]*\([1-9]\)")


def steps() -> list[dict[str, Any]]:
    """Return the tables, in the order in which a container meets them.

    What a step is for, and the clauses of the specification and the manual pages that ask for it, are in its docstring. That, and the
    lines, are read from the source: the code cache has neither.

    Raises:
        RuntError: the source of a step can't be read.
    """
    sources: dict[str, dict[str, ast.FunctionDef]] = {}
    return [
        {
            "table": each.name,
            "process": each.process,
            "commands": list(commands),
            "steps": [_step(position, function, sources) for position, function in enumerate(each)],
        }
        for each, commands in _TABLES
    ]


def _step(
    position: int, function: Callable[..., None], sources: dict[str, dict[str, ast.FunctionDef]]
) -> dict[str, Any]:
    """Return a step of a table; `sources` keeps the functions of the modules that have been read."""
    module, name = function.__module__, function.__name__
    file = f"{root()}/{module.replace('.', '/')}.py"
    if module not in sources:
        sources[module] = _functions_of(file)
    found = sources[module].get(name)
    if found is None:
        raise RuntError(f"the source {file} has no function {name}: it is of another version of runt")
    text = " ".join((ast.get_docstring(found) or "").split())
    return {
        "position": position,
        "step": name,
        "module": module,
        "function": name,
        "file": file,
        "line": found.lineno,
        "lastLine": found.end_lineno,
        "summary": re.split(r"(?<=\.)\s", text, maxsplit=1)[0] if text else "",
        "clauses": [f"{document}, {title.strip('`')}" for document, title in _CLAUSE.findall(text)],
        "manual": list(dict.fromkeys(_MANUAL.findall(text))),
    }


def _functions_of(file: str) -> dict[str, ast.FunctionDef]:
    """Return the functions of a source file by their names. Raises RuntError."""
    try:
        with open(file, encoding="utf-8") as source:
            tree = ast.parse(source.read(), file)
    except (OSError, SyntaxError, ValueError) as error:
        raise RuntError(f"cannot read the source of the steps: {file}: {error}") from None
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def table(tables: list[dict[str, Any]]) -> str:
    """Return the tables as text: a line for each step."""
    lines = []
    for each in tables:
        lines.append(f"{each['table']}  ({each['process']}: {', '.join(each['commands'])})")
        for step in each["steps"]:
            place = f"{os.path.relpath(step['file'], root())}:{step['line']}"
            sources = "; ".join([*step["clauses"], *step["manual"]])
            lines.append(f"{step['position']:>4}  {step['step']:<31} {place:<38} {sources}".rstrip())
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
