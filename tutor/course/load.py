"""From a lesson's files to a `Lesson`: the logic in `lesson.yaml`, joined by ids with the texts of one language.

Everything that does not fit is an error with its file, line and column: a key that means nothing, a value of another
type, a text without its step, a step without its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from tutor.course.checks import KINDS
from tutor.course.model import (
    OPERATIONS,
    REQUIREMENTS,
    Action,
    Check,
    Choice,
    EditConfig,
    Hint,
    LabPlan,
    Lesson,
    Observe,
    Panel,
    Quiz,
    Read,
    Requirement,
    RunOperation,
    Shell,
    Step,
    StepKind,
)
from tutor.course.nodes import Item, parse
from tutor.course.placeholders import check_placeholders
from tutor.engines.model import ENGINE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from tutor.messages import Language

LOGIC = "lesson.yaml"
FORMAT = 1
_COMMON = ("id", "kind", "requires", "clause", "checks", "hints")
# What each kind of step must have, and may have, of its own.
_OWN_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "read": ((), ()),
    "edit-config": (("solution",), ("file",)),
    "run-op": (("operation",), ("arguments", "fails")),
    "observe": (("panel",), ()),
    "quiz": (("choices", "answer"), ("prediction",)),
    "shell": (("suggested",), ("solution",)),
}


def load_lesson(folder: Path, language: Language) -> Lesson:
    """Return the lesson that lies in a folder, in one language.

    Raises:
        LessonError: a file is missing or something in it does not fit.
    """
    logic = parse(folder / LOGIC).mapping(
        ("format", "order", "minutes", "spec", "lab", "steps"), ("engines",)
    )
    if logic["format"].number() != FORMAT:
        raise logic["format"].error("format", found=logic["format"].number(), known=FORMAT)
    texts = parse(folder / f"text.{language}.yaml").mapping(("title", "summary", "steps"))
    engines = logic["engines"].items() if "engines" in logic else []
    return Lesson(
        id=folder.name,
        order=logic["order"].number(),
        minutes=logic["minutes"].number(),
        spec_version=logic["spec"].text(),
        engines=tuple(each.choice(ENGINE_NAMES) for each in engines) or ENGINE_NAMES,
        title=texts["title"].text(),
        summary=texts["summary"].text(),
        steps=_steps(folder, logic["steps"], texts["steps"]),
        lab=_lab(folder, logic["lab"]),
        folder=folder,
    )


def _lab(folder: Path, item: Item) -> LabPlan:
    entries = item.mapping(("bundle", "container"), ("image", "files"))
    files = entries["files"].entries() if "files" in entries else {}
    return LabPlan(
        bundle=entries["bundle"].identifier(),
        container_id=entries["container"].identifier(),
        image=entries["image"].choice(("mini",)) if "image" in entries else "mini",
        files={name: _file(folder / "files", each) for name, each in files.items()},
    )


def _file(folder: Path, item: Item) -> str:
    """Return the text of a file that a lesson names; it must lie in the lesson's own folder."""
    path = folder / item.text()
    if not path.resolve().is_relative_to(folder.resolve()):
        raise item.error("outside", path=item.text())
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise item.error("no_file", path=path, reason=reason) from error


def _steps(folder: Path, item: Item, texts: Item) -> tuple[Step, ...]:
    spoken = texts.entries()
    steps: dict[str, Step] = {}
    for each in item.items():
        own = each.entries()
        name = _id(each, own)
        if name in steps:
            raise own["id"].error("duplicate_id", name=name)
        if name not in spoken:
            raise own["id"].error("no_text", name=name, texts=texts.file)
        steps[name] = _step(folder, each, name, spoken[name])
    if not steps:
        raise item.error("no_steps")
    for name in spoken:
        if name not in steps:
            raise texts.key(name).error("text_without", name=name)
    return tuple(steps.values())


def _id(item: Item, entries: dict[str, Item]) -> str:
    if "id" not in entries:
        raise item.error("missing_key", name="id")
    return entries["id"].identifier()


def _step(folder: Path, item: Item, name: str, text: Item) -> Step:
    kind: StepKind = _kind(item)
    required, optional = _OWN_KEYS[kind]
    logic = item.mapping(("id", "kind", *required), (*_COMMON[2:], *optional))
    checks, hints = logic.get("checks"), logic.get("hints")
    words = text.mapping(
        (
            "title",
            "body",
            *(["checks"] if checks else []),
            *(["hints"] if hints else []),
            *(["quiz"] if kind == "quiz" else []),
        ),
        ("summary",),
    )
    for part in ("title", "body", "summary"):
        if part in words:
            check_placeholders(words[part])
    return Step(
        id=name,
        kind=kind,
        title=words["title"].text(),
        body=words["body"].text(),
        action=_action(folder, kind, logic, words),
        checks=_checks(checks, words["checks"]) if checks else (),
        hints=_hints(hints, words["hints"]) if hints else (),
        summary=words["summary"].text() if "summary" in words else "",
        clause=logic["clause"].text() if "clause" in logic else "",
        requires=_requirement(logic),
    )


def _kind(item: Item) -> StepKind:
    entries = item.entries()
    if "kind" not in entries:
        raise item.error("missing_key", name="kind")
    entries["kind"].choice(_OWN_KEYS)
    return next(kind for kind in get_args(StepKind) if kind == entries["kind"].text())


def _requirement(logic: dict[str, Item]) -> Requirement:
    if "requires" not in logic:
        return "none"
    word = logic["requires"].choice(REQUIREMENTS)
    return next(each for each in REQUIREMENTS if each == word)


def _action(folder: Path, kind: StepKind, logic: dict[str, Item], words: dict[str, Item]) -> Action:
    match kind:
        case "read":
            return Read()
        case "edit-config":
            file = logic["file"].text() if "file" in logic else "config.json"
            return EditConfig(file, _file(folder / "solutions", logic["solution"]))
        case "run-op":
            operation = logic["operation"].choice(OPERATIONS)
            return RunOperation(
                next(each for each in OPERATIONS if each == operation),
                logic["arguments"].texts() if "arguments" in logic else (),
                logic["fails"].boolean() if "fails" in logic else False,
            )
        case "observe":
            panel = logic["panel"].choice(get_args(Panel))
            return Observe(next(each for each in get_args(Panel) if each == panel))
        case "quiz":
            return _quiz(logic, words["quiz"])
        case "shell":
            solution = logic["solution"].texts() if "solution" in logic else ()
            return Shell(logic["suggested"].texts(), solution)


def _quiz(logic: dict[str, Item], words: Item) -> Quiz:
    names = [each.identifier() for each in logic["choices"].items()]
    if logic["answer"].text() not in names:
        raise logic["answer"].error("unknown_value", value=logic["answer"].text(), known=", ".join(names))
    spoken = words.mapping(("question", "choices"))
    choices = spoken["choices"].mapping(names)
    return Quiz(
        question=_spoken(spoken["question"]),
        choices=tuple(
            Choice(name, _spoken(parts["text"]), _spoken(parts["feedback"]))
            for name in names
            for parts in [choices[name].mapping(("text", "feedback"))]
        ),
        answer=logic["answer"].text(),
        prediction=logic["prediction"].boolean() if "prediction" in logic else False,
    )


def _checks(item: Item, words: Item) -> tuple[Check, ...]:
    """Each check is a mapping of its `id` and of one kind with that kind's arguments."""
    found: dict[str, Check] = {}
    pairs = [(each, each.entries()) for each in item.items()]
    spoken = words.mapping([_id(each, entries) for each, entries in pairs])
    for each, entries in pairs:
        name = _id(each, entries)
        if name in found:
            raise entries["id"].error("duplicate_id", name=name)
        kinds = [key for key in entries if key != "id"]
        for key in kinds:
            if key not in KINDS:
                raise each.key(key).error("unknown_kind", name=key, known=", ".join(KINDS))
        if len(kinds) != 1:
            raise each.error("one_kind", known=", ".join(KINDS))
        arguments: dict[str, Any] = KINDS[kinds[0]].read(entries[kinds[0]])
        found[name] = Check(name, kinds[0], arguments, _spoken(spoken[name]))
    return tuple(found.values())


def _hints(item: Item, words: Item) -> tuple[Hint, ...]:
    entries = [each.mapping(("id",), ("after",)) for each in item.items()]
    names = [each["id"].identifier() for each in entries]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise entries[number]["id"].error("duplicate_id", name=name)
    spoken = words.mapping(names)
    return tuple(
        Hint(_spoken(spoken[name]), each["after"].number() if "after" in each else 0, name)
        for name, each in zip(names, entries, strict=True)
    )


def _spoken(item: Item) -> str:
    check_placeholders(item)
    return item.text()


def lesson_folders(root: Path) -> Iterable[Path]:
    """Return the folders below `root` that hold a lesson."""
    return sorted(each.parent for each in root.glob(f"*/{LOGIC}"))
