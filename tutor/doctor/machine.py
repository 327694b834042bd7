"""Examine the machine: every probe, the slow ones side by side."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tutor.doctor.kernel import read_cgroups, read_privileges, read_system, run_trials
from tutor.doctor.model import Machine, Privileges, Storage
from tutor.doctor.terminal import ask_terminal
from tutor.doctor.tools import ask_docker, look_for_tools
from tutor.lab.grounds import USER, look
from tutor.lab.places import hindrances
from tutor.lab.user_namespace import ranges

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.home import Home


def examine(home: Home, tell: Callable[[tuple[str, ...]], None] = lambda _left: None) -> Machine:
    """Run every probe and return the results. It takes as long as the slowest probe.

    `tell` gets the names of those that have not ended yet (`trials`, `tools`, `docker`), whenever that changes.
    """
    terminal = ask_terminal()  # it draws on the terminal, as `tell` may
    with ThreadPoolExecutor(max_workers=3) as pool:
        trials, tools, docker = pool.submit(run_trials), pool.submit(look_for_tools), pool.submit(ask_docker)
        left: dict[Future[Any], str] = {trials: "trials", tools: "tools", docker: "docker"}
        tell(tuple(left.values()))
        for done in as_completed(tuple(left)):
            del left[done]
            if left:
                tell(tuple(left.values()))
        privileges = read_privileges()
        return Machine(
            system=read_system(),
            privileges=privileges,
            cgroups=read_cgroups(),
            terminal=terminal,
            storage=_storages(home, privileges),
            trials=trials.result(),
            tools=tools.result(),
            docker=docker.result(),
        )


def _storages(home: Home, privileges: Privileges) -> tuple[Storage, ...]:
    """Return the folders that will be written to, each once; bundles lie in the first."""
    labs = _storage(home.labs, owner=_owner_in_images(privileges))
    others = [each for folder in (home.state, home.cache) if (each := _storage(folder)).path != labs.path]
    return (replace(labs, hindrances=tuple(hindrances(labs.path))), *dict.fromkeys(others))


def _owner_in_images(privileges: Privileges) -> int | None:
    """Return who owns a user's files in images on this machine: an ordinary user's lab gives it a subordinate id."""
    if privileges.uid == 0:
        return USER
    given = ranges("/etc/subuid", privileges.user, privileges.uid)
    return given[0][0] + USER - 1 if given and given[0][1] >= USER else None


def _storage(folder: Path, *, owner: int | None = None) -> Storage:
    place = next(each for each in (folder, *folder.parents) if os.access(each, os.F_OK))
    figures = os.statvfs(place)
    refusal = look(str(place), owner=owner)
    return Storage(
        path=str(place),
        writable=refusal is None and os.access(place, os.W_OK),
        free=figures.f_bavail * figures.f_frsize,
        refusal=refusal,
    )
