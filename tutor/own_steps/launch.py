"""Run a learner's runtime: their functions, and ours in place of those that are not written yet.

`python3 -I launch.py FILE REPORT ARGUMENT...` where FILE is `my_runtime.py` and REPORT a file that lines of JSON are appended to:

- `{"event": "enter", "function": NAME, "pid": PID}` and `leave`: where a process is that hangs or has ended without a word;
- `{"event": "error", "function", "file", "line", "text", "error", "message", "call", "arguments", "errno"}`: an exception that left a
  function of the learner's; `line` and `text` are the last place in FILE on its way, `call` and what follows are of a SyscallError;
- `{"event": "syntax", "line", "column", "message"}`: FILE is not Python. Exit status 3.

`--only NAME,NAME` in front of FILE takes just these functions from FILE, and ours for all others.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

# Isolated mode has no path to it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from tutor.own_steps import parts
from tutor.own_steps.exercises import FUNCTIONS

del sys.path[0]

SYNTAX = 3
"""The exit status if the learner's file is not Python."""


class Report:
    """What is told of the learner's functions. The file stays open where its name can't be reached any more."""

    def __init__(self, path: str) -> None:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.descriptor = os.dup2(
            opened, 500, inheritable=False
        )  # out of the way of the learner's own numbers
        os.close(opened)

    def tell(self, event: str, **members: object) -> None:
        """Append one line, unless the learner has closed the file."""
        with contextlib.suppress(OSError):
            os.write(self.descriptor, (json.dumps({"event": event, **members}, default=repr) + "\n").encode())


def guarded(function: Callable[..., Any], path: str, report: Report) -> Callable[..., Any]:
    """Return the learner's function, so that the report hears when it is entered and left, and of its exceptions."""

    def call(*arguments: object, **named: object) -> object:
        report.tell("enter", function=function.__name__, pid=os.getpid())
        try:
            result = function(*arguments, **named)
        except BaseException as error:
            report.tell("error", function=function.__name__, **_described(error, path))
            raise
        report.tell("leave", function=function.__name__, pid=os.getpid())
        return result

    return call


def _described(error: BaseException, path: str) -> dict[str, object]:
    own = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == path]
    place = own[-1] if own else None
    return {
        "file": path,
        "line": place.lineno if place else 0,
        "text": place.line if place else "",
        "error": type(error).__name__,
        "message": str(error),
        "call": getattr(error, "call", ""),
        "arguments": [repr(each) for each in getattr(error, "arguments", ())],
        "errno": getattr(error, "errno", None),
    }


def _run(tree: ast.Module, path: str, names: dict[str, Any]) -> None:
    exec(compile(parts.runnable(tree), path, "exec"), names)  # noqa: S102  (it is what the learner wants to run)


def namespace(path: str, only: set[str], report: Report) -> dict[str, Any]:
    """Return the names of the frame, with the learner's functions in place. Raises SyntaxError."""
    provided: dict[str, Any] = {"__name__": "provided"}
    for name in ("syscalls", "container"):
        _run(parts.syntax_tree(parts.source_of(name)), f"{name}.py", provided)
        module = types.ModuleType(name)
        module.__dict__.update(provided)
        sys.modules[name] = module
    # Ours and the learner's are two modules: a helper of theirs does not take the place of one of ours with the same name.
    ours = {**provided, "__name__": "reference"}
    _run(parts.syntax_tree(parts.source_of("reference")), "reference.py", ours)
    text = Path(path).read_text(encoding="utf-8")
    tree = parts.syntax_tree(text, path)
    theirs = {**provided, **{name: ours[name] for name in FUNCTIONS}, "__name__": "my_runtime"}
    try:
        _run(tree, path, theirs)
    except BaseException as error:
        report.tell("error", function="", **_described(error, path))
        raise
    taken = {name: guarded(theirs[name], path, report) for name in parts.written(tree, only)}
    for names in (ours, theirs):
        names.update({name: taken.get(name, ours[name]) for name in FUNCTIONS})
    frame = {**ours, "__name__": "frame"}
    _run(parts.syntax_tree(parts.source_of("frame")), "frame.py", frame)
    close_all_but = frame["close_all_but"]
    frame["close_all_but"] = lambda *kept: close_all_but(*kept, report.descriptor)
    return frame


def main(arguments: list[str]) -> int:
    """Run one command of the learner's runtime; return the exit status."""
    only = set(FUNCTIONS)
    if arguments[0] == "--only":
        only, arguments = set(arguments[1].split(",")), arguments[2:]
    path, where, *command = arguments
    report = Report(where)
    try:
        frame = namespace(path, only, report)
    except SyntaxError as error:
        report.tell("syntax", line=error.lineno, column=error.offset, message=error.msg)
        print(f"my_runtime: {path}:{error.lineno}:{error.offset}: {error.msg}", file=sys.stderr)
        return SYNTAX
    status: int = frame["main"](command)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
