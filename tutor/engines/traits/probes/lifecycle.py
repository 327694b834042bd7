"""Questions on the operations: what is allowed in which state, and how signals are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.engines.traits.bench import UndecidedError
from tutor.engines.traits.probes.registry import probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.engines.traits.bench import Bench

_WITHOUT_PID = {"linux": {"namespaces": [{"type": "mount"}]}}


@probe("kill-stopped-shared-pid")
def kill_stopped_shared_pid(bench: Bench) -> str:
    """`kill ID KILL` of a stopped container that has no pid namespace of its own."""
    return _kill_stopped(bench, _WITHOUT_PID)


@probe("kill-stopped")
def kill_stopped(bench: Bench) -> str:
    """`kill ID KILL` of a stopped container with a pid namespace of its own."""
    return _kill_stopped(bench, {})


def _kill_stopped(bench: Bench, patch: Mapping[str, object]) -> str:
    with bench.bundle(patch=patch) as box:
        if not (box.engine("create").ok and box.engine("start").ok and box.until("stopped")):
            raise UndecidedError
        return "accepted" if box.engine("kill", "KILL").ok else "refused"


@probe("lower-case-signal")
def lower_case_signal(bench: Bench) -> str:
    """`kill ID kill`: a signal's name in lower case."""
    return _signal(bench, "kill")


@probe("unknown-signal")
def unknown_signal(bench: Bench) -> str:
    """`kill ID NOSUCH`: a signal that does not exist."""
    return _signal(bench, "NOSUCH")


def _signal(bench: Bench, name: str) -> str:
    with bench.bundle("exec sleep 60") as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            raise UndecidedError
        if not box.engine("kill", name).ok:
            return "refused"
        # Where the signal was sent, the container ends in no time; where none was, it stays running.
        return "sent" if name.islower() and box.until("stopped") else "ignored"


@probe("delete-created")
def delete_created(bench: Bench) -> str:
    """`delete` of a container that is `created`, without --force."""
    with bench.bundle() as box:
        if not box.engine("create").ok:
            raise UndecidedError
        return "accepted" if box.engine("delete").ok else "refused"


@probe("delete-running")
def delete_running(bench: Bench) -> str:
    """`delete` of a running container, without --force."""
    with bench.bundle("exec sleep 60") as box:
        if not (box.engine("create").ok and box.engine("start").ok):
            raise UndecidedError
        return "accepted" if box.engine("delete").ok else "refused"
