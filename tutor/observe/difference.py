"""The difference between two snapshots, as a value: what changes on the screen."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Generic, TypeVar

from tutor.lazy_dataclass import dataclass
from tutor.observe.model import (
    NO_CAPABILITIES,
    Capabilities,
    CgroupFile,
    CgroupMembership,
    ContainerView,
    Credentials,
    IdRange,
    Mount,
    Namespace,
    NamespaceView,
    Process,
    Snapshot,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """One item that is in both snapshots, but differs."""

    before: T
    after: T


@dataclass(frozen=True, slots=True)
class Changes(Generic[T]):
    """The items of a list that were added, removed or changed; false if there are none."""

    added: tuple[T, ...] = ()
    removed: tuple[T, ...] = ()
    changed: tuple[Changed[T], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed from one snapshot to the next; false if nothing changes on the screen.

    - `container`: both pids, if the container's process is another one than before (None: no container)
    - `alive`: both values, if the process has ended or begun
    - everything in a container that came or went counts as added or removed
    """

    container: Changed[int | None] | None = None
    alive: Changed[bool] | None = None
    namespaces: Changes[NamespaceView] = Changes()
    mounts: Changes[Mount] = Changes()
    processes: Changes[Process] = Changes()
    uid_map: Changed[tuple[IdRange, ...]] | None = None
    gid_map: Changed[tuple[IdRange, ...]] | None = None
    root: Changed[str] | None = None
    cwd: Changed[str] | None = None
    credentials: Changed[Credentials | None] | None = None
    capabilities: Changed[Capabilities] | None = None
    cgroups: Changed[tuple[CgroupMembership, ...]] | None = None
    cgroup_files: Changes[CgroupFile] = Changes()
    no_new_privs: Changed[bool] | None = None
    seccomp: Changed[int] | None = None
    unreadable: Changed[tuple[Unreadable, ...]] | None = None
    host_namespaces: Changes[Namespace] = Changes()
    host_mounts: Changes[Mount] = Changes()

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))


_NOTHING = ContainerView(pid=0, alive=False, capabilities=NO_CAPABILITIES)


def diff(before: Snapshot, after: Snapshot) -> Delta:
    """Return what changed between two snapshots: mounts are matched by id and target, processes by pid."""
    old, new = before.container or _NOTHING, after.container or _NOTHING
    old_pid = before.container.pid if before.container else None
    new_pid = after.container.pid if after.container else None
    return Delta(
        container=_changed(old_pid, new_pid),
        alive=_changed(old.alive, new.alive),
        namespaces=_changes(old.namespaces, new.namespaces, lambda namespace: namespace.kind),
        mounts=_changes(old.mounts, new.mounts, _mount_key),
        processes=_changes(old.processes, new.processes, lambda process: process.pid),
        uid_map=_changed(old.uid_map, new.uid_map),
        gid_map=_changed(old.gid_map, new.gid_map),
        root=_changed(old.root, new.root),
        cwd=_changed(old.cwd, new.cwd),
        credentials=_changed(old.credentials, new.credentials),
        capabilities=_changed(old.capabilities, new.capabilities),
        cgroups=_changed(old.cgroups, new.cgroups),
        cgroup_files=_changes(
            old.cgroup_files, new.cgroup_files, lambda file: (file.directory, file.name, file.key)
        ),
        no_new_privs=_changed(old.no_new_privs, new.no_new_privs),
        seccomp=_changed(old.seccomp, new.seccomp),
        unreadable=_changed(old.unreadable, new.unreadable),
        host_namespaces=_changes(
            before.host.namespaces, after.host.namespaces, lambda namespace: namespace.kind
        ),
        host_mounts=_changes(before.host.mounts, after.host.mounts, _mount_key),
    )


def _mount_key(mount: Mount) -> tuple[int, str]:
    return mount.id, mount.target


def _changed(before: T, after: T) -> Changed[T] | None:
    return None if before == after else Changed(before, after)


def _changes(before: tuple[T, ...], after: tuple[T, ...], key: Callable[[T], Hashable]) -> Changes[T]:
    if before == after:
        return Changes()
    old = {key(each): each for each in before}
    new = {key(each): each for each in after}
    return Changes(
        added=tuple(each for name, each in new.items() if name not in old),
        removed=tuple(each for name, each in old.items() if name not in new),
        changed=tuple(
            Changed(old[name], each) for name, each in new.items() if name in old and old[name] != each
        ),
    )
