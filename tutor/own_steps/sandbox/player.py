"""Plays scenarios in sandboxes, and returns what was recorded. Safe to call from any thread: this process never forks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor import patience
from tutor.errors import TutorError
from tutor.lab.user_namespace import require_privilege
from tutor.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT = Path(__file__).parents[3]
SECONDS = 10.0
"""The time limit of a play that takes half a second."""
_AT_ONCE = 2
_MARGIN = 10.0  # seconds for the outside to make and remove cgroups
_ENDED = "own.sandbox.ended"


@dataclass(frozen=True, slots=True)
class Play:
    """One play: a runtime, and what is done with it.

    Attributes:
        text: the learner's file.
        config: `config.json`.
        operations: words of `tutor.own_steps.scenarios.Scenario.operations`.
        files: further files of the bundle, executable, by path.
        paths: of the container, to be looked at.
        bundle_paths: of the bundle, likewise.
    """

    text: str
    config: Mapping[str, Any]
    operations: Sequence[Sequence[str]]
    files: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[str] = ()
    bundle_paths: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """What happened in a play.

    Attributes:
        records: of each operation, as `driver` and `looks` write them.
        failed: why it was broken off: `hung`, `timeout` (the sandbox itself had to be ended),
            `skipped` (one before it was broken off, and was not even begun); empty if it was not.
        in_vain: how often something was waited for that did not come.
        limits: how often a limit of the sandbox was reached: `pids`, `memory`.
    """

    records: tuple[dict[str, Any], ...]
    failed: str
    in_vain: int
    limits: Mapping[str, int]


def play(
    plays: Sequence[Play], *, root: Path, launcher: Sequence[str], seconds: float = SECONDS
) -> list[Recording]:
    """Play in sandboxes of their own, two at a time.

    Args:
        plays: what to play.
        root: a directory with the container's root filesystem; it is copied.
        launcher: the words of a command before FILE, REPORT and the runtime's own words.
        seconds: the time limit of each, for a machine of today.

    Raises:
        TutorError: `own.sandbox.refused`, the kernel refuses what a sandbox needs; `own.sandbox.ended`; `lab.no_privilege`,
            `lab.user_namespace. ...`.
    """
    require_privilege()
    slowness = patience.slowness()
    limit = seconds * slowness
    request = {
        "root": str(root),
        "launcher": list(launcher),
        "seconds": limit,
        "slowness": slowness,
        "at_once": _AT_ONCE,
        "keep": [*_kept(launcher), str(root)],
        "plays": [
            {
                "text": each.text,
                "config": each.config,
                "operations": [list(words) for words in each.operations],
                "files": dict(each.files),
                "paths": list(each.paths),
                "bundle_paths": list(each.bundle_paths),
            }
            for each in plays
        ],
    }
    lines = _ask(json.dumps(request), (limit + _MARGIN * slowness) * len(plays))
    if len(lines) != len(plays):
        raise TutorError(_ENDED)
    answers = [json.loads(line) for line in lines]
    for answer in answers:
        if answer["failed"] == "ground":
            raise TutorError("own.sandbox.refused", reason=answer["reason"])
        if answer["failed"] == "broken":
            raise RuntimeError(answer["reason"])
    return [
        Recording(tuple(each["records"]), each["failed"], each.get("in_vain", 0), each["limits"])
        for each in answers
    ]


def _ask(request: str, seconds: float) -> list[str]:
    """Return the lines of the outside's answer. Its standard input stays open: its end says that this process has ended."""
    module = "tutor.own_steps.sandbox.outside"
    code = f"import sys; sys.path.append({str(_ROOT)!r}); from {module} import main; main()"
    outside = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert outside.stdin is not None  # noqa: S101  (of a pipe)
    assert outside.stdout is not None  # noqa: S101
    try:
        outside.stdin.write(request + "\n")
        outside.stdin.flush()
        held, outside.stdin = outside.stdin, None  # communicate would close it
        try:
            answer, _errors = outside.communicate(timeout=seconds)
        finally:
            held.close()
    except (BrokenPipeError, subprocess.TimeoutExpired) as error:
        raise TutorError(_ENDED) from error
    finally:
        _end(outside)
    return answer.splitlines()


def _end(outside: subprocess.Popen[str]) -> None:
    """Wait until the outside has cleaned up, as it does when its standard input ends; kill it if it doesn't."""
    try:
        outside.wait(patience.scaled(_MARGIN))
    except subprocess.TimeoutExpired:
        outside.kill()
        outside.wait()
    for pipe in (outside.stdout, outside.stderr):
        if pipe is not None:
            pipe.close()


def _kept(launcher: Sequence[str]) -> list[str]:
    """Return the folders that programs in the sandbox need, wherever they are."""
    folders = {str(_ROOT), sys.prefix, sys.base_prefix, *(str(Path(word).parent) for word in launcher if word.startswith("/"))}  # fmt: skip
    return sorted(folder for folder in folders if folder not in ("/", "/usr", "/usr/bin"))
