"""Two installed courses: lessons of both are found by their names, and share labs and progress; the second is read when it is needed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.tui import screen_text, settled
from tutor.cli.main import main
from tutor.course import course as courses
from tutor.course import find
from tutor.course.course import Course
from tutor.course.errors import UnknownLesson
from tutor.course.lint.course import lint
from tutor.course.other_courses import course_key
from tutor.course.progress import LessonProgress, Progress
from tutor.home import Home
from tutor.messages import Messages
from tutor.session.lesson_folder import LessonFolder
from tutor.tui.app import TutorApp
from tutor.view.course_view import recommended, recommended_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.course.model import Lesson
    from tutor.messages import Language

OWN = "build-your-own"


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation whose first course has two lessons, and whose second has one."""
    package = tmp_path / "package"
    for source, copy in (("first-container", "one"), ("hooks", "two"), ("mounts", f"{OWN}/three")):
        shutil.copytree(find.lessons_folder() / source, package / "lessons" / copy)
    monkeypatch.setattr(find, "_PACKAGE", package)
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path / "home"))
    courses._further.cache_clear()
    yield package / "lessons"
    courses._further.cache_clear()


def test_lessons_of_both_are_found_by_name_and_the_second_is_read_when_needed(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    really = courses._read

    def reading(folder: Path, language: Language, none: str) -> tuple[Lesson, ...]:
        read.append(folder.name)
        return really(folder, language, none)

    monkeypatch.setattr(courses, "_read", reading)
    course = Course.load("en")
    assert course.lesson("two").course == ""
    assert recommended(course, {}).id == "one"
    assert recommended(course, {"two": LessonProgress(step_id="x")}).id == "two"
    assert read == ["lessons"], "what the first course has needs no more"
    assert course.lesson("three").course == OWN
    assert read == ["lessons", OWN]
    with pytest.raises(UnknownLesson) as unknown:
        course.lesson("thre")
    assert unknown.value.near[0] == "three"


def test_the_lesson_to_go_on_with_is_that_of_either_course(two: Path) -> None:
    course = Course.load("en")
    first, second = course.every
    finished = {each.id: LessonProgress(finished=True) for each in first.lessons}
    assert recommended(course, {"three": LessonProgress(step_id="x")}).id == "three"
    assert recommended(course, finished).id == "three"
    assert recommended_in(first, finished) is None
    assert recommended_in(second, finished) == second.lessons[0]
    assert recommended(course, finished | {"three": LessonProgress(finished=True)}).id == "one"


def test_the_second_course_is_installed_too_and_asks_for_no_consent(two: Path, tmp_path: Path) -> None:
    assert course_key(two / OWN) == ""
    lesson = Course.load("en").lesson("three")
    home = Home(tmp_path / "labs", tmp_path / "state", tmp_path / "cache")
    assert LessonFolder(lesson, home).work == tmp_path / "labs" / OWN / "three"


def test_the_list_shows_both_under_their_titles(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons", "--lang", "en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = [line.partition(": ")[2] for line in lines if line.startswith("Lessons: ")]
    assert titles == [Messages.load("en")(f"view.course.{name}") for name in ("first", OWN)]
    assert any(line.split()[:1] == ["three"] for line in lines[lines.index(f"Lessons: {titles[1]}") :])


def test_lint_looks_at_both_and_refuses_a_name_in_both(two: Path) -> None:
    assert not [each for each in lint(two) if each.key == "lint.id_taken"]
    (two / OWN / "three").rename(two / OWN / "two")
    found = [each for each in lint(two) if each.key == "lint.id_taken"]
    assert [each.values["lesson"] for each in found] == ["two"]


async def test_the_first_screen_shows_both_and_says_what_is_out_of_sight(two: Path, tmp_path: Path) -> None:
    for number in range(14):
        shutil.copytree(two / "two", two / f"two{number}")
    home = Home(tmp_path, tmp_path, tmp_path)
    Progress(home.records).save("one", LessonProgress(finished=True))
    m = Messages.load("en")
    below = m("tui.home.course_below", title=m(f"view.course.{OWN}"))
    app = TutorApp(Course.load("en"), "runt", m, home=home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: below in screen_text(app))
        lines = screen_text(app).splitlines()
        assert any(m("view.course.first") in line for line in lines[:3])
        await pilot.press("up", "up")
        await settled(pilot, lambda: below not in screen_text(app))
        shown = screen_text(app)
        assert shown.index(m(f"view.course.{OWN}")) < shown.index(Course.load("en").lesson("three").title)
        assert m("tui.home.done", done=1, count=17) in shown
