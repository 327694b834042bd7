"""The limits of `linux.resources`: checked before anything is made, set before the container's program can run."""

from __future__ import annotations

import errno

from runtime.cgroups import hierarchies
from runtime.cgroups.group import Group, write
from runtime.state import freezer
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runtime.cgroups.version1 import Setting
    from runtime.config.types import Resources
    from runtime.state.container import Container

_OOM = "memory.oom_control"
_NOT_NOW = (errno.EINVAL, errno.EBUSY)
"""The errors for a value that contradicts the current value of another file."""


def check_cgroup_limits(c: Container) -> None:
    """Refuse limits that can't be set here: without their controller, or with values that its version doesn't have.

    config-linux.md, Unified: "The runtime MUST generate an error when the configuration refers to a cgroup controller
    that is not present"; runtime.md, Create: an error before anything has been created.
    """
    resources = _limits(c)
    if resources is None:
        return
    is_version2 = hierarchies.is_version2()
    available = hierarchies.controllers()
    for file, _ in settings(resources, Group([]), is_version2=is_version2):
        controller = file.partition(".")[0]
        if controller not in available and not (is_version2 and controller == "cgroup"):
            raise RuntError(
                f"cannot set {controller} limit: there is no cgroup controller {controller} on this machine"
            )


def set_cgroup_limits(c: Container) -> None:
    """Write the limits into the files of the container's cgroup, except those that would slow down or block init.

    config-linux.md, Control groups: a frozen cgroup is an error, init would wait in it for ever.
    """
    _set(c, lambda file: not _is_of_time(file) and file != _OOM)
    directory = c.cgroup.directories.get("freezer") or c.cgroup.directories.get("")
    if directory and freezer.stands_still(directory):
        raise RuntError(f"container's cgroup unexpectedly frozen: {directory}")


def set_time_limits(c: Container) -> None:
    """Write the limits of processor time, once init has done most of its work, which does not count as the program's.

    With a hundredth of a processor it would take a second. Only the realtime limits are written before, because a process
    with a realtime policy can't join without.
    """
    _set(c, _is_of_time)


def set_oom_killer(c: Container) -> None:
    """Set whether the kernel kills when memory runs out, once init needs no more (config-linux.md, disableOOMKiller).

    If it does not, a process that needs more memory waits: init would wait for ever, and the runtime for it.
    """
    if "disableOOMKiller" in c.linux.get("resources", {}).get("memory", {}):
        _set(c, lambda file: file == _OOM)


def _set(c: Container, is_wanted: Callable[[str], bool]) -> None:
    """Write the limits whose file `is_wanted`."""
    resources = _limits(c)
    if resources is None:
        return
    group = Group(c.entry.record["cgroups"])
    wanted = settings(resources, group, is_version2=group.is_version2)
    apply([setting for setting in wanted if is_wanted(setting[0])], group)


def _is_of_time(file: str) -> bool:
    return file.startswith("cpu.") and not file.startswith("cpu.rt_")


def _limits(c: Container) -> Resources | None:
    """Return the configuration's resources, None if they are about devices only, which are not files of limits."""
    resources = c.linux.get("resources")
    return resources if resources and resources.keys() != {"devices"} else None


def settings(resources: Resources, group: Group, *, is_version2: bool) -> list[Setting]:
    """Return the files and values for `resources`. Raises RuntError for a limit that this version of cgroups can't have."""
    if is_version2:
        from runtime.cgroups import version2

        return list(version2.settings(resources, group))
    from runtime.cgroups import version1

    return list(version1.settings(resources, group))


def apply(wanted: Iterable[Setting], group: Group) -> None:
    """Write settings. Raises RuntError for the first that the kernel refuses also when it is repeated.

    Some depend on others: a limit of memory on that of memory and swap, a quota on its period. Which order works depends on
    the current values, so a refused setting is repeated after the others, as long as that changes something.
    """
    pending = [(file, value, _find(file, group)) for file, value in wanted]
    while pending:
        refused = []
        problem = None
        for file, value, path in pending:
            try:
                write(path, value)
            except OSError as error:
                if error.errno not in _NOT_NOW:
                    raise _refusal(path, value, error) from None
                problem = problem or _explain(file, value, path, error, group)
                refused.append((file, value, path))
        if problem is not None and len(refused) == len(pending):
            raise problem
        pending = refused


def change(wanted: list[Setting], group: Group) -> None:
    """Write settings; if one of them fails, restore the values from before. Raises RuntError."""
    before = [(file, group.read(file)) for file, _ in wanted]
    try:
        apply(wanted, group)
    except RuntError:
        for file, value in reversed(before):
            # A file of several lines is read in another form than it is written.
            if value and "\n" not in value:
                try:
                    write(_find(file, group), value)
                except OSError:
                    continue
        raise


def _find(file: str, group: Group) -> str:
    """Return the path of a file of the container's cgroup. Raises RuntError if it does not exist."""
    path = group.path(file)
    if path is not None:
        return path
    controller = file.partition(".")[0]
    if not group.directories:
        raise RuntError(f"cannot set {controller} limit: container could not join or create cgroup")
    given = hierarchies.controllers_of(group.directories)
    if controller not in given:
        raise RuntError(
            f"cannot set {controller} limit: the container's cgroup does not have the controller {controller}, only "
            f"{' '.join(sorted(given)) or 'none'}: an ordinary user has those that the machine's systemd delegates to the "
            f"user's (Delegate= of user@.service)"
        )
    raise RuntError(f"cannot set {controller} limit: this kernel has no {file}")


def _explain(file: str, value: str, path: str, error: OSError, group: Group) -> RuntError:
    """Return the error for a refused value; for memory, with the usage that is above it."""
    if error.errno == errno.EBUSY and file == "memory.limit_in_bytes":
        usage, peak = group.read("memory.usage_in_bytes"), group.read("memory.max_usage_in_bytes")
        return RuntError(
            f"unable to set memory limit to {value} (current usage: {usage}, peak usage: {peak})"
        )
    return _refusal(path, value, error)


def _refusal(path: str, value: str, error: OSError) -> RuntError:
    return RuntError(f'failed to write "{value}": write {path}: {describe(error)}')
