"""What a course would execute on this machine, found in its loaded lessons: shown to the user before it is opened.

Shell lines, operations with arguments of their own, the programs and hooks of its configurations, and its scripts.
Texts are left out: the learner decides whether to type what they suggest.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal

from tutor.course.model import (
    Check,
    Condition,
    Define,
    EditConfig,
    LabFile,
    Operate,
    Quiz,
    Run,
    RunOperation,
    Shell,
    Step,
    Write,
)
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.course.course import Course
    from tutor.course.model import LabPlan

_HARMLESS = frozenset(
    {"kill", "delete"}
)  # their arguments, a signal and --force, reach only the lesson's container


@dataclass(frozen=True, slots=True)
class Executed:
    """One thing that is executed: its step (empty: when the lesson is opened), its kind and its text.

    `shell` is a line for `sh -c` in the lab; `operation` the arguments of an engine's operation; `program` and `hook` are
    command lines in a `config.json`; `config` is a configuration that could not be read, as a whole; `script` is a file's
    content, after its name in the first line.
    """

    lesson: str
    step: str
    kind: Literal["shell", "operation", "program", "hook", "config", "script"]
    text: str


def executed_by(course: Course) -> list[Executed]:
    """Return what the lessons of a course would execute, in their order, each thing once for each step."""
    found: dict[Executed, None] = {}
    for lesson in course.lessons:
        for each in _of_lab(lesson.id, lesson.lab):
            found[each] = None
        for step in lesson.steps:
            for each in _of(step, lesson.id, step.id):
                found[each] = None
    return list(found)


def _of_lab(lesson: str, plan: LabPlan) -> Iterator[Executed]:
    for name, file in plan.files.items():
        yield from _file(lesson, "", name, file)
    if plan.config is not None:
        yield from _config(lesson, "", plan.config)
    if plan.daemon:
        yield Executed(lesson, "", "operation", "dockerd")


def _of(value: object, lesson: str, step: str) -> Iterator[Executed]:
    """Find what is executed in a value of the model and in its parts."""
    match value:
        case Run(line=line) | Quiz(command=line) if line:
            yield Executed(lesson, step, "shell", line)
        case Shell(solution=lines) | Step(setup=lines):
            yield from (Executed(lesson, step, "shell", line) for line in lines)
        case Condition(kind="command", arguments=arguments) | Check(kind="command", arguments=arguments):
            yield Executed(lesson, step, "shell", str(arguments["run"]))
        case (
            Operate(operation=operation, arguments=words) | RunOperation(operation=operation, arguments=words)
        ):
            if words and operation not in _HARMLESS:
                yield Executed(lesson, step, "operation", " ".join((operation, *words)))
        case EditConfig(file=name, solution=text):
            yield from _file(lesson, step, name, LabFile(text))
        case Define(functions=text) if text:
            yield Executed(lesson, step, "script", f"my_runtime.py\n{text}")
        case Write(file=name, content=text, executable=executable):
            yield from _file(lesson, step, name, LabFile(text, executable))
    if isinstance(value, Step) and value.begins is not None:
        yield from _config(lesson, step, value.begins)
    yield from (found for part in _parts(value) for found in _of(part, lesson, step))


def _parts(value: object) -> Iterator[object]:
    if is_dataclass(value):
        yield from (getattr(value, each.name) for each in fields(value))
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, tuple | list):
        yield from value


def _file(lesson: str, step: str, name: str, file: LabFile) -> Iterator[Executed]:
    if name.rpartition("/")[2] == "config.json":
        yield from _config(lesson, step, file.content)
    elif file.executable or file.content.startswith("#!"):
        yield Executed(lesson, step, "script", f"{name}\n{file.content}")


def _config(lesson: str, step: str, text: str) -> Iterator[Executed]:
    """Find the program and the hooks in a `config.json`, as any runtime would read it.

    runc takes names in any case, the last of several equal ones, and a document with garbage after it; crun takes comments.
    So all members are examined, and a text that Python cannot parse is shown as a whole.
    """
    try:
        document, _ = json.JSONDecoder(object_pairs_hook=_Pairs).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        yield Executed(lesson, step, "config", text)
        return
    for process in _members(document, "process"):
        for name in ("args", "commandline"):
            yield from (Executed(lesson, step, "program", _typed(each)) for each in _members(process, name))
    for hooks in _members(document, "hooks"):
        for kind, hook in _each_hook(hooks):
            paths = [_typed(each) for each in _members(hook, "path")]
            words = [_typed(each) for each in _members(hook, "args")]
            yield Executed(lesson, step, "hook", " ".join([f"{kind}:", *paths, *words]))


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, including those with the same name."""


def _members(value: object, name: str) -> list[Any]:
    return [each for key, each in value if key.casefold() == name] if isinstance(value, _Pairs) else []


def _each_hook(hooks: object) -> Iterator[tuple[str, Any]]:
    if isinstance(hooks, _Pairs):
        for kind, listed in hooks:
            members = listed if isinstance(listed, list) and not isinstance(listed, _Pairs) else [listed]
            yield from ((kind, each) for each in members)


def _typed(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
