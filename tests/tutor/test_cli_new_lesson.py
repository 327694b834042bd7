"""`oci-tutor new-lesson`: what it writes loads, lints clean and can be given on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tutor.cli.main import main
from tutor.course.checks import KINDS, read_condition
from tutor.course.course import Course
from tutor.course.find import lessons_folder
from tutor.course.lint.course import lint
from tutor.course.yaml_items import Item
from tutor.messages import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_lesson_loads_and_lints_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-lesson", "first", "--dir", str(tmp_path), "--lang", "en"]) == 0
    assert f"lint {tmp_path / 'first'}" in capsys.readouterr().out
    assert main(["new-lesson", "second-one", "--dir", str(tmp_path)]) == 0

    for language in LANGUAGES:
        lessons = Course.load(language, tmp_path).lessons
        assert [(each.id, each.order, each.lab.container_id) for each in lessons] == [
            ("first", 1, "first"),
            ("second-one", 2, "second-one"),
        ]
    assert lint(tmp_path) == []
    assert (tmp_path / "schema" / "lesson.json").is_file(), "where the scaffold's first line says"


def test_a_new_lesson_goes_to_the_course_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, elsewhere = tmp_path / "course", tmp_path / "elsewhere"
    course.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["--course", str(course), "new-lesson", "first"]) == 0
    assert not list(elsewhere.iterdir())
    assert [each.id for each in Course.load("en", course).lessons] == ["first"]

    assert main(["new-lesson", "second"]) == 0
    assert (elsewhere / "second").is_dir(), "the current directory, where no course is named"
    assert main(["--course", str(course), "new-lesson", "third", "--dir", "."]) == 0
    assert (elsewhere / "third").is_dir(), "--dir is nearer to the command than --course"


def test_a_new_lesson_never_overwrites_and_needs_a_name(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert main(["new-lesson", "there", "--dir", str(tmp_path)]) == 1
    for name in ("Up", "a b", "../up", "-", "schema/x"):
        assert main(["new-lesson", "--dir", str(tmp_path), "--", name]) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


@pytest.mark.root
def test_a_new_lesson_verifies_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path / "home"))
    course = tmp_path / "course"
    assert main(["new-lesson", "first", "--dir", str(course)]) == 0
    assert main(["verify", "--jobs", "1", "--course", str(course), "--trust", "--lang", "en"]) == 0


@pytest.mark.parametrize("name", ["README.ja.md", "README.md"])
def test_the_guide_has_an_example_of_every_kind_of_check_and_all_can_be_read(name: str) -> None:
    guide = lessons_folder() / name
    rows = re.findall(r"^\| `(\w+)` \| `([{\[].*?[}\]])` \|", guide.read_text(encoding="utf-8"), re.MULTILINE)
    examples = [(kind, text.replace("\\|", "|")) for kind, text in rows if kind in KINDS]
    assert {kind for kind, _ in examples} == set(KINDS)
    for kind, text in examples:
        node = yaml.compose(f"{{{kind}: {text}}}", yaml.SafeLoader)
        assert node is not None
        assert read_condition(Item(guide, node)).kind == kind
