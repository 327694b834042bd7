"""`python -m tests.recording LESSON [ENGINE ...]`: play a lesson by its solutions, and write `recorded/ENGINE.json` beside it.

`recorded/also.json` has further lines to run, by step id: for quizzes, whose solutions are not typed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.course.course import Course
from tutor.course.model import Shell
from tutor.engines.engine import path_of
from tutor.engines.model import ENGINE_NAMES, EngineName
from tutor.home import Home
from tutor.session.events import CommandFinished
from tutor.session.session import Session

if TYPE_CHECKING:
    from tutor.session.events import Event


class _Recorder:
    """Notes the shell lines that are run, by step."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names
        self._step = ""
        self.steps: dict[str, list[dict[str, Any]]] = {}

    def stand_at(self, step_id: str) -> None:
        self._step = step_id

    def take(self, event: Event) -> None:
        if isinstance(event, CommandFinished) and event.result.call.argv[0] == "/bin/sh":
            result = event.result
            self.steps.setdefault(self._step, []).append(
                {
                    "typed": self._plain(result.call.typed.rstrip("\n")),
                    "output": self._plain(result.stdout + result.stderr),
                    "status": result.returncode,
                }
            )

    def _plain(self, text: str) -> str:
        """Replace the paths of this machine by neutral ones."""
        for place, name in self._names.items():
            text = text.replace(place, name)
        return text


def record(lesson_id: str, engine: EngineName) -> dict[str, Any]:
    """Play a lesson and return its recording.

    Raises:
        TutorError: it can't be opened.
        AssertionError: it can't be done by hand on this machine, or a solution does not pass.
    """
    course = Course.load("ja")
    folder = course.lesson(lesson_id).folder
    listed = folder / "recorded/also.json"
    also: dict[str, list[str]] = json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else {}
    with tempfile.TemporaryDirectory(prefix="oci-record-") as place:
        home = Home(Path(place, "labs"), Path(place, "state"), Path(place, "cache"))
        names = {str(home.labs): "/root/labs", str(path_of(engine)): f"/usr/local/bin/{engine}"}
        recorder = _Recorder(names)
        with Session(course=course, engine=engine, publish=recorder.take, home=home) as session:
            session.open(lesson_id)
            run = session._lesson_run
            assert run is not None
            assert run.read_only is None, run.read_only
            for index, step in enumerate(run.lesson.steps):
                recorder.stand_at(step.id)
                for line in also.get(step.id, ()):
                    run.container.script(line.replace("{engine}", engine))
                session.execute("solve")
                assert step.id in run.passed or isinstance(step.activity, Shell) or step.kind == "read", (
                    step.id
                )
                recorder.stand_at("")
                while session.index == index and index + 1 < len(run.lesson.steps):
                    session.execute("next")
    recorder.steps.pop("", None)
    return {"engine": engine, "steps": recorder.steps}


def main(words: list[str]) -> None:
    """Record a lesson with the engines named, or with all."""
    lesson_id, *engines = words
    for engine in ENGINE_NAMES:
        if engine in (engines or ENGINE_NAMES):
            folder = Course.load("ja").lesson(lesson_id).folder / "recorded"
            text = json.dumps(record(lesson_id, engine), ensure_ascii=False, indent=1)
            folder.mkdir(exist_ok=True)
            (folder / f"{engine}.json").write_text(f"{text}\n", encoding="utf-8")
            print(f"{folder / engine}.json")


if __name__ == "__main__":
    main(sys.argv[1:])
