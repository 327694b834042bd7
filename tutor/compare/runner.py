"""Has each engine create and start one bundle, each in a lab of its own, and looks at the container before and after `start`.

The bundle itself is used, as any runtime would: the lab undoes mounts, cgroups and processes, not what a runtime has made in the root
filesystem (mount points, device nodes).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor import patience
from tutor.compare.facts import facts_of
from tutor.compare.model import MOMENTS, Outcome
from tutor.engines.console import ConsoleSocket
from tutor.engines.trial import Bundle, Streams, Trial, UndecidedError
from tutor.lab.lab import Lab
from tutor.lab.options import LabOptions
from tutor.observe import take_snapshot
from tutor.observe.descriptors import read_descriptors
from tutor.observe.parts import parse_cgroups
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tutor.compare.model import Facts, Moment
    from tutor.engines.engine import Engine
    from tutor.engines.trial import Done
    from tutor.home import Home

    Progress = Callable[[Engine, Moment], None]

ID = "compare"
_QUIET_LOOKS, _LOOK = 5, 0.02
"""A container is looked at when it was found the same so many times in a row, this many seconds apart."""
_LOGGED = re.compile(r'time="[^"]*" level=\w+ msg=(".*")$')  # as runc and runt log, logfmt
_WORDS = 300  # characters of an error that are kept


def outcomes(
    bundle: Path, config: dict[str, Any], engines: Sequence[Engine], home: Home, progress: Progress
) -> Iterator[Outcome]:
    """Yield what becomes of a bundle on each engine, when it is known; what an engine refuses is no error.

    Args:
        bundle: the bundle's absolute path; its program needs no input, and is ended when it has been looked at.
        config: its configuration, as JSON.
        engines: the engines, in order.
        home: where labs write their journals.
        progress: called before each moment of each engine.

    Raises:
        TutorError: `lab. ...`, no lab can be made here; `engines.console`.
    """
    for engine in engines:
        # `confined`: an absolute cgroupsPath leads to below the lab's own cgroup, on every engine alike.
        options = LabOptions(confined=True, places=(str(bundle),))
        with Lab.start(home=home, engine=engine.name, workdir=bundle, options=options) as lab:
            yield _outcome(Trial(engine, lab), str(bundle), config, progress)


def _outcome(trial: Trial, path: str, config: dict[str, Any], progress: Progress) -> Outcome:
    box = Bundle(trial, ID, path)
    outcome = Outcome(trial.engine)
    with _streams() as streams, _console(config) as console:
        try:
            for moment in MOMENTS:
                progress(trial.engine, moment)
                operation = "create" if moment == "created" else "start"
                try:
                    done = (
                        _create(trial, box, streams, console) if moment == "created" else box.engine("start")
                    )
                except UndecidedError:
                    return replace(outcome, failed=operation, hung=True)
                if not done.ok:
                    return replace(outcome, failed=operation, said=_last_line(done))
                before = outcome.facts.get("created", {})
                facts = _look(trial, box, config, before)
                if facts is None:
                    return replace(outcome, ended=moment)
                outcome = replace(outcome, facts={**outcome.facts, moment: facts})
        finally:
            with contextlib.suppress(UndecidedError):
                box.engine("delete", "--force")
    return outcome


@contextlib.contextmanager
def _streams() -> Iterator[Streams]:
    """Yield the streams of a container: an input in which nothing comes, and that does not end, or a shell would end before it is seen."""
    stdin, held = os.pipe()
    try:
        with Streams(stdin) as streams:
            yield streams
    finally:
        os.close(held)


@contextlib.contextmanager
def _console(config: dict[str, Any]) -> Iterator[ConsoleSocket | None]:
    """Yield the socket for the terminal that a configuration asks for; None if it asks for none."""
    process = config.get("process")
    if not (isinstance(process, dict) and process.get("terminal") is True):
        yield None
        return
    with ConsoleSocket() as console:
        yield console


def _create(trial: Trial, box: Bundle, streams: Streams, console: ConsoleSocket | None) -> Done:
    arguments = [f"--bundle={box.path}", *([f"--console-socket={console.path}"] if console else [])]
    return trial.command_on(streams, trial.engine.argv("create", box.id, arguments), cwd=box.path)


def _look(trial: Trial, box: Bundle, config: dict[str, Any], before: Facts) -> Facts | None:
    """Return the facts of a container when it has come to rest; None when its program has ended.

    `start` returns before the program is executed (runc, crun): as long as everything is as in `before`, it is not there yet.
    """
    pid, keeper = box.pid(), trial.lab.keeper_pid
    if not pid:
        return None
    reference = parse_cgroups(Path(f"/proc/{keeper}/cgroup").read_bytes())
    deadline = time.monotonic() + patience.scaled(trial.settle)
    last: Facts | None = None
    alike = 0
    while alike < _QUIET_LOOKS and time.monotonic() < deadline:
        view = take_snapshot(pid, reference_pid=keeper).container
        if view is None or not view.alive:
            return None
        facts = facts_of(view, read_descriptors(pid), reference, config)
        alike = alike + 1 if facts == last and facts != before else 0
        last = facts
        time.sleep(_LOOK)
    return last


def _last_line(done: Done) -> str:
    lines = [each for each in (done.stderr.strip() or done.stdout.strip()).splitlines() if each]
    if not lines:
        return ""
    logged = _LOGGED.match(lines[-1])
    with contextlib.suppress(ValueError):
        return visible(json.loads(logged[1])[:_WORDS]) if logged else visible(lines[-1][:_WORDS])
    return visible(lines[-1][:_WORDS])
