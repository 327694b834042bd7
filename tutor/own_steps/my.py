"""What `my` says, for the command line, the REPL and the TUI alike: lines of text in the learner's language.

What an exercise was passed with is remembered by the text of its functions: a change of them is seen, and judged anew.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
from typing import TYPE_CHECKING, Literal

from tutor import files
from tutor.errors import TutorError
from tutor.own_steps import parts, source
from tutor.own_steps.assemble import exported
from tutor.own_steps.exercises import EXERCISES, Exercise, exercise
from tutor.own_steps.judge import judge
from tutor.own_steps.learner_file import LearnerFile
from tutor.text.cells import cell_width
from tutor.text.diff import difference
from tutor.text.glyphs import BEGUN, FAILED, NOT_BEGUN, PASSED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.home import Home
    from tutor.messages import Messages
    from tutor.own_steps.judge import Judgement

Standing = Literal["passed", "changed", "written", "missing"]
_GLYPHS: dict[Standing, str] = {"passed": PASSED, "changed": BEGUN, "written": BEGUN, "missing": NOT_BEGUN}


def find(name: str) -> Exercise:
    """Return an exercise by its id, or by one of its functions.

    Raises:
        TutorError: `own.error.no_exercise`.
    """
    try:
        return exercise(name)
    except KeyError:
        known = ", ".join(each.id for each in EXERCISES)
        raise TutorError("own.error.no_exercise", name=name, known=known) from None


def standing(text: str, chosen: Exercise, home: Home) -> Standing:
    """Tell where the learner stands with an exercise: `written` was never passed, `changed` was passed with another text.

    Raises:
        SourceError: the file is not Python.
    """
    if source.missing(text, chosen.functions):
        return "missing"
    passed = _passed(home).get(chosen.id)
    if passed is None:
        return "written"
    return "passed" if passed == _digest(text, chosen) else "changed"


def next_exercise(text: str, home: Home) -> Exercise | None:
    """Return the first exercise that has not been passed, None after the last one. Raises SourceError."""
    return next((each for each in EXERCISES if standing(text, each, home) != "passed"), None)


def status(home: Home, messages: Messages) -> Iterator[str]:
    """Yield the exercises, their functions, and where the learner stands with each. Raises SourceError."""
    path = source.file_of(home)
    text = LearnerFile(path).read()
    width = max(cell_width(each.id) for each in EXERCISES)
    yield messages("own.my.file", path=path)
    for each in EXERCISES:
        found = standing(text, each, home)
        words = messages(f"own.my.standing.{found}")
        yield f"  {_GLYPHS[found]} {each.id:<{width}}  {', '.join(each.functions)}  {words}"
    coming = next_exercise(text, home)
    yield messages("own.my.next", exercise=coming.id) if coming else messages("own.my.complete")


def run(home: Home, name: str, messages: Messages) -> tuple[Judgement, list[str]]:
    """Judge an exercise, the next one for an empty name; return the judgement, and what to show of it.

    The skeletons of its functions are put into the file if they are not there.

    Raises:
        TutorError: `own.error. ...`, `own.sandbox. ...`; the file can't be read or written.
    """
    file = LearnerFile(source.file_of(home))
    chosen = find(name) if name else (next_exercise(file.read(), home) or EXERCISES[-1])
    began = file.begin(chosen.functions)
    text = file.read()
    found = judge(chosen.id, text, messages=messages, home=home)
    if found.passed:
        remember(home, text, chosen)
    head = (
        [messages("own.my.began", path=file.edited_path, functions=", ".join(chosen.functions))]
        if began
        else []
    )
    return found, [*head, *_shown(found, chosen, messages)]


def _shown(found: Judgement, chosen: Exercise, messages: Messages) -> Iterator[str]:
    names = ", ".join(chosen.functions)
    if found.passed:
        yield f"{PASSED} {messages('own.my.passed', exercise=chosen.id, functions=names)}"
        yield messages("own.my.see_diff", exercise=chosen.id)
        return
    yield f"{FAILED} {messages('own.my.failed', exercise=chosen.id, functions=names)}"
    if found.missing:
        yield f"  {messages('own.my.missing', functions=', '.join(found.missing))}"
    if found.mishap is not None:
        yield f"  {found.mishap.explanation}"
        if found.mishap.line:
            yield f"    {source.FILE}:{found.mishap.line}: {found.mishap.source_line.strip()}"
        if found.mishap.error and not found.mishap.call:
            yield f"    {found.mishap.error}: {found.mishap.message}"
        if found.mishap.call:
            failed = f"{found.mishap.call}({', '.join(found.mishap.arguments)})"
            yield f"    {failed}: {found.mishap.errno}"
    for each in found.differences:
        yield f"  {FAILED} {each.looked_at}"
        yield f"      {messages('own.my.expected', text=each.expected)}"
        yield f"      {messages('own.my.found', text=each.found)}"
        yield f"      {messages('own.my.clause', clause=each.clause)}"
        if each.command:
            yield f"      {messages('own.my.by_hand', command=each.command)}"


def diff(home: Home, name: str, second: str, messages: Messages) -> Iterator[str]:
    """Yield the learner's functions beside ours, line by line, and a second way (a text; empty for none) that is accepted, too.

    Raises:
        TutorError: `own.error.not_passed`: ours would give the exercise away; `own.error.no_exercise`.
    """
    chosen = find(name)
    text = LearnerFile(source.file_of(home)).read()
    if standing(text, chosen, home) != "passed":
        raise TutorError("own.error.not_passed", exercise=chosen.id)
    mine = _definitions(text, chosen.functions)
    ours = _definitions(source.reference_definition(chosen.functions), chosen.functions)
    yield messages("own.my.beside_ours")
    for line in difference(mine, ours):
        yield f"{line.mark} {line.text}".rstrip()
    if mine == ours:
        yield messages("own.my.same")
    if second:
        yield ""
        yield messages("own.my.second_way")
        yield from (f"  {line}".rstrip() for line in second.splitlines())


def reset(home: Home, name: str, messages: Messages) -> str:
    """Put the skeletons of an exercise back; return what to say, with the place of the copy of what was written.

    Raises:
        TutorError: `own.error. ...`.
    """
    chosen = find(name)
    kept = LearnerFile(source.file_of(home)).reset(chosen.functions)
    names = ", ".join(chosen.functions)
    return (
        messages("own.my.reset_kept", functions=names, path=kept)
        if kept
        else messages("own.my.reset", functions=names)
    )


def export(home: Home, target: Path | None, messages: Messages) -> str:
    """Write the learner's runtime as one executable script, by default beside their file; return what to say of it.

    Raises:
        TutorError: `own.error.exists`, another file is there; `own.error.unwritable`; the learner's file can't be read.
    """
    file = source.file_of(home)
    target = target or file.with_name(file.stem)
    text = LearnerFile(file).read()
    script = exported(text, messages)
    missing = source.missing(text)
    if os.path.lexists(target) and not _is_exported(target, messages):
        raise TutorError("own.error.exists", path=target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.replace(target, script.encode(), mode=0o755)
        target.chmod(0o755)
    except OSError as error:
        raise TutorError("own.error.unwritable", path=target, reason=error.strerror) from error
    said = messages("own.my.exported", path=target, lines=len(script.splitlines()))
    return (
        f"{said}\n{messages('own.my.exported_with_ours', functions=', '.join(missing))}" if missing else said
    )


def _is_exported(path: Path, messages: Messages) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return messages("own.script") in file.read(4096)
    except (OSError, UnicodeDecodeError):
        return False


def _definitions(text: str, names: tuple[str, ...]) -> str:
    """Return the text of functions, and of what they use that is defined beside them."""
    tree, lines = source.parsed(text), text.splitlines()
    blocks = [
        "\n".join(lines[source.first_line(node) - 1 : source.last_line(node)])
        for node in source.needed_statements(tree, set(names))
        if not isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return "\n\n\n".join(blocks) + "\n"


def _digest(text: str, chosen: Exercise) -> str:
    """Return a digest of an exercise's functions and of everything in the file that is no exercise's: helpers and constants."""
    others = {name for each in EXERCISES if each is not chosen for name in each.functions}
    kept = [
        each for each in parts.runnable(source.parsed(text)).body if not parts.defined_names(each) & others
    ]
    return hashlib.sha256(ast.dump(ast.Module(kept, [])).encode()).hexdigest()


def _record(home: Home) -> Path:
    return home.state / "own-steps.json"


def _passed(home: Home) -> dict[str, str]:
    try:
        found = json.loads(_record(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in found.items()} if isinstance(found, dict) else {}


def remember(home: Home, text: str, chosen: Exercise) -> None:
    """Remember that an exercise was passed with what the file has.

    Raises:
        TutorError: `own.error.unwritable`.
    """
    path = _record(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, json.dumps({**_passed(home), chosen.id: _digest(text, chosen)}).encode())
    except OSError as error:
        raise TutorError("own.error.unwritable", path=path, reason=error.strerror) from error
