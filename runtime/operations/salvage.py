"""What can still be known of a container whose record is damaged, so that `delete --force` ends what belongs to its id.

The configuration is beside the record, and names the cgroup and the root. A process counts as the container's only if
something says so: it is in the cgroup that the configuration names, or in one that is called like the container and where
all are in other mount namespaces than the runtime, or its root is the container's. What another container's record claims is
left alone.
"""

from __future__ import annotations

import os

from runtime.cgroups.lifecycle import existing, existing_beside
from runtime.cgroups.membership import processes
from runtime.config.members import CONFIG
from runtime.config.shape import Mismatch
from runtime.state import liveness
from runtime.state.record import read_json, whole_members
from runtime.state.store import Entry, new_record
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from runtime.config.types import Config, Process, Record
    from runtime.state.store import Store


def salvage(store: Store, container_id: str) -> Entry:
    """Return an entry of a container whose record is damaged, with what of it is whole and what can be found out.

    The caller holds the container's lock.
    """
    directory = f"{store.root}/{container_id}"
    nothing: Any = {}
    record: Any = new_record(container_id, bundle="/", rootfs="/", config=nothing)
    left = _whole_members(f"{directory}/state.json")
    record.update(left, id=container_id, ready=True)
    entry = Entry(directory, record)
    try:
        config = entry.config()
        CONFIG.check(config, ())
    except (RuntError, Mismatch, RecursionError):
        return _WithoutConfiguration(directory, record)
    _find_the_rest(store, entry.record, left, config)
    return entry


class _WithoutConfiguration(Entry):
    """An entry whose configuration is damaged as well: its hooks are not known."""

    def config(self) -> Config:
        """Raise RuntError."""
        raise RuntError(f"{self.dir}/config.json is damaged")


def _whole_members(path: str) -> dict[str, Any]:
    """Return what is whole of the record at `path`."""
    try:
        return whole_members(read_json(path))
    except (RuntError, OSError):
        return {}


def _find_the_rest(store: Store, record: Record, left: dict[str, Any], config: Config) -> None:
    """Fill in the root, the cgroups and the init process, where the record does not have them any more."""
    others = _others(store, record["id"])
    claimed = {path for other in others for path in other["cgroups"]}
    if "rootfs" not in left and "root" in config:
        record["rootfs"] = os.path.realpath(os.path.join(record["bundle"], config["root"]["path"]))
    inside = [process for process in _with_root(record["rootfs"]) if process["pid"] not in _pids(others)]
    if "cgroups" not in left:
        named = config.get("linux", {}).get("cgroupsPath")
        found = [path for path in existing(named or record["id"]) if path not in claimed]
        if named is None and not _are_in_a_container(processes(found)):
            # A cgroup that is called like the container may be another program's; then it got one of a longer name.
            beside = [path for path in existing_beside(record["id"]) if path not in claimed]
            found = beside if _are_in_a_container(processes(beside)) else []
        record["cgroups"] = found
    if "cgroups_made" not in left:
        record["cgroups_made"] = list(record["cgroups"])
    if record["init"] is None and not record["cgroups"] and inside:
        record["init"] = inside[0]


def _others(store: Store, container_id: str) -> list[Record]:
    """Return the records of the other containers, as far as they are whole."""
    records = []
    for other in store.ids():
        if other != container_id:
            try:
                records.append(store.open(other).record)
            except RuntError:
                continue
    return records


def _pids(others: list[Record]) -> set[int]:
    found = {pid for other in others for pid in processes(other["cgroups"])}
    return found | {other["init"]["pid"] for other in others if other["init"] is not None}


def _are_in_a_container(pids: list[int]) -> bool:
    """Tell whether there are processes, and all of them are in other mount namespaces than this one."""
    own = os.readlink("/proc/self/ns/mnt")
    try:
        return bool(pids) and all(os.readlink(f"/proc/{pid}/ns/mnt") != own for pid in pids)
    except OSError:
        return False


def _with_root(rootfs: str) -> Iterator[Process]:
    """Yield the processes whose root is the directory `rootfs` in a mount namespace of their own, the oldest first."""
    try:
        root = os.stat(rootfs)
    except OSError:
        return
    if os.path.samestat(root, os.stat("/")):
        return
    own = os.readlink("/proc/self/ns/mnt")
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            if os.path.samestat(root, os.stat(f"/proc/{pid}/root/")) and own != os.readlink(
                f"/proc/{pid}/ns/mnt"
            ):
                process = liveness.identify(pid)
                if process is not None:
                    yield process
        except OSError:
            continue
