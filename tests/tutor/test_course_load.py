"""Loading lessons: every defect is told with file, line and column."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tutor.course.course import Course
from tutor.course.errors import LessonError, UnknownLesson
from tutor.course.find import lessons_folder
from tutor.course.model import EditConfig, Lesson, Quiz
from tutor.course.placeholders import fill
from tutor.messages import LANGUAGES, Messages

if TYPE_CHECKING:
    from pathlib import Path


LOGIC = """\
format: 1
order: 1
minutes: 10
spec: "1.3.0"
lab:
  bundle: box
  container: one
steps:
  - id: look
    kind: observe
    panel: mounts
    requires: created
    checks:
      - id: proc
        mount: {target: /proc}
    hints:
      - {id: first, after: 2}
  - id: ask
    kind: quiz
    choices: [a, b]
    answer: b
"""
TEXT = """\
title: A lesson
summary: About something.
steps:
  look:
    title: Look
    body: 'With {engine}, and "linux": {} stays.'
    checks:
      proc: there is a proc
    hints:
      first: Look again.
  ask:
    title: Ask
    body: Think.
    quiz:
      question: Which?
      choices:
        a: {text: This, feedback: No.}
        b: {text: That, feedback: Yes.}
"""


def _write(tmp_path: Path, logic: str = LOGIC, text: str = TEXT) -> Path:
    folder = tmp_path / "lesson-one"
    folder.mkdir(exist_ok=True)
    (folder / "lesson.yaml").write_text(logic)
    for language in LANGUAGES:
        (folder / f"text.{language}.yaml").write_text(text)
    return tmp_path


def _defect(tmp_path: Path, logic: str = LOGIC, text: str = TEXT) -> LessonError:
    with pytest.raises(LessonError) as caught:
        Course.load("en", _write(tmp_path, logic, text))
    return caught.value


def _where(source: str, words: str) -> tuple[int, int]:
    """Return line and column, from 1, of the only place in a source where these words stand."""
    before, found, after = source.partition(words)
    assert found
    assert words not in after
    return before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


def test_a_lesson_loads(tmp_path: Path) -> None:
    (lesson,) = Course.load("en", _write(tmp_path)).lessons

    assert (lesson.id, lesson.title, lesson.minutes, lesson.spec_version) == (
        "lesson-one",
        "A lesson",
        10,
        "1.3.0",
    )
    look, ask = lesson.steps
    assert (look.kind, look.requires, look.checks[0].kind, look.checks[0].text) == (
        "observe",
        "created",
        "mount",
        "there is a proc",
    )
    assert look.hints[0].after_failures == 2
    assert isinstance(ask.activity, Quiz)
    assert [choice.feedback for choice in ask.activity.choices] == ["No.", "Yes."]


def test_placeholders_are_filled_and_other_braces_stay(tmp_path: Path) -> None:
    (lesson,) = Course.load("en", _write(tmp_path)).lessons

    filled = fill(lesson, {"engine": "crun", "container": "one", "bundle": "/b", "config": "/b/config.json"})

    assert filled.steps[0].body == 'With crun, and "linux": {} stays.'
    assert filled.steps[0].id == "look"


@pytest.mark.parametrize(
    ("old", "new", "at", "key"),
    [
        ("panel: mounts", "pannel: mounts", "pannel", "unknown_key"),
        ("panel: mounts", "panel: moutns", "moutns", "unknown_value"),
        ("kind: observe", "kind: watch", "watch", "unknown_value"),
        ("order: 1", "order: early", "early", "expected.number"),
        ("requires: created", "requires: [created]", "[created]", "expected.text"),
        ("mount: {target", "muont: {target", "muont", "unknown_kind"),
        ("{target: /proc}", "{tarket: /proc}", "tarket", "unknown_key"),
        ("{target: /proc}", "{type: proc}", "{type: proc}", "missing_key"),
        ("mount: {target: /proc}", "json: {pointer: /a}", "{pointer: /a}", "missing_one_of"),
        ("        mount: {target: /proc}\n", "", "id: proc", "one_kind"),
        ("id: ask", "id: look", None, "duplicate_id"),
        ("id: look", "id: gaze", "gaze", "no_text"),
        ("id: ask", "id: Ask!", "Ask!", "identifier"),
        ("    kind: quiz\n", "", "id: ask", "missing_key"),
        ("answer: b", "answer: elsewhere", "elsewhere", "unknown_value"),
        ("after: 2", "after: true", "true", "expected.number"),
        ("container: one", "container: ../up", "../up", "identifier"),
        ("format: 1", "format: 9", "9", "format"),
        ("{id: first, after: 2}", "{id: other, after: 2}", None, "unknown_key"),
        ("    choices: [a, b]\n", "    choices: [a, b\n", None, "syntax"),
        ("steps:", "extra: 1\nsteps:", "extra", "unknown_key"),
        ("mount: {target: /proc}", "json: {pointer: /a, equals: 2026-11-29}", "2026-11-29", "expected.plain"),
        (
            "mount: {target: /proc}",
            "json: {pointer: /a, equals: !!python/name:os.abort x}",
            None,
            "expected.plain",
        ),
        ("mount: {target: /proc}", "json: {pointer: /a, equals: &a [*a]}", None, "syntax"),
    ],
)
def test_a_defect_in_the_logic_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, at: str | None, key: str
) -> None:
    logic = LOGIC.replace(old, new)
    assert logic != LOGIC

    error = _defect(tmp_path, logic)

    assert error.key == f"course.error.{key}"
    assert error.line > 0
    assert error.column > 0
    if at is not None:
        assert error.file == tmp_path / "lesson-one" / "lesson.yaml"
        assert (error.line, error.column) == _where(logic, at)


@pytest.mark.parametrize(
    ("old", "new", "at", "key"),
    [
        ("    title: Look\n", "", "title: Ask", None),
        ("body: Think.", "body: [Think.]", "[Think.]", "expected.sequence"),
        ("  ask:\n", "  gone:\n    title: x\n    body: y\n  ask:\n", "gone", "text_without"),
        ("proc: there is a proc", "porc: there is a proc", "porc", "unknown_key"),
        ("body: Think.", "body: Think {hard}.", "Think {hard}.", "unknown_placeholder"),
        ("body: Think.", "body: Think {trait no-such}.", "Think {trait no-such}.", "unknown_trait"),
        ("feedback: No.", "feedbak: No.", "feedbak", "unknown_key"),
        ("title: A lesson", "title: A lesson\ntitle: Twice", None, "duplicate_key"),
        ("title: A lesson", "title: 12", "12", "expected.text"),
    ],
)
def test_a_defect_in_the_texts_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, at: str, key: str | None
) -> None:
    text = TEXT.replace(old, new)
    assert text != TEXT

    error = _defect(tmp_path, LOGIC, text)

    assert error.file == tmp_path / "lesson-one" / "text.en.yaml"
    assert error.line > 0
    if key is None:
        assert error.key == "course.error.missing_key"
        assert error.values["name"] == "title"
    elif key == "expected.sequence":
        assert error.key == "course.error.expected.text"
        assert (error.line, error.column) == _where(text, at)
    else:
        assert error.key == f"course.error.{key}"
        if at is not None:
            assert (error.line, error.column) == _where(text, at)


def test_a_missing_text_file_is_told(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "lesson-one" / "text.ja.yaml").unlink()

    with pytest.raises(LessonError) as caught:
        Course.load("ja", tmp_path)

    assert caught.value.file.name == "text.ja.yaml"


def test_a_lesson_cannot_name_files_outside_itself(tmp_path: Path) -> None:
    logic = LOGIC.replace("container: one", "container: one\n  files: {note: ../../../../etc/passwd}")

    error = _defect(tmp_path, logic)

    assert error.key == "course.error.outside"


def test_every_error_names_the_place_in_both_languages(tmp_path: Path) -> None:
    error = _defect(tmp_path, LOGIC.replace("panel: mounts", "pannel: mounts"))
    line, column = _where(LOGIC.replace("panel: mounts", "pannel: mounts"), "pannel")

    for language in LANGUAGES:
        title, body, following = error.render(Messages.load(language))
        assert f"{error.file}:{line}:{column}" in body
        assert title
        assert following


def test_no_lessons_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(LessonError) as caught:
        Course.load("ja", tmp_path)

    assert caught.value.key == "course.error.no_lessons_there"


def test_an_unknown_lesson_names_the_near_ones() -> None:
    course = Course.load("ja")

    with pytest.raises(UnknownLesson) as caught:
        course.lesson("first-contianer")

    assert caught.value.near == ("first-container",)
    assert "first-container" in caught.value.render(Messages.load("ja"))[1]
    for typed, likeliest in (("container", "first-container"), ("image", "image-layout"), ("Hook", "hooks")):
        with pytest.raises(UnknownLesson) as caught:
            course.lesson(typed)
        assert caught.value.near[0] == likeliest
        assert len(caught.value.near) < 4


def test_lessons_are_in_the_order_in_which_they_are_taught(tmp_path: Path) -> None:
    _write(tmp_path)
    second = tmp_path / "a-later-one"
    shutil.copytree(tmp_path / "lesson-one", second)
    (second / "lesson.yaml").write_text(LOGIC.replace("order: 1", "order: 2"))

    assert [lesson.id for lesson in Course.load("en", tmp_path).lessons] == ["lesson-one", "a-later-one"]


def _skeleton(lesson: Lesson) -> list[object]:
    """Return everything of a lesson that both languages must have alike, apart from the texts (lint compares their code)."""
    found: list[object] = []
    for step in lesson.steps:
        found.append((step.id, step.kind, step.requires, step.clause, bool(step.summary), len(step.hints)))
        found.append([check.id for check in step.checks])
        found.append(step.activity.solution if isinstance(step.activity, EditConfig) else "")
    return found


def test_both_languages_have_the_same_steps() -> None:
    japanese, english = (Course.load(language).lessons for language in LANGUAGES)

    assert [lesson.id for lesson in japanese] == [lesson.id for lesson in english]
    for left, right in zip(japanese, english, strict=True):
        assert _skeleton(left) == _skeleton(right)


def test_the_lessons_lie_where_they_are_looked_for() -> None:
    assert (lessons_folder() / "first-container" / "lesson.yaml").is_file()
