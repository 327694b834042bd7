"""The limits of `linux.resources`: found possible before anything is made, set before the container's program can run."""

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
"""What the kernel says to a value that doesn't fit another one as it is at the moment."""


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
    """Write the limits into the files of the container's cgroup, but for those that would get in init's way.

    config-linux.md, Control groups: a cgroup that stands still is none for a container, init would never get anywhere.
    """
    _set(c, lambda file: not _is_of_time(file) and file != _OOM)
    directory = c.cgroup.directories.get("freezer") or c.cgroup.directories.get("")
    if directory and freezer.stands_still(directory):
        raise RuntError(f"container's cgroup unexpectedly frozen: {directory}")


def set_time_limits(c: Container) -> None:
    """Write the limits of processor time, once init has done most of its work: that is the runtime's and not the program's.

    With a hundredth of a processor it would take a second. Only the realtime is given before, because a process with a
    realtime policy couldn't join without.
    """
    _set(c, _is_of_time)


def set_oom_killer(c: Container) -> None:
    """Say whether the kernel may kill for want of memory, once init needs no more (config-linux.md, disableOOMKiller).

    If it may not, a process that needs more memory than there is waits: init would for ever, and the runtime for it.
    """
    if "disableOOMKiller" in c.linux.get("resources", {}).get("memory", {}):
        _set(c, lambda file: file == _OOM)


def _set(c: Container, is_wanted: Callable[[str], bool]) -> None:
    """Write those of the limits whose file `is_wanted`."""
    resources = _limits(c)
    if resources is None:
        return
    group = Group(c.entry.record["cgroups"])
    wanted = settings(resources, group, is_version2=group.is_version2)
    apply([setting for setting in wanted if is_wanted(setting[0])], group)


def _is_of_time(file: str) -> bool:
    return file.startswith("cpu.") and not file.startswith("cpu.rt_")


def _limits(c: Container) -> Resources | None:
    """Return the configuration's resources, None if they are about devices at most, which are no files to be written."""
    resources = c.linux.get("resources")
    return resources if resources and resources.keys() != {"devices"} else None


def settings(resources: Resources, group: Group, *, is_version2: bool) -> list[Setting]:
    """Return what to write into which file for `resources`. Raises RuntError for what this version can't do."""
    if is_version2:
        from runtime.cgroups import version2

        return list(version2.settings(resources, group))
    from runtime.cgroups import version1

    return list(version1.settings(resources, group))


def apply(wanted: Iterable[Setting], group: Group) -> None:
    """Write settings. Raises RuntError for the first that the kernel refuses for good.

    Some have to fit others: a limit of memory that of memory and swap, a quota its period. Which order works depends on
    what is there now, so what is refused is tried again after the rest, as long as that helps.
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
    """Write settings, or if one of them fails, put back what was there before. Raises RuntError."""
    before = [(file, group.read(file)) for file, _ in wanted]
    try:
        apply(wanted, group)
    except RuntError:
        for file, value in reversed(before):
            # What has several lines is read in another form than it is written.
            if value and "\n" not in value:
                try:
                    write(_find(file, group), value)
                except OSError:
                    continue
        raise


def _find(file: str, group: Group) -> str:
    """Return the path of a file of the container's cgroup. Raises RuntError if it is not there."""
    path = group.path(file)
    if path is not None:
        return path
    controller = file.partition(".")[0]
    if not group.directories or controller not in hierarchies.controllers_of(group.directories):
        raise RuntError(f"cannot set {controller} limit: container could not join or create cgroup")
    raise RuntError(f"cannot set {controller} limit: this kernel has no {file}")


def _explain(file: str, value: str, path: str, error: OSError, group: Group) -> RuntError:
    """Return the error for a value that doesn't fit, which for memory is one that is used already."""
    if error.errno == errno.EBUSY and file == "memory.limit_in_bytes":
        usage, peak = group.read("memory.usage_in_bytes"), group.read("memory.max_usage_in_bytes")
        return RuntError(
            f"unable to set memory limit to {value} (current usage: {usage}, peak usage: {peak})"
        )
    return _refusal(path, value, error)


def _refusal(path: str, value: str, error: OSError) -> RuntError:
    return RuntError(f'failed to write "{value}": write {path}: {describe(error)}')
