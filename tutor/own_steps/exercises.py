"""The exercises of the course `build-your-own`: in which order, and which functions each one asks for."""

from __future__ import annotations

from typing import NamedTuple


class Exercise(NamedTuple):
    """One exercise: its id, and the functions that the learner writes in it; `step` of the command line is the id."""

    id: str
    functions: tuple[str, ...]


EXERCISES: tuple[Exercise, ...] = (
    Exercise("ids", ("claim_id", "save_state", "read_state")),
    Exercise("bundle", ("load_config",)),
    Exercise("namespaces", ("clone_init",)),
    Exercise("hostname", ("set_hostname",)),
    Exercise("root", ("prepare_root", "switch_root")),
    Exercise("mounts", ("mount_filesystems", "protect_paths")),
    Exercise("devices", ("make_devices",)),
    Exercise("user", ("set_user", "set_capabilities")),
    Exercise("fifo", ("make_fifo", "wait_for_start")),
    Exercise("start", ("start",)),
    Exercise("state", ("status_of", "list_containers")),
    Exercise("kill", ("kill",)),
    Exercise("delete", ("delete",)),
    Exercise("hooks", ("run_hooks",)),
    Exercise("cgroups", ("make_cgroup", "remove_cgroup")),
    Exercise("console", ("open_console",)),
)
"""In the order of the lessons. A function belongs to one exercise."""

FUNCTIONS: tuple[str, ...] = tuple(name for each in EXERCISES for name in each.functions)
"""The functions of all exercises, in their order."""


def exercise(exercise_id: str) -> Exercise:
    """Return an exercise by its id, or by the name of one of its functions. Raises KeyError."""
    for each in EXERCISES:
        if exercise_id == each.id or exercise_id in each.functions:
            return each
    raise KeyError(exercise_id)
