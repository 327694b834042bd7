"""Load and lint lessons with a mistake: `python -m tests.lessons_fuzz [--cases 450] [--seed N] [--first N]`.

Each is a lesson of the course in which one file was changed in one to three places: as an editor slips, or as a value of another
kind. Whatever it is, `lint` tells it with file and line, loading says the same or gives a lesson, and neither raises anything
else or takes long. A case that fails is printed with its number, and `--first N --cases 1` makes it again.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.errors import LessonError
from tutor.course.find import lessons_folder
from tutor.course.lint.course import lint
from tutor.course.load import load_lesson
from tutor.messages import LANGUAGES, Messages

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ("lesson.yaml", "text.ja.yaml", "text.en.yaml", "translation.en.yaml")
SECONDS = 20.0
"""A case may take so much processor time."""
# fmt: off
ODD = [
    "", "null", "~", "[]", "{}", "[[]]", "0", "-1", "1e999", ".nan", "true", "'", '"', "|", ">", "&a", "*a", "&a [*a]", "!!python/object:os.system x",
    "!!binary x", "<<: *a", "{{", "}}", "[", "{engine", "{container}}", "{trait nope}", "\t", "\u0000", "\u202e", "日本", "x" * 4000, "- " * 200,
    "2026-11-29", "0o17", "1:2:3", "? a", "---", "...", "%YAML 1.1", "{op: create}", "{all: []}", "{not: {not: {}}}", "{state: {is: nope}}",
]
# fmt: on


def changed(text: str, chosen: random.Random) -> str:
    """Return a text with one to three mistakes."""
    for _ in range(chosen.choice((1, 1, 2, 3))):
        lines = text.split("\n")
        at = chosen.randrange(len(lines))
        line = lines[at]
        match chosen.randrange(10):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, line)
            case 2:
                lines[at] = line[: chosen.randrange(len(line) + 1)]
            case 3:
                lines[at] = " " * chosen.randrange(9) + line.lstrip()
            case 4:
                other = chosen.randrange(len(lines))
                lines[at], lines[other] = lines[other], line
            case 5:
                lines = lines[: at + 1]
            case 6 | 7:
                key, colon, _ = line.partition(":")
                lines[at] = f"{key}{colon} {chosen.choice(ODD)}" if colon else chosen.choice(ODD)
            case 8:
                words = line.split(" ")
                words[chosen.randrange(len(words))] = chosen.choice(ODD)
                lines[at] = " ".join(words)
            case _:
                place = chosen.randrange(len(line) + 1)
                lines[at] = line[:place] + chosen.choice("{}[]:,'\"#&*!|>%@`- \t\x07é日") + line[place + 1 :]
        text = "\n".join(lines)
    return text


def fuzz(
    cases: int, place: Path, *, seed: int = 0, first: int = 0, tell: Callable[[str], object] = str
) -> tuple[int, list[str]]:
    """Try `cases` lessons in the folder `place`; return how many still load in every language, and what failed."""
    course = lessons_folder()
    lessons = sorted(folder.parent for folder in course.glob("*/lesson.yaml"))
    messages = [Messages.load(language) for language in LANGUAGES]
    sound, failures = 0, []
    for number in range(first, first + cases):
        chosen = random.Random(f"{seed}-{number}")  # noqa: S311  (the same every time)
        lesson, name = chosen.choice(lessons), chosen.choice(FILES)
        copy = place / "course" / lesson.name
        shutil.copytree(lesson, copy)
        text = (copy / name).read_text()
        content = changed(text, chosen).encode("utf-8", "surrogateescape")
        if chosen.random() < 0.02:
            content = content[:200] + b"\xff\xfe" + content[200:]
        (copy / name).write_bytes(content)
        began = time.process_time()
        try:
            sound += _try(copy, messages)
            assert time.process_time() - began < SECONDS, "it takes too long"
        except Exception as error:  # noqa: BLE001  (the case is shown, and the next one tried)
            what = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
            failures.append(f"case {number} of seed {seed} ({lesson.name}/{name}): {what}")
            tell(failures[-1])
        shutil.rmtree(copy.parent)
    return sound, failures


def _try(lesson: Path, messages: list[Messages]) -> bool:
    findings = lint(lesson.parent)
    told = {finding.file.name for finding in findings}
    for each in messages:
        for finding in findings:
            assert finding.render(each, 80)
    errors: list[tuple[Messages, LessonError]] = []
    for each in messages:
        try:
            load_lesson(lesson, each.language)
        except LessonError as error:
            errors.append((each, error))
    for each, found in errors:
        assert found.file.name in told, f"lint does not tell {found.file.name}:{found.line} {found.key}"
        title, _, following = found.render(each)
        assert title, found.key
        assert following, found.key
    return not errors


def main() -> int:
    """Fuzz; return 1 if a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.lessons_fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=450)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sound, failures = fuzz(
            arguments.cases, Path(folder), seed=arguments.seed, first=arguments.first, tell=print
        )
    print(f"{arguments.cases} lessons, {sound} of them still sound, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
