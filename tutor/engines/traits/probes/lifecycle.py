"""Questions on the operations: what is allowed in which state, and how signals are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engines.traits.probes.registry import probe
from tutor.engines.trial import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.engines.trial import Trial

_WITHOUT_PID = {"linux": {"namespaces": [{"type": "mount"}]}}


@probe("kill-stopped-shared-pid")
def kill_stopped_shared_pid(trial: Trial) -> str:
    """`kill ID KILL` of a stopped container that has no PID namespace of its own."""
    return _kill_stopped(trial, _WITHOUT_PID)


@probe("kill-stopped")
def kill_stopped(trial: Trial) -> str:
    """`kill ID KILL` of a stopped container with a PID namespace of its own."""
    return _kill_stopped(trial, {})


def _kill_stopped(trial: Trial, patch: Mapping[str, object]) -> str:
    with trial.bundle(patch=patch) as box:
        if not (box.engine("create").ok and box.engine("start").ok and box.until("stopped")):
            raise UndecidedError
        return "accepted" if box.engine("kill", "KILL").ok else "refused"


@probe("lower-case-signal")
def lower_case_signal(trial: Trial) -> str:
    """`kill ID kill`: a signal's name in lower case."""
    return _signal(trial, "kill")


@probe("unknown-signal")
def unknown_signal(trial: Trial) -> str:
    """`kill ID NOSUCH`: a signal that does not exist."""
    return _signal(trial, "NOSUCH")


def _signal(trial: Trial, name: str) -> str:
    with trial.bundle("exec sleep 60") as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            raise UndecidedError
        if not box.engine("kill", name).ok:
            return "refused"
        # Where the signal was sent, the container ends in no time; where none was, it stays running.
        return "sent" if name.islower() and box.until("stopped") else "ignored"


@probe("delete-created")
def delete_created(trial: Trial) -> str:
    """`delete` of a container that is `created`, without --force."""
    with trial.bundle() as box:
        if not box.engine("create").ok:
            raise UndecidedError
        return "accepted" if box.engine("delete").ok else "refused"


@probe("delete-running")
def delete_running(trial: Trial) -> str:
    """`delete` of a running container, without --force."""
    with trial.bundle("exec sleep 60") as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            raise UndecidedError
        return "accepted" if box.engine("delete").ok else "refused"
