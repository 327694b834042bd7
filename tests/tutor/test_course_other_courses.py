"""Another course by `--course`: consent to what it executes, files only inside its folder, and separate records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.pseudo_terminal import PseudoTerminal
from tutor.cli.open_course import _visible
from tutor.course.course import Course
from tutor.course.errors import LessonError
from tutor.course.executes import Executed, executed_by
from tutor.course.find import lessons_folder
from tutor.course.model import Check, Condition, DeadEnd, Hint, Quiz, Task, Wait
from tutor.course.other_courses import content_digest, course_key
from tutor.course.progress import LessonProgress, Progress
from tutor.home import Home

LOGIC = """\
format: 1
order: 1
minutes: 5
spec: "1.3.0"
lab:
  bundle: box
  container: one
  config: begin.json
  files: {rootfs/bin/hello: hello.sh, notes.txt: notes.txt}
steps:
  - id: look
    kind: read
    setup: ["echo setup"]
  - id: change
    kind: edit-config
    solution: change.json
    checks:
      - id: either
        any:
          - not: {file: {path: x, exists: true}}
          - json: {pointer: /a, exists: true}
    hints:
      - {id: known, when: {state: {is: [created]}}}
    wrong:
      - id: bad
        do: [{run: "echo wrong"}, {write: broken.json}]
        hint: known
    fail_if:
      - id: gone
        when: {state: {is: [stopped]}}
        recovery: [{op: exec sh -c "echo recovery"}]
  - id: act
    kind: task
    solution:
      - {op: kill TERM}
      - {fails: {run: "echo task"}}
      - {write: {file: rootfs/etc/x, from: tool.sh}}
    checks:
      - {id: done, state: {is: [stopped]}}
  - id: count
    kind: quiz
    answer: {command: "echo quiz"}
"""
TEXT = """\
title: Another
summary: Another course.
steps:
  look: {title: Look, body: Read this.}
  change:
    title: Change
    body: Do.
    checks: {either: One of the two}
    hints: {known: A hint}
    fail_if: {gone: It is gone}
  act: {title: Act, body: Do., checks: {done: It has stopped}}
  count: {title: Count, body: Do., quiz: {question: How many?, feedback: No.}}
"""
CHANGED = """{"process": {"args": ["sh", "-c", "echo args"]}, "Hooks": {"poststop": [{"path": "/bin/a", "args": ["a", "b"]}]}}
trailing rubbish, which runc does not mind"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with one lesson that has the name of an installed lesson."""
    folder = tmp_path / "their course"
    lesson = folder / "first-container"
    for name in ("solutions", "files"):
        (lesson / name).mkdir(parents=True)
    (lesson / "lesson.yaml").write_text(LOGIC)
    for language in ("ja", "en"):
        (lesson / f"text.{language}.yaml").write_text(TEXT)
    (lesson / "solutions/begin.json").write_text('{"process": {"args": ["begin"]}}')
    (lesson / "solutions/change.json").write_text(CHANGED)
    (lesson / "solutions/broken.json").write_text('{"process": /* crun reads on */ {"args": ["broken"]}}')
    (lesson / "solutions/tool.sh").write_text("#!/bin/sh\necho tool\n")
    (lesson / "files/hello.sh").write_text("#!/bin/sh\necho hello\n")
    (lesson / "files/notes.txt").write_text("words\n")
    return folder


def _home(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "OCI_TUTOR_HOME": str(tmp_path / "home"), "LC_ALL": "en_US.UTF-8", "COLUMNS": "100"}


def _run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        env=_home(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_that_would_be_executed_is_found(course: Path) -> None:
    found = executed_by(Course.load("en", course))
    in_lesson = [(each.step, each.kind, each.text) for each in found]
    assert {
        ("", "script", "rootfs/bin/hello\n#!/bin/sh\necho hello\n"),
        ("", "program", '["begin"]'),
        ("look", "shell", "echo setup"),
        ("change", "program", '["sh", "-c", "echo args"]'),
        ("change", "hook", 'poststop: "/bin/a" ["a", "b"]'),
        ("change", "shell", "echo wrong"),
        ("change", "config", '{"process": /* crun reads on */ {"args": ["broken"]}}'),
        ("change", "operation", "exec sh -c echo recovery"),
        ("act", "shell", "echo task"),
        ("act", "script", "rootfs/etc/x\n#!/bin/sh\necho tool\n"),
        ("count", "shell", "echo quiz"),
    } == set(in_lesson)
    assert len(in_lesson) == len(set(in_lesson))


def test_the_lines_of_conditions_are_found_however_deep(course: Path) -> None:
    loaded = Course.load("en", course)
    line = Condition("command", {"run": "echo deep", "status": 0})
    step = loaded.lessons[0].steps[0]
    inner = Condition("any", {"of": (Condition("not", {"of": (line,)}),)})
    for changed in (
        replace(step, checks=(Check("a", "all", {"of": (inner,)}, "text"),)),
        replace(step, checks=(Check("a", line.kind, line.arguments, "text"),)),
        replace(step, hints=(Hint("text", when=line),)),
        replace(step, dead_ends=(DeadEnd("a", inner, "text"),)),
        replace(step, activity=Quiz("text", (), when=(("a", line),))),
        replace(step, activity=Task((Wait(line),))),
    ):
        lesson = replace(loaded.lessons[0], steps=(changed,))
        assert "echo deep" in [each.text for each in executed_by(replace(loaded, lessons=(lesson,)))]


def test_a_name_that_stands_twice_hides_no_program(course: Path) -> None:
    twice = '{"process": {"args": ["harmless"]}, "process": {"args": ["other"]}}'
    (course / "first-container/solutions/begin.json").write_text(twice)
    texts = [each.text for each in executed_by(Course.load("en", course)) if not each.step]
    assert {'["harmless"]', '["other"]'} <= set(texts)


def test_what_would_hide_a_line_on_the_terminal_is_shown() -> None:
    assert _visible("rm -rf x\x1b[2K\recho \u202enice") == "rm -rf x\\x1b[2K\\recho \\u202enice"
    assert _visible("日本語 | sed s/a/b/") == "日本語 | sed s/a/b/"


def test_without_a_terminal_nothing_is_opened(course: Path, tmp_path: Path) -> None:
    for arguments in (["repl"], ["start", "first-container"], ["verify"]):
        done = _run(tmp_path, *arguments, "--course", str(course))
        assert done.returncode == 1
        assert "cannot be opened yet" in done.stderr
        assert "--trust" in done.stderr
    assert not (tmp_path / "home/labs").exists()


def test_it_is_asked_once_and_again_when_anything_has_changed(course: Path, tmp_path: Path) -> None:
    def open_course(answer: str | None) -> str:
        argv = [sys.executable, "-m", "tutor", "repl", "no-such-lesson", "--course", str(course)]
        with PseudoTerminal(argv, _home(tmp_path)) as terminal:
            if answer is not None:
                terminal.wait_for("echo setup")
                terminal.wait_for("[y/N]")
                terminal.type(answer)
            terminal.process.wait(20)
            terminal.wait_for("first-container" if answer in (None, "y\r") else "Nothing was executed")
            return terminal.text

    open_course("\r")
    open_course("n\r")
    open_course("y\r")
    assert "[y/N]" not in open_course(None)  # the yes is remembered
    (course / "first-container/files/notes.txt").write_text("other words\n")
    open_course("\x04")


def test_progress_and_labs_of_another_course_are_kept_apart(course: Path, tmp_path: Path) -> None:
    installed = Home(tmp_path / "home/labs", tmp_path / "home/state", tmp_path / "home/cache")
    theirs = installed.of_course(Course.load("en", course).key)
    Progress(installed.records).save("first-container", LessonProgress("hello", finished=True))
    Progress(theirs.records).save("first-container", LessonProgress("change"))
    done = _run(tmp_path, "lessons", "--course", str(course))
    assert "step 2/4" in done.stdout
    assert f"oci-tutor start first-container --course '{course}'" in " ".join(done.stdout.split())
    assert "finished" in _run(tmp_path, "lessons").stdout
    assert theirs.labs != installed.labs
    assert theirs.labs.is_relative_to(installed.labs)


def test_the_own_course_by_its_path_is_the_own_course() -> None:
    assert course_key(lessons_folder()) == ""
    assert course_key(Path(f"{lessons_folder()}/../{lessons_folder().name}")) == ""


def test_the_content_is_known_by_every_file_and_its_execute_permission(course: Path) -> None:
    before = content_digest(course)
    assert content_digest(course) == before
    (course / "first-container/files/hello.sh").chmod(0o755)
    after = content_digest(course)
    assert after != before
    os.mkfifo(course / "first-container/pipe")  # nothing waits for a writer
    assert content_digest(course) != after


@pytest.mark.parametrize(
    "name", ["solutions", "files", "lesson.yaml", "text.en.yaml", "solutions/change.json"]
)
def test_a_link_out_of_the_course_is_refused(course: Path, tmp_path: Path, name: str) -> None:
    inside, outside = course / "first-container" / name, tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    with pytest.raises(LessonError) as refused:
        Course.load("en", course)
    assert refused.value.key == "course.error.outside"


def test_a_lesson_that_is_a_link_out_of_the_course_is_refused(course: Path, tmp_path: Path) -> None:
    (course / "first-container").rename(tmp_path / "elsewhere")
    (course / "first-container").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LessonError) as refused:
        Course.load("en", course)
    assert refused.value.key == "course.error.outside_course"


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("rootfs/bin/hello:", "../../x:"),
        ("rootfs/bin/hello:", "/etc/cron.d/x:"),
        ("file: rootfs/etc/x", "file: rootfs/../../x"),
        ("solution: change.json", "solution: change.json\n    file: ../x"),
    ],
)
def test_a_file_is_laid_nowhere_but_in_the_lab(course: Path, place: str, path: str) -> None:
    lesson = course / "first-container/lesson.yaml"
    lesson.write_text(LOGIC.replace(place, path, 1))
    with pytest.raises(LessonError) as refused:
        Course.load("en", course)
    assert refused.value.key == "course.error.outside_lab"
    assert refused.value.line > 5


def test_our_course_tells_what_it_executes_too() -> None:
    found = executed_by(Course.load("ja"))
    assert Executed("first-container", "echo-config", "program", json.dumps(["echo", "alpine"])) in found
