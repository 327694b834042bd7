"""Load a lesson: join the logic in `lesson.yaml` by ids with the texts of one language.

Every defect is an error with its file, line and column: an unknown key, a value of another type, a text without its step, a
step without its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from tutor.course.find import LOGIC
from tutor.course.lesson_files import file_name, file_text
from tutor.course.model import (
    ABILITIES,
    REQUIREMENTS,
    Directory,
    LabPlan,
    Lesson,
    Provided,
    Step,
    StepKind,
)
from tutor.course.placeholders import check_placeholders, shown_text
from tutor.course.read_activity import OWN_KEYS, read_activity
from tutor.course.read_checks import identifier, read_checks, read_dead_ends, read_hints, read_wrong_answers
from tutor.course.yaml_items import Item, parse
from tutor.engines.model import ENGINE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.messages import Language

W = TypeVar("W", bound=str)

FORMAT = 1
IMAGES: tuple[Literal["alpine", "mini", "none"], ...] = ("alpine", "mini", "none")
DAEMONS = ("docker",)
COMMON_KEYS = (
    "clause",
    "shows",
    "requires",
    "begins",
    "setup",
    "replay",
    "needs",
    "checks",
    "hints",
    "wrong",
    "fail_if",
)


def load_lesson(folder: Path, language: Language, read: Callable[[Path], Item] = parse) -> Lesson:
    """Return the lesson of a folder in one language; `read` returns the root of a file.

    Raises:
        LessonError: a file is missing or defective.
    """
    logic = read(folder / LOGIC).mapping(
        ("format", "order", "minutes", "spec", "lab", "steps"), ("engines", "needs")
    )
    if logic["format"].number() != FORMAT:
        raise logic["format"].error("format", found=logic["format"].number(), known=FORMAT)
    texts = read(folder / f"text.{language}.yaml").mapping(("title", "summary", "steps"))
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
        needs=logic["needs"].texts() if "needs" in logic else (),
    )


def _lab(folder: Path, item: Item) -> LabPlan:
    entries = item.mapping(
        ("bundle", "container"), ("image", "files", "directory", "config", "provides", "daemon")
    )
    files = entries["files"].entries() if "files" in entries else {}
    if "daemon" in entries:
        entries["daemon"].choice(DAEMONS)
    provides = entries["provides"].items() if "provides" in entries else []
    return LabPlan(
        bundle=entries["bundle"].identifier(),
        container_id=entries["container"].identifier(),
        image=_word(entries["image"], IMAGES) if "image" in entries else "mini",
        files={
            file_name(entries["files"].key(name)): file_text(folder / "files", each)
            for name, each in files.items()
        },
        directory=_word(entries["directory"], get_args(Directory)) if "directory" in entries else "bundle",
        config=file_text(folder / "solutions", entries["config"]).content if "config" in entries else None,
        provides=tuple(_word(each, get_args(Provided)) for each in provides),
        daemon="daemon" in entries,
    )


def _word(item: Item, known: tuple[W, ...]) -> W:
    word = item.choice(known)
    return next(each for each in known if each == word)


def _steps(folder: Path, item: Item, texts: Item) -> tuple[Step, ...]:
    step_texts = texts.entries()
    steps: dict[str, Step] = {}
    for each in item.items():
        own = each.entries()
        name = identifier(each, own)
        if name in steps:
            raise own["id"].error("duplicate_id", name=name)
        if name not in step_texts:
            raise own["id"].error("no_text", name=name, texts=texts.file)
        steps[name] = _step(folder, each, name, step_texts[name])
    if not steps:
        raise item.error("no_steps")
    for name in step_texts:
        if name not in steps:
            raise texts.key(name).error("text_without", name=name)
    return tuple(steps.values())


def _step(folder: Path, item: Item, name: str, text: Item) -> Step:
    kind = _kind(item)
    required, optional = OWN_KEYS[kind]
    logic = item.mapping(("id", "kind", *required), (*COMMON_KEYS, *optional))
    shown_parts = [part for part in ("checks", "hints", "fail_if") if part in logic]
    words = text.mapping(("title", "body", *shown_parts, *(["quiz"] if kind == "quiz" else [])), ("summary",))
    for part in ("setup", "suggested"):
        if part in logic:
            check_placeholders(logic[part])
    hints = read_hints(logic["hints"], words["hints"]) if "hints" in logic else ()
    return Step(
        id=name,
        kind=kind,
        title=shown_text(words["title"]),
        body=shown_text(words["body"]),
        activity=read_activity(folder, kind, logic, words),
        checks=read_checks(logic["checks"], words["checks"]) if "checks" in logic else (),
        hints=hints,
        summary=shown_text(words["summary"]) if "summary" in words else "",
        clause=logic["clause"].text() if "clause" in logic else "",
        requires=_word(logic["requires"], REQUIREMENTS) if "requires" in logic else "none",
        shows=logic["shows"].texts() if "shows" in logic else (),
        begins=file_text(folder / "solutions", logic["begins"]).content if "begins" in logic else None,
        setup=logic["setup"].texts() if "setup" in logic else (),
        replay=logic["replay"].boolean() if "replay" in logic else False,
        needs=tuple(_word(each, ABILITIES) for each in logic["needs"].items()) if "needs" in logic else (),
        wrong=read_wrong_answers(folder, logic["wrong"], hints, quiz=kind == "quiz")
        if "wrong" in logic
        else (),
        dead_ends=read_dead_ends(folder, logic["fail_if"], words["fail_if"]) if "fail_if" in logic else (),
    )


def _kind(item: Item) -> StepKind:
    entries = item.entries()
    if "kind" not in entries:
        raise item.error("missing_key", name="kind")
    return _word(entries["kind"], get_args(StepKind))
