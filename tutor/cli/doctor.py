"""`oci-tutor doctor`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tutor.course.course import Course
from tutor.doctor.conclusions import conclude
from tutor.doctor.findings import assess
from tutor.doctor.machine import examine
from tutor.doctor.report import as_json as to_json
from tutor.doctor.report import as_text
from tutor.errors import TutorError
from tutor.home import Home
from tutor.session.recording import missing_programs

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.messages import Messages

WIDEST = 110
"""Lines longer than this (in cells) are hard to read, however wide the terminal is."""


def run(messages: Messages, *, as_json: bool) -> int:
    """Examine the machine, print the report, and return 0 when the first lesson can be done, else 1."""
    problem = ""
    lessons: tuple[Lesson, ...] = ()
    try:
        lessons = Course.load(messages.language).lessons
    except TutorError as error:  # a defective lesson: the machine can be told about all the same
        problem = " ".join(filter(None, error.render(messages)))
    machine = examine(Home.default())
    findings = assess(machine)
    lacking = {each for lesson in lessons for each in missing_programs(lesson.needs)}
    conclusions = conclude(machine, lessons, problem, lacking)
    if as_json:
        print(to_json(machine, findings, conclusions, messages))
    else:
        width = min(shutil.get_terminal_size().columns, WIDEST)
        print("\n".join(as_text(machine, findings, conclusions, messages, width)))
    return 0 if conclusions.can_start else 1
