"""The cache of what was read from YAML: it is used while nothing has changed, and never believed when it is not this user's."""

from __future__ import annotations

import os
import pickle
import time
from typing import TYPE_CHECKING

import pytest

from tutor import parsed
from tutor.course import course
from tutor.course.course import Course

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LATER = 10 * 10**9  # nanoseconds


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[str, bool]]:
    """Return a function that reads `source` by the cache, at a time when it has settled; it tells whether it was read anew."""
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path / "home"))
    source = tmp_path / "source"
    source.write_text("first")
    monkeypatch.setattr(time, "time_ns", lambda now=time.time_ns: now() + LATER)

    def kept() -> tuple[str, bool]:
        anew = []

        def make() -> str:
            anew.append(True)
            return source.read_text()

        return parsed.kept("name", lambda: [str(source)], make), bool(anew)

    return kept


def test_what_was_read_once_is_taken_from_the_cache_until_the_source_changes(
    read: Callable[[], tuple[str, bool]], tmp_path: Path
) -> None:
    assert [read(), read()] == [("first", True), ("first", False)]
    (tmp_path / "source").write_text("other")  # as long as the first
    assert [read(), read()] == [("other", True), ("other", False)]


def test_a_source_that_has_just_changed_is_not_kept(
    read: Callable[[], tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the time is the real one again
    assert [read(), read()] == [("first", True), ("first", True)]


class Runs:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("how", ["cut off", "of another user", "writable by others", "a link", "a program"])
def test_a_file_of_the_cache_that_is_not_as_it_was_written_is_not_believed(
    how: str, read: Callable[[], tuple[str, bool]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    (file,) = (tmp_path / "home/cache/parsed").iterdir()
    match how:
        case "cut off":
            file.write_bytes(file.read_bytes()[:-4])
        case "of another user":
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
        case "writable by others":
            file.chmod(0o666)
        case "a link":
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
        case _:
            monkeypatch.chdir(tmp_path)
            file.write_bytes(pickle.dumps(parsed.facts([str(tmp_path / "source")])) + pickle.dumps(Runs()))
    assert read() == ("first", True)
    assert not (tmp_path / "ran").exists()


def test_without_a_home_that_can_be_written_to_the_source_is_read_each_time(
    read: Callable[[], tuple[str, bool]], tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("no folder")
    assert [read(), read()] == [("first", True), ("first", True)]


def test_the_course_from_the_cache_is_the_course_and_no_yaml_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path))
    monkeypatch.setattr(time, "time_ns", lambda now=time.time_ns: now() + LATER)
    first = Course.load("en")
    monkeypatch.setattr(course, "_read", lambda *_: pytest.fail("it was read again"))
    assert Course.load("en") == first
