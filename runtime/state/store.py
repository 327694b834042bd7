"""The records of the containers, on disk, consistent also after `kill -9` at any moment.

    ROOT/ID/state.json    the record: written whole to a second file and renamed, so never half written
    ROOT/ID/config.json   the configuration as it was at `create`
    ROOT/ID/exec.fifo     the named pipe that the container's init process waits at until `start`
    ROOT/ID/rootfs        the root's mount, without a mount namespace, if another container has it at its own place
    ROOT/ID/restored.pid  of a restored container: its pid, as criu wrote it
    ROOT/@locks/ID        a lock file while an operation on ID is under way ("@" can't be part of an id)

The rules that make it safe:
- the record, with the creator's identity, is written before anything is acquired for the container; what has been
  acquired can be found from the record and undone by `delete --force`, whichever process died;
- whether a container is alive is never stored, but read from the kernel (`liveness`);
- `state.json` is unlinked last, so a container that is half deleted can be deleted again;
- the lock is a POSIX record lock (fcntl_locking(2)): it ends with the process that took it and, unlike flock(2),
  is not inherited by the container's processes, so a killed runtime never leaves an id locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

from runtime.state import freezer, liveness
from runtime.state.record import read_json, read_record
from runtime.support import files, jsontext
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from runtime.config.types import Config, Record, State, Status

SPEC_VERSION = "1.3.0"
"""The version of the runtime specification that runt implements."""

INIT_NAME = "runt:[INIT]"
"""The name of a container's init process (PR_SET_NAME of prctl(2)) until it executes the user's program."""

LOCKS = "@locks"
_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+,.-")
"""The characters of an id."""


def check_id(container_id: str) -> None:
    """Raise RuntError unless `container_id` is one that runc accepts too: a plain file name of safe characters."""
    if not container_id:
        raise RuntError("container id cannot be empty")
    if container_id in (".", "..") or len(container_id) > 255 or not _ID.issuperset(container_id):
        raise RuntError(
            f"invalid container ID format: {container_id[:64]!r}: "
            "an ID is 1 to 255 of the characters A-Z a-z 0-9 _ + - . , and neither . nor .."
        )


class NoSuchContainerError(RuntError):
    """There is no container with this id."""


class Entry:
    """One container's record and its state directory.

    `dir` is the absolute path of the state directory, `record` what `state.json` said when it was last read or
    written by this process.
    """

    def __init__(self, directory: str, record: Record) -> None:
        self.dir = directory
        self.record = record
        self._config: Config | None = None

    @property
    def fifo(self) -> str:
        """The path of `exec.fifo`."""
        return f"{self.dir}/exec.fifo"

    def config(self) -> Config:
        """Return the configuration as it was when the container was created.

        Raises RuntError when `create` did not come as far as writing one.
        """
        if self._config is None:
            try:
                self._config = read_json(f"{self.dir}/config.json")
            except FileNotFoundError:
                raise RuntError(
                    f"container {self.record['id']} has no configuration: its create did not finish"
                ) from None
        return self._config

    def save(self, **fields: Any) -> None:
        """Change `fields` of the record, on disk and in memory, all or nothing.

        Raises RuntError when the container has been deleted in the meantime.
        """
        record: Any = {**self.record, **fields}
        try:
            _write_json(f"{self.dir}/state.json", record)
        except FileNotFoundError:
            raise self._deleted() from None
        self.record = record

    def lock(self) -> Lock:
        """Return the lock of the container; what its record says may have changed until it is taken: see `reload`."""
        root, _, container_id = self.dir.rpartition("/")
        return Store(root).locked(container_id)

    def reload(self) -> None:
        """Read the record again, from where the container's lock is held.

        Raises NoSuchContainerError when the container has been deleted in the meantime, also if its id belongs to another now.
        """
        creator = self.record["creator"]
        try:
            self.record = read_record(self.dir)
        except FileNotFoundError:
            raise self._deleted() from None
        if self.record["creator"] != creator:
            raise self._deleted()

    def _deleted(self) -> NoSuchContainerError:
        return NoSuchContainerError(f"container {self.record['id']} has been deleted")

    def status(self) -> Status:
        """Return the container's status (runtime.md, State), as the kernel has it now.

        `ready` is journalled by `create` when everything is in place, `started` by `start`; a `start` that was killed
        before it could do so is seen by the name of the process, which execve(2) changes. A container whose creator died
        before it was ready is `stopped`: it can never be started, only deleted. `paused` is not in the specification but in
        runc: the processes are frozen, before `start` or after it.
        """
        record = self.record
        if not record["ready"]:
            return "creating" if liveness.is_alive(record["creator"]) else "stopped"
        init = record["init"]
        if init is None or not liveness.is_alive(init):
            return "stopped"
        if freezer.is_frozen(record["cgroups"]):
            return "paused"
        return "running" if record["started"] or liveness.name(init) != INIT_NAME else "created"

    def state(self, status: Status | None = None) -> State:
        """Return the `state` object that hooks get, for the container's own status or a given one."""
        record = self.record
        state: State = {
            "ociVersion": record["ociVersion"],
            "id": record["id"],
            "status": status or self.status(),
            "bundle": record["bundle"],
        }
        if record["init"] is not None and state["status"] != "stopped":
            state["pid"] = record["init"]["pid"]
        if record["annotations"]:
            state["annotations"] = record["annotations"]
        return state

    def remove(self) -> None:
        """Remove the state directory, `state.json` last; a file that is missing is no error."""
        _remove_directory(self.dir)


class Lock:
    """The lock that a process holds to change a container: a context manager, `with store.locked(id):`.

    The lock file is removed with the lock. A process that waited for it then holds a lock on a file that has no name any
    more, notices, and starts again with the new file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> Self:
        """Wait until no other process has the lock, then take it."""
        while True:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.lockf(fd, fcntl.LOCK_EX)
            try:
                if os.path.samestat(os.fstat(fd), os.stat(self._path)):
                    self._fd = fd
                    return self
            except FileNotFoundError:
                pass
            os.close(fd)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock and remove its file."""
        _unlink(self._path)
        os.close(self._fd)


class Store:
    """All containers under one `--root` directory."""

    def __init__(self, root: str) -> None:
        self.root = absolute_path(root)

    def reserve(
        self, container_id: str, *, bundle: str, rootfs: str, config: Config, new_keyring: bool = True
    ) -> Entry:
        """Take the id `container_id`, before anything is acquired for it.

        `bundle` and `rootfs` are absolute paths; `config` is kept as the snapshot that later operations use.
        `new_keyring` says whether the container has a session keyring of its own.
        Raises RuntError for an id that is malformed or in use.
        """
        check_id(container_id)
        directory = f"{self.root}/{container_id}"
        record = new_record(
            container_id, bundle=bundle, rootfs=rootfs, config=config, new_keyring=new_keyring
        )
        entry = Entry(directory, record)
        with self.locked(container_id):
            if os.path.lexists(f"{directory}/state.json"):
                raise RuntError("container with given ID already exists")
            # A directory without a record was left by a killed reserve or delete: nothing was acquired for it.
            _remove_directory(directory)
            # 0711: the init process, perhaps with another user's rights, must be able to reach exec.fifo.
            try:
                os.mkdir(directory, 0o711)
                _write_json(f"{directory}/config.json", config)
                entry.save()
            except BaseException:
                # Such as a full disk, or Ctrl-C.
                _remove_directory(directory)
                raise
        return entry

    def open(self, container_id: str) -> Entry:
        """Return the container `container_id`. Raises RuntError for a malformed id and for no such container."""
        check_id(container_id)
        directory = f"{self.root}/{container_id}"
        try:
            return Entry(directory, read_record(directory))
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchContainerError("container does not exist") from None

    def ids(self) -> list[str]:
        """Return the ids of all containers, sorted. One may have been deleted by the time it is opened."""
        try:
            names = os.listdir(self.root)
        except FileNotFoundError:
            return []
        except PermissionError:
            raise self._not_permitted() from None
        return sorted(name for name in names if os.path.lexists(f"{self.root}/{name}/state.json"))

    def has_traces(self, container_id: str) -> bool:
        """Tell whether there is anything of `container_id`, also of a killed command. Raises RuntError for a malformed id."""
        check_id(container_id)
        return any(os.path.lexists(f"{self.root}/{place}{container_id}") for place in ("", f"{LOCKS}/"))

    def locked(self, container_id: str) -> Lock:
        """Return the lock of `container_id`, which need not exist. Raises RuntError for a malformed id.

        A child that is forked under the lock doesn't hold it and must not leave the `with` block: it ends in exec or
        `os._exit`.
        """
        check_id(container_id)
        try:
            os.makedirs(f"{self.root}/{LOCKS}", 0o700, exist_ok=True)
        except PermissionError:
            raise self._not_permitted() from None
        return Lock(f"{self.root}/{LOCKS}/{container_id}")

    def sweep(self, container_id: str) -> None:
        """Remove what a killed `reserve` or `delete` left of `container_id` without a record. The caller holds the lock."""
        if not os.path.lexists(f"{self.root}/{container_id}/state.json"):
            self.discard(container_id)

    def _not_permitted(self) -> RuntError:
        return RuntError(
            f"cannot use the state directory {self.root}: permission denied: name one of your own with --root"
        )

    def discard(self, container_id: str) -> None:
        """Remove the state directory of `container_id`, whatever is in it. The caller holds the lock."""
        _remove_directory(f"{self.root}/{container_id}")


def new_record(
    container_id: str, *, bundle: str, rootfs: str, config: Config, new_keyring: bool = True
) -> Record:
    """Return the record of a container for which nothing has been acquired, made by this process. Raises RuntError."""
    creator = liveness.identify(os.getpid())
    if creator is None:
        raise RuntError("cannot read /proc/self/stat: is /proc mounted?")
    return {
        "id": container_id,
        "ociVersion": SPEC_VERSION,
        "bundle": bundle,
        "rootfs": rootfs,
        "created": timestamp(),
        "owner": os.getuid(),
        "annotations": config.get("annotations", {}),
        "creator": creator,
        "init": None,
        "cgroups": [],
        "cgroups_made": [],
        "unit": "",
        "users_systemd": "",
        "mounts": [],
        "hook": None,
        "new_keyring": new_keyring,
        "runnable": bool(config.get("process", {}).get("args")),
        "ready": False,
        "started": False,
    }


def absolute_path(path: str) -> str:
    """Return the absolute path of `path`. Raises RuntError for a relative one when the current directory has been deleted."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise RuntError(
            f'"{path}" is relative to the current directory, which has been deleted: no such file or directory'
        ) from None


def timestamp() -> str:
    """Return the time now in UTC as RFC 3339 with nanoseconds, without trailing zeros as Go writes it."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"


def _remove_directory(directory: str) -> None:
    """Remove a state directory and what is in it, `state.json` last; of a link in its place, only the link."""
    if os.path.islink(directory):
        _unlink(directory)
        return
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return
    for name in sorted(names, key=lambda name: name == "state.json"):
        path = f"{directory}/{name}"
        if name in ("notify", "state.json") and os.path.isdir(path) and not os.path.islink(path):
            # The first is of `notify_socket`; the second is another program's.
            for place, directories, others in os.walk(path, topdown=False):
                for other in (*others, *directories):
                    _unlink(f"{place}/{other}")
            os.rmdir(path)
        else:
            _unlink(path)
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        pass


def _write_json(path: str, value: object) -> None:
    """Write `value` to `path` so that a reader sees the old file or the new one, never a part."""
    # In ASCII: a path that isn't UTF-8 survives as an escape. One name is enough: only the container's owner comes here.
    files.replace(path, jsontext.dumps(value).encode(), f"{path}.new", 0o600)


def _unlink(path: str) -> None:
    """Remove a file or an empty directory; it is no error if there is none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != errno.EISDIR:
            raise
        os.rmdir(path)
