"""Ask an engine for its traits once, and keep its answers by the digest of its binary.

The record is a file in the state directory, replaced as a whole. The engine is asked again if the record is damaged, or was made with
another kernel or other probes. A lock lets one process ask at a time; the kernel releases it when the process ends, however it ends, and
the next one cleans up the lab of a process that was killed (`tutor.lab`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import files
from tutor.engines.traits.probes import PROBES
from tutor.engines.trial import Trial, UndecidedError, lost
from tutor.errors import TutorError
from tutor.lab import cgroups
from tutor.lab.lab import Lab
from tutor.lab.options import LabOptions
from tutor.lab.state_roots import BUNDLES
from tutor.lab.user_namespace import is_ordinary_user
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tutor.engines.engine import Engine
    from tutor.home import Home

    Progress = Callable[[int, int], None]

_FORMAT = 1
_FOLDER = "engines"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of an engine by trait: empty where this machine can't decide, missing where it was not asked.

    `digest` is of the engine's binary, `date` is when it was asked (ISO 8601, a day).
    """

    engine: str
    version: str
    digest: str
    date: str
    answers: dict[str, str]

    def get(self, trait: str) -> str:
        """Return the answer to a trait's question; empty if it is not known."""
        return self.answers.get(trait, "")


def digest_of(engine: Engine) -> str:
    """Return the SHA-256 of an engine's binary, in hexadecimal; of runt, whose program is many files, that of all of them.

    Raises:
        OSError: it can't be read.
    """
    if engine.name != "runt":
        return _digest([engine.path])
    folder = Path(__file__).parents[3] / "runtime"
    return _digest(sorted(folder.rglob("*.py"))) if folder.is_dir() else _digest([engine.path])


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def kept(home: Home, engine: Engine) -> Answers | None:
    """Return the kept answers of an engine; None if it was never asked, or must be asked again."""
    try:
        digest = digest_of(engine)
        record = json.loads(_file(home, engine, digest).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("asked") != _asked():
        return None
    answers, date = record.get("answers"), record.get("date")
    if not isinstance(answers, dict) or not isinstance(date, str):
        return None
    if not all(isinstance(value, str) for value in answers.values()):
        return None
    return Answers(engine.name, engine.version, digest, date, answers)


def answers_of(
    home: Home,
    engine: Engine,
    traits: Collection[str] | None = None,
    *,
    again: bool = False,
    progress: Progress = lambda _done, _of: None,
) -> Answers:
    """Return an engine's answers: the kept ones, and those that it gives now, which takes a tenth of a second each.

    Args:
        home: where they are kept.
        engine: the engine.
        traits: the traits that matter (None: all); the answer may have more.
        again: ask even if answers are kept.
        progress: called before every question, with the number of questions asked and the number of all.

    Raises:
        TutorError: no lab can be created on this machine (`lab. ...`).
    """
    wanted = [trait for trait in PROBES if traits is None or trait in traits]
    found = None if again else kept(home, engine)
    if found and found.answers.keys() >= set(wanted):
        return found
    with _one_at_a_time(home):
        # Another process may have asked in the meantime.
        found = None if again else kept(home, engine)
        before = found.answers if found else {}
        missing = [trait for trait in wanted if trait not in before]
        answers = {**before, **_ask(home, engine, missing, progress)} if missing else before
        asked = Answers(engine.name, engine.version, digest_of(engine), _today(), answers)
        _keep(home, engine, asked)
        return asked


def _ask(home: Home, engine: Engine, traits: list[str], progress: Progress) -> dict[str, str]:
    answers = {}
    options = LabOptions(covers=(BUNDLES,))
    with Lab.start(home=home, engine=engine.name, workdir=Path("/"), options=options) as lab:
        trial = Trial(engine, lab)
        for done, trait in enumerate(traits):
            progress(done, len(traits))
            answers[trait] = ""  # this machine does not answer it
            try:
                answers[trait] = PROBES[trait](trial)
            except (UndecidedError, OSError, ValueError):
                continue
            except TutorError as error:
                if lost(error):
                    raise
    return answers


@contextmanager
def _one_at_a_time(home: Home) -> Iterator[None]:
    try:
        (home.state / _FOLDER).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home.state / _FOLDER / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # nothing can be kept there: the answers are used once
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _keep(home: Home, engine: Engine, answers: Answers) -> None:
    record = {
        "format": _FORMAT,
        "engine": answers.engine,
        "version": answers.version,
        "digest": answers.digest,
        "date": answers.date,
        "asked": _asked(),
        "answers": answers.answers,
    }
    with suppress(OSError):  # a full disk, a read-only state directory: it is asked again next time
        text = json.dumps(record, indent=2, sort_keys=True)
        files.replace(_file(home, engine, answers.digest), text.encode(), mode=0o644, durable=False)


def _file(home: Home, engine: Engine, digest: str) -> Path:
    return home.state / _FOLDER / f"{engine.name}-{digest[:24]}.json"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


@cache
def _probes_digest() -> str:
    return _digest(sorted(Path(__file__).parent.rglob("*.py")))


def _asked() -> dict[str, object]:
    """Return what the answers depend on, other than the engine: the probes, the kernel, and the layout of cgroups."""
    versions = sorted({hierarchy.version for hierarchy in cgroups.hierarchies()})
    return {
        "format": _FORMAT,
        "probes": _probes_digest(),
        "kernel": os.uname().release,
        "cgroups": versions,
        "ordinary": is_ordinary_user(),
    }
