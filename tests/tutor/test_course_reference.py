"""The glossary and the clauses: every clause that a lesson names can be read here, and terms are found by any of their words."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tutor.cli.main import main
from tutor.course.clauses import Clauses
from tutor.course.course import Course
from tutor.course.find import lessons_folder
from tutor.course.glossary import Glossary
from tutor.course.lint.course import lint
from tutor.errors import TutorError
from tutor.messages import LANGUAGES, Messages
from tutor.view.reference import clause_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.messages import Language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_clause_that_a_lesson_names_can_be_read(language: Language) -> None:
    clauses = Clauses.load(lessons_folder(), language)
    named = {step.clause for lesson in Course.load(language).lessons for step in lesson.steps if step.clause}
    assert len(named) > 50
    for name in named:
        shown = clause_markdown(clauses.find(name), Messages.load(language))
        assert clauses.find(name).text in shown
        document = name.removeprefix("image-spec/")
        specification = "image-spec/blob/v1.1.1" if document != name else "runtime-spec/blob/v1.3.0"
        assert f"<https://github.com/opencontainers/{specification}/{document}>" in shown
    start = clause_markdown(clauses.find("runtime.md#start"), Messages.load(language))
    assert start.count("\n- ") >= 3, "the rules of the map"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_clause_is_found_by_its_heading_and_an_unknown_one_names_similar_ones(language: Language) -> None:
    clauses = Clauses.load(lessons_folder(), language)
    assert clauses.find("masked-paths").name == "config-linux.md#masked-paths"
    with pytest.raises(TutorError) as raised:
        clauses.find("config.md#mount")
    assert "config.md#mounts" in "".join(raised.value.render(Messages.load(language)))


@pytest.mark.parametrize("word", ["bundle", "Filesystem bundle", "FILESYSTEM  bundle"])
def test_a_term_is_found_by_each_of_its_words(word: str) -> None:
    assert Glossary.load(lessons_folder(), "ja").find(word).id == "bundle"


def test_words_of_both_languages_find_a_term_and_an_unknown_one_names_similar_ones() -> None:
    english = Glossary.load(lessons_folder(), "en")
    assert english.find("名前空間").word == "namespace"
    with pytest.raises(TutorError) as raised:
        english.find("namespcae")
    assert "namespace" in raised.value.render(Messages.load("en"))[1]


def test_terms_of_a_step_are_found_as_whole_words() -> None:
    here, others = Glossary.load(lessons_folder(), "en").first_those_in(
        "Two hooks run; a shimmer is no term."
    )
    assert [term.id for term in here] == ["hook"]
    assert "shim" in {term.id for term in others}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_prints_a_term_with_the_lesson_that_teaches_it(
    capsys: pytest.CaptureFixture[str], language: Language
) -> None:
    assert main(["glossary", "whiteout", "--lang", language]) == 0
    assert Course.load(language).lesson("bundle").title in capsys.readouterr().out
    assert main(["glossary", "--lang", language]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 40
    assert main(["glossary", "no-such-thing", "--lang", language]) == 1
    assert "no-such-thing" in capsys.readouterr().err


def test_lint_tells_a_clause_that_is_not_there_and_a_term_without_its_lesson(tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(lessons_folder(), course)
    for name, old, new in (
        ("clauses.yaml", "clause: runtime.md#start\n", "clause: runtime.md#star\n"),
        ("glossary.yaml", "lesson: hooks\n", "lesson: hocks\n"),
    ):
        file = course / name
        file.write_text(file.read_text().replace(old, new))
    found = {(each.file.name, each.key) for each in lint(course)}
    assert found == {
        ("clauses.yaml", "lint.no_anchor"),
        ("lesson.yaml", "lint.no_clause"),
        ("glossary.yaml", "lint.no_lesson"),
    }
