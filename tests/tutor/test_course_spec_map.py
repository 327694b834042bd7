"""The map of the specification: counted, shown by checks that exist, printed with the learner's own progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tutor.cli.main import main
from tutor.cli.new_lesson import new_lesson
from tutor.course.find import lessons_folder
from tutor.course.lint.course import lint
from tutor.course.progress import LessonProgress, Progress
from tutor.course.specmap import SpecMap
from tutor.home import Home
from tutor.messages import LANGUAGES, Language, Messages
from tutor.text import cell_width

if TYPE_CHECKING:
    from pathlib import Path

MAP = """\
spec: "1.3.0"
documents:
  runtime.md: {words: 5, elsewhere: 1, notation: 1}
rules:
  - id: create
    clause: runtime.md#create
    musts: 2
    ja: create
    en: create makes one
    shown:
      - {lesson: one, step: create, check: created}
  - id: delete
    clause: runtime.md#delete
    musts: 1
    ja: delete
    en: delete undoes it
"""


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    return Home.default()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    new_lesson(tmp_path / "course", "one", Messages("ja"))
    (tmp_path / "course" / "spec-map.yaml").write_text(MAP)
    return tmp_path / "course"


def _our_map(language: Language) -> SpecMap:
    found = SpecMap.load(lessons_folder(), language)
    assert found is not None
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_map_is_printed_whole_and_fits_80_columns(
    own_home: Home, capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    assert main(["lessons", "--spec-map", "--lang", language]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if cell_width(line) > 80]
    rules = _our_map(language).rules
    assert sum(line[:4] in ("  ✓ ", "  ○ ", "  – ") for line in lines) == len(rules) > 140


def test_every_must_of_the_documents_is_in_a_rule() -> None:
    """The numbers were counted in the specification at v1.3.0 (`spec-map.yaml` says how); lint adds them up."""
    words = {each.name.text(): each.words for each in _our_map("ja").documents}
    assert words == {
        "spec.md": 11,
        "bundle.md": 4,
        "runtime.md": 56,
        "runtime-linux.md": 1,
        "config.md": 149,
        "config-linux.md": 101,
        "features.md": 10,
        "features-linux.md": 10,
        "glossary.md": 2,
    }


def test_what_a_learner_has_passed_counts_and_what_was_only_read_does_not(
    own_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = next(each for each in _our_map("en").rules if each.shown)
    shown = rule.shown[0]

    def seen() -> bool:
        assert main(["lessons", "--spec-map", "--lang", "en"]) == 0
        return f"✓ {rule.text[:40]}" in capsys.readouterr().out

    progress = Progress(own_home.records)
    assert not seen()
    progress.save(shown.lesson, LessonProgress(passed=(shown.step,), read=(shown.step,)))
    assert not seen()
    progress.save(shown.lesson, LessonProgress(passed=(shown.step,)))
    assert seen()
    assert main(["lessons", "--lang", "en"]) == 0
    assert "you have seen" in capsys.readouterr().out


def test_a_course_without_a_map_says_so(
    course: Path, own_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "spec-map.yaml").unlink()
    assert main(["lessons", "--course", str(course), "--lang", "en"]) == 0
    assert "specification" not in capsys.readouterr().out
    assert main(["lessons", "--spec-map", "--course", str(course)]) == 1


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("step: create", "step: craete", "lint.not_shown"),
        ("check: created", "check: crated", "lint.not_shown"),
        (", check: created", "", "lint.not_shown"),
        ("runtime.md#delete", "runtime.md#undo", "lint.no_anchor"),
        ("words: 5", "words: 6", "lint.does_not_add_up"),
        ("musts: 2", "must: 2", "course.error.unknown_key"),
        ("id: delete", "id: create", "course.error.duplicate_id"),
    ],
)
def test_lint_finds_what_is_wrong_in_a_map(course: Path, old: str, new: str, key: str) -> None:
    assert lint(course) == []
    (course / "spec-map.yaml").write_text(MAP.replace(old, new))
    (finding,) = lint(course)
    assert (finding.key, finding.file.name) == (key, "spec-map.yaml")
    assert finding.line > 0


def test_lint_finds_rules_that_a_lesson_names_and_the_map_has_not(course: Path) -> None:
    lesson = course / "one" / "lesson.yaml"
    lesson.write_text(
        lesson.read_text().replace(
            "    operation: create\n", "    operation: create\n    shows: [create, made]\n"
        )
    )
    (finding,) = lint(course)
    assert (finding.key, finding.values["name"]) == ("lint.no_rule", "made")
