"""What a lesson needs in its lab: the options of the lab, and a dockerd."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.course.storage import write_atomically
from tutor.docker.private import LAB_OPTIONS, PrivateDocker, runtime_name
from tutor.errors import TutorError
from tutor.lab.options import PLAIN
from tutor.messages import LANGUAGE_VARIABLE

if TYPE_CHECKING:
    from tutor.course.model import Lesson
    from tutor.engines.model import EngineName
    from tutor.lab.lab import Lab
    from tutor.lab.options import LabOptions
    from tutor.messages import Language

_CONFIG = "daemon.json"


def lab_options(lesson: Lesson, engine: EngineName, language: Language) -> LabOptions:
    """Return the options of a lesson's lab; an `oci-tutor` that is run in it uses the lesson's language."""
    own: dict[str, str] = {LANGUAGE_VARIABLE: language}
    if not lesson.lab.daemon:
        return PLAIN._replace(environment=own)
    own["OCI_TUTOR_RUNTIME"] = runtime_name(engine)
    return LAB_OPTIONS._replace(environment={**LAB_OPTIONS.environment, **own})


def start_docker(lesson: Lesson, lab: Lab, directory: Path) -> tuple[PrivateDocker, Path | None]:
    """Start the lab's dockerd with the learner's daemon.json; return it, and the copy of a daemon.json that dockerd refuses.

    Raises:
        TutorError: `docker.private`, it doesn't work here; `lab.ended`.
    """
    config = directory / _CONFIG
    docker = PrivateDocker(lab, config)
    try:
        docker.start()
    except TutorError:
        default = lesson.lab.files.get(_CONFIG)
        if default is None or _read(config) == default.content:
            raise
        kept = _set_aside(config)
        write_atomically(config, default.content)
        docker.start()
        return docker, kept
    return docker, None


def unfit(lab: Lab) -> TutorError | None:
    """Return a warning where the engine cannot run the containers that Docker configures.

    Docker writes `"blockIO": {"weight": 0}` for every container. With cgroup v2 crun then requires the controller `io`, and fails
    where the lab's cgroup does not have it: systemd enables it only for units that ask for it.
    """
    controllers = Path(f"/proc/{lab.keeper_pid}/root/sys/fs/cgroup/cgroup.controllers")
    if lab.engine != "crun" or not controllers.exists() or "io" in _read(controllers).split():
        return None
    return TutorError("docker.no_io", engine=lab.engine)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _set_aside(path: Path) -> Path | None:
    if not path.is_file():
        return None
    numbers = range(1, 100_000)
    kept = next(
        each for number in numbers if not (each := path.with_name(f"{path.name}.bak-{number}")).exists()
    )
    shutil.copy2(path, kept)
    return kept
