"""Runs checks on a runtime. Whatever the runtime does, nothing is left of it, and each check finds a clean lab."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.conformance import leftovers
from tutor.conformance.model import FailedError, InapplicableError
from tutor.conformance.subject import HungError, Runtime, Subject
from tutor.engines.trial import UndecidedError, lost
from tutor.errors import TutorError
from tutor.lab.lab import Lab
from tutor.lab.options import LabOptions
from tutor.lab.state_roots import BUNDLES
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tutor.conformance.model import Seen, Status
    from tutor.conformance.registry import Check
    from tutor.home import Home

_VAIN_CHECKS, _SHORT_SETTLE = 5, 0.5
"""After so many checks that waited in vain the others wait only so long, in seconds: this runtime does not do what it says."""
_HUNG_CHECKS = 3
"""After so many checks in which a command did not end the others are not run: each of them costs the time limit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found.

    `commands` are the command lines that were run in the lab, in their order; `reason` says why the check is `inapplicable` or `undone`:
    the key of a sentence below `conformance.reason`, and its `detail`.
    """

    check: Check
    status: Status
    seen: tuple[Seen, ...] = ()
    commands: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""


def run(
    checks: Iterable[Check], runtime: Runtime, *, home: Home, keep: Path | None = None
) -> Iterator[Outcome]:
    """Run checks, and yield each outcome when it is known.

    Args:
        checks: what to run, in this order.
        runtime: the runtime.
        home: where labs write their journals.
        keep: a directory in which the bundles and command lines of every check are kept.

    Raises:
        TutorError: no lab can be created on this machine (`lab. ...`).
    """
    rooms = _Rooms(home)
    hung = vain = 0
    try:
        works = _works(Subject(runtime, rooms.clean_lab()))
        for check in checks:
            if hung >= _HUNG_CHECKS:
                yield Outcome(check, "undone", reason="hangs")
                continue
            folder = keep.absolute() / check.id if keep is not None else None
            subject = Subject(runtime, rooms.clean_lab(), folder)
            if vain >= _VAIN_CHECKS:
                subject.settle = _SHORT_SETTLE
            outcome, hangs = _run_one(check, subject)
            hung += hangs
            vain += bool(subject.waited_in_vain)
            if outcome.status == "pass" and not works:
                # It refuses everything: that it refuses what is wrong says nothing.
                outcome = replace(outcome, status="undone", reason="nothing_runs")
            if folder is not None:
                _write_script(folder, outcome)
            yield outcome
    finally:
        rooms.close()


def runtime_at(path: Path, home: Home) -> Runtime:
    """Return the runtime at a path, with the versions that it names; it is asked in a lab, as nothing is known of it.

    Raises:
        TutorError: `conformance.no_runtime`, it can't be executed; `lab. ...`.
    """
    rooms = _Rooms(home)
    try:
        version = Subject(Runtime.at(path), rooms.clean_lab()).command([str(path), "--version"]).stdout
        return Runtime.at(path, version, has_run=_has_run(path, rooms))
    except HungError:
        return Runtime.at(path)
    except TutorError as error:
        if error.key != "lab.spawn":
            raise
        raise TutorError("conformance.no_runtime", path=path, reason=error.values["reason"]) from error
    finally:
        rooms.close()


def _has_run(path: Path, rooms: _Rooms) -> bool:
    """Return whether the runtime has the operation `run`; one that hangs or ends the lab when asked is not asked further."""
    try:
        return Subject(Runtime.at(path), rooms.clean_lab()).command([str(path), "run", "--help"]).ok
    except HungError:
        return True
    except TutorError as error:
        if not lost(error):
            raise
        return True


def _works(subject: Subject) -> bool:
    """Return whether the runtime runs a container of a configuration in which nothing is wrong."""
    try:
        return subject.output("echo ran") == "ran"
    except (FailedError, UndecidedError, OSError, ValueError):
        return False
    except TutorError as error:
        if not lost(error):
            raise
        return False


class _Rooms:
    """The lab, and another one when a check has left something in it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lab: Lab | None = None
        self._mounts = ""

    def clean_lab(self) -> Lab:
        """Return a lab in which nothing runs and nothing is mounted that was not when it began."""
        if self._lab is not None and not self._is_clean(self._lab):
            self.close()
        if self._lab is None:
            # `confined`: an absolute cgroupsPath leads to below the lab's own cgroup.
            options = LabOptions(covers=(BUNDLES,), confined=True)
            self._lab = Lab.start(home=self._home, engine="runt", workdir=Path("/"), options=options)
            self._mounts = leftovers.mounts(self._lab)
        for left in Path(f"/proc/{self._lab.keeper_pid}/root{BUNDLES}").iterdir():
            shutil.rmtree(left)
        return self._lab

    def close(self) -> None:
        """End the lab and everything in it."""
        lab, self._lab = self._lab, None
        if lab is not None:
            lab.close()

    def _is_clean(self, lab: Lab) -> bool:
        return lab.alive and leftovers.mounts(lab) == self._mounts and not leftovers.processes(lab)


def _run_one(check: Check, subject: Subject) -> tuple[Outcome, bool]:
    """Return the outcome of a check, and whether a command did not end.

    Raises:
        TutorError: the lab has ended, and not by the runtime's doing.
    """
    reason = detail = ""
    hung = False
    status: Status = "fail"
    try:
        check.run(subject)
        agrees = all(each.agrees for each in subject.seen) and bool(subject.seen)
        status = "pass" if agrees else "fail"
    except InapplicableError as error:
        status, reason, detail = "inapplicable", error.reason, error.detail
    except HungError:
        hung = True
    except FailedError:
        pass
    except (UndecidedError, OSError, ValueError) as error:
        # Something in the lab vanished while the check looked at it, or has an unexpected form.
        reason, detail = "broken", str(error)
    except TutorError as error:
        if not lost(error):
            raise
        reason = "lab_lost"
    if status == "fail" and not hung and not subject.runtime.follows(check.since):
        status, reason, detail = "inapplicable", "version", check.since
    seen, commands = tuple(subject.seen), tuple(subject.commands)
    return Outcome(check, status, seen, commands, reason, detail), hung


def _write_script(folder: Path, outcome: Outcome) -> None:
    """Write the command lines of a check beside its bundles, for a shell of root's."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line.replace(BUNDLES, str(folder)) for line in outcome.commands]
    (folder / "by-hand.sh").write_text("\n".join(["#!/bin/sh -x", *lines, ""]))
