"""`oci-tutor lessons`: the lessons with the learner's progress."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tutor.text import cell_width, pad, wrap
from tutor.text.glyphs import STEP_DONE, STEP_TO_DO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tutor.course.model import Lesson
    from tutor.course.progress import LessonProgress
    from tutor.messages import Messages

DOTS = 10


def add_arguments(parser: argparse.ArgumentParser, messages: Messages) -> None:
    """Add the arguments of `lessons`."""
    parser.add_argument("--spec-map", action="store_true", help=messages("cli.lessons.spec_map"))


def run(arguments: argparse.Namespace, messages: Messages) -> int:
    """Print the list, or the map of the specification; return the exit status.

    Raises:
        TutorError: a lesson is defective, or the course has no map.
    """
    from tutor.cli.open_course import read_course
    from tutor.cli.spec_map import count_line, spec_map_lines
    from tutor.cli.terminal import text_width
    from tutor.course.progress import Progress
    from tutor.view.course_view import recommended, title_of

    course, home = read_course(arguments, messages)
    progress = Progress(home.records)
    width = text_width()
    if arguments.spec_map:
        for line in spec_map_lines(course, progress.all(), messages, width):
            print(line)
        return 0
    name_width = max(cell_width(lesson.id) for lesson in course.every_lesson)
    for each in course.every:
        heading = messages("cli.list.heading")
        print(heading if len(course.every) == 1 else f"{heading}: {title_of(each, messages)}")
        for lesson in each.lessons:
            print()
            print("\n".join(_lines(lesson, progress.of(lesson.id), messages, name_width, width)))
        print()
    waiting = recommended(course, progress.all())
    named = f"{waiting.id} --course {shlex.quote(str(course.folder))}" if course.key else waiting.id
    print("\n".join(wrap(messages("cli.list.start", lesson=named), width)))
    count = count_line(course, progress.all(), messages)
    if count:
        print("\n".join(wrap(count, width)))
    return 0


def _lines(
    lesson: Lesson, done: LessonProgress, messages: Messages, name_width: int, width: int
) -> Iterator[str]:
    indent = " " * (name_width + 4)
    passed = sum(step.id in done.passed for step in lesson.steps)
    full = DOTS * passed // len(lesson.steps)
    dots = STEP_DONE * full + STEP_TO_DO * (DOTS - full)
    minutes = messages("cli.list.minutes", minutes=lesson.minutes)
    yield f"  {pad(lesson.id, name_width)}  {lesson.title}"
    yield f"{indent}{dots}  {_standing(lesson, done, messages)} · {minutes} · {' '.join(lesson.engines)}"
    yield from (indent + line for line in wrap(lesson.summary.strip(), width - len(indent)))


def _standing(lesson: Lesson, done: LessonProgress, messages: Messages) -> str:
    total = len(lesson.steps)
    if done.finished and done.read:
        return messages("cli.list.read")
    if done.finished and done.solved:
        return messages("cli.list.solved", count=len(done.solved))
    if done.finished:
        return messages("cli.list.finished")
    number = next((index for index, step in enumerate(lesson.steps, 1) if step.id == done.step_id), 0)
    if not number:
        return messages("cli.list.new")
    return messages("cli.list.begun", number=number, total=total)
