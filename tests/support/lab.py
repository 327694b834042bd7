"""A lab with a bundle in it, and a search for what a lab has left."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tutor import patience
from tutor.home import Home
from tutor.images import prepare_bundle
from tutor.lab import state_roots as roots
from tutor.lab.journal import load
from tutor.lab.processes import Identity, all_pids, identity, is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

# The mini image takes longer to build than everything else here; it is checked before each use.
_CACHE = Path("/tmp/oci-tutor-test-cache")


def until(look: Callable[[], T], seconds: float = 20.0) -> T:
    """Call a function until its result is true, and return it; else fail with the last result."""
    deadline = time.monotonic() + patience.scaled(seconds)
    while not (seen := look()):
        assert time.monotonic() < deadline, f"never came true: {seen!r}"
        time.sleep(0.005)
    return seen


def until_nothing(look: Callable[[], list[str]], seconds: float = 20.0) -> None:
    """Call a function until its result is empty; else fail with the last result."""
    deadline = time.monotonic() + patience.scaled(seconds)
    while seen := look():
        assert time.monotonic() < deadline, f"left: {seen}"
        time.sleep(0.005)


def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "labs", tmp_path / "state", tmp_path / "cache")


def bundle(tmp_path: Path, args: Sequence[str] = ("echo", "alpine"), **changes: Any) -> Path:
    """Make a bundle of the mini image with the seed's config.json, another program, and other members."""
    path = tmp_path / "labs" / f"bundle-{len(list(tmp_path.glob('labs/*')))}"
    prepare_bundle(path, cache=_CACHE, config="minimal")
    write_config(path, args, **changes)
    return path


def write_config(path: Path, args: Sequence[str], **changes: Any) -> None:
    config = {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": list(args),
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "linux": {},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    }
    (path / "config.json").write_text(json.dumps(config | changes))


class Traces:
    """Everything by which a lab can be recognised, recorded while it exists; `left` returns what is still there."""

    def __init__(self, state: Path, tmp_path: Path) -> None:
        (journal_path,) = (state / "labs").glob("*.json")
        journal = load(str(journal_path))
        assert journal is not None
        self.name = journal.name
        self._tmp_path = str(tmp_path)
        self._journal = journal_path
        self._own = os.getpid()
        self.client, self.guard, self.keeper = journal.owners
        self._namespace = self._namespace_of(self.keeper.pid)
        assert self._namespace != self._namespace_of(os.getpid())
        self._members: set[Identity] = set()
        self.note_members()

    def note_members(self) -> set[Identity]:
        """Record which processes are in the lab's mount namespace or in one of its cgroups; return all recorded so far."""
        for pid in all_pids():
            cgroups = self._read(f"/proc/{pid}/cgroup")
            process = identity(pid)
            if process and (self._namespace_of(pid) == self._namespace or self.name in cgroups):
                self._members.add(process)
        return self._members

    def left(self) -> list[str]:
        owners = [one for one in (self.client, self.guard, self.keeper) if one.pid != self._own]
        return [
            *(f"process {process}" for process in {*self._members, *owners} if is_alive(process)),
            *(f"zombie {process}" for process in self._members if self._is_our_zombie(process)),
            *self._cgroups(),
            *(line for line in self._read("/proc/self/mountinfo").splitlines() if self._is_ours(line)),
            *(directory for directory in (*roots.DIRECTORIES, *roots.COVERS) if _is_forgotten(directory)),
            *([str(self._journal)] if self._journal.exists() else []),
        ]

    def _cgroups(self) -> list[str]:
        return [
            f"{folder}/{name}"
            for folder, names, _files in os.walk("/sys/fs/cgroup")
            for name in names
            if name == self.name
        ]

    def _is_ours(self, line: str) -> bool:
        return self.name in line or self._tmp_path in line

    @staticmethod
    def _namespace_of(pid: int) -> str:
        try:
            return str(Path(f"/proc/{pid}/ns/mnt").readlink())
        except OSError:
            return ""

    @staticmethod
    def _is_our_zombie(process: Identity) -> bool:
        fields = Traces._read(f"/proc/{process.pid}/stat").rpartition(") ")[2].split()
        return bool(fields) and fields[0] == "Z" and int(fields[19]) == process.start and int(fields[1]) != 1

    @staticmethod
    def _read(path: str) -> str:
        try:
            return Path(path).read_text(errors="replace")
        except OSError:
            return ""


def _is_forgotten(directory: str) -> bool:
    """Tell whether a directory of a lab is still there, although no lab (of another test run) holds it."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return bool(os.fstat(descriptor).st_mode & stat.S_ISVTX) and not any(Path(directory).iterdir())
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
