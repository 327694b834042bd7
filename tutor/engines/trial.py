"""Runs small bundles on one engine in a lab, and returns the results."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tutor import patience
from tutor.engines.streams import nothing_to_read
from tutor.lab.state_roots import BUNDLES
from tutor.lazy_dataclass import dataclass
from tutor.paths import SYSTEM_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tutor.engines.engine import Engine
    from tutor.errors import TutorError
    from tutor.lab.lab import Lab

_LOOK = 0.01
_PIPE = 1 << 16
_MOST = 4 << 20
"""How much of what a program prints is kept, in bytes."""
# The programs of the machine itself, read-only in the container: no image is needed.
_PROGRAMS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr", "/nix/store", "/gnu/store")
PATH = f"PATH={SYSTEM_PATH}"


class UndecidedError(Exception):
    """The question cannot be answered on this machine, or by what the engine did."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit status, and what it and its container printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status == 0


class Streams:
    """The standard streams of one command; a context manager that closes this side of them.

    `given` are the descriptors for the command: what it reads, as given here, and the ends of two pipes to write into. `printed` is
    what came out of each, by the end that is read.
    """

    # Pipes, as in a lesson: runc 1.3.6 resolves /dev/stdout of an earlier container to what its own output is.
    def __init__(self, stdin: int) -> None:
        (out, into_out), (err, into_err) = os.pipe(), os.pipe()
        self.given: tuple[int, ...] = (stdin, into_out, into_err)
        self.printed: dict[int, bytearray] = {out: bytearray(), err: bytearray()}

    def close_given(self) -> None:
        """Close the command's descriptors, of which it has copies; a second call does nothing."""
        given, self.given = self.given, ()
        for descriptor in given:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_given()
        for descriptor in self.printed:
            os.close(descriptor)


class Bundle:
    """A bundle and a container of it; `path` is as the lab sees it, `inside` as this process does."""

    def __init__(self, trial: Trial, name: str, path: str = "") -> None:
        """`path`: of a bundle that exists; empty for one in the lab's own place for bundles."""
        self._trial = trial
        self.id = name
        self.path = path or f"{BUNDLES}/{name}"
        self.inside = Path(f"/proc/{trial.lab.keeper_pid}/root{self.path}")

    def engine(self, operation: str, *arguments: str) -> Done:
        """Run an operation on its container; `create` and `run` are given the bundle."""
        extra = (f"--bundle={self.path}", *arguments) if operation in ("create", "run") else arguments
        return self._trial.command(self._trial.engine.argv(operation, self.id, extra))

    def pid(self) -> int:
        """Return the pid of its init process in the host's PID namespace; 0 if there is none."""
        with contextlib.suppress(ValueError):
            return int(self.state().get("pid") or 0)
        return 0

    def state(self) -> dict[str, Any]:
        """Return the output of `state`; empty if there is no container."""
        done = self.engine("state")
        try:
            found = json.loads(done.stdout) if done.ok else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def until(self, status: str) -> bool:
        """Wait until its container has this status; return False when it takes too long."""
        return self.until_true(lambda: self.state().get("status") == status)

    def until_true(self, look: Callable[[], bool]) -> bool:
        """Wait until `look` returns true; return False when it takes too long."""
        deadline = time.monotonic() + patience.scaled(self._trial.settle)
        while not look():
            if time.monotonic() > deadline:
                self._trial.waited_in_vain += 1
                return False
            time.sleep(_LOOK)
        return True

    def read(self, name: str) -> str:
        """Return the text of a file in the bundle; empty if there is none."""
        try:
            return (self.inside / name).read_text(errors="replace")
        except OSError:
            return ""

    def mounts(self) -> list[list[str]]:
        """Return the fields of each line of its init process's mountinfo, proc(5)."""
        try:
            text = Path(f"/proc/{self.pid()}/mountinfo").read_text(errors="replace")
        except OSError:
            return []
        return [line.split() for line in text.splitlines()]


class Trial:
    """One engine in its lab, and the small bundles that it is tried on."""

    prefix = "trait"
    """What the ids of its containers begin with."""
    seconds = 20.0
    """The time limit of a command that takes a tenth of a second."""
    settle = 5.0
    """How long to wait for what a command brings about, in seconds."""

    def __init__(self, engine: Engine, lab: Lab) -> None:
        self.engine = engine
        self.lab = lab
        self.waited_in_vain = 0
        self._count = 0

    @contextlib.contextmanager
    def bundle(
        self,
        script: str = ":",
        *,
        patch: Mapping[str, Any] | None = None,
        text: Callable[[str], str] | None = None,
        files: Mapping[str, str] | None = None,
        mounts: Sequence[Mapping[str, Any]] = (),
    ) -> Iterator[Bundle]:
        """Create a bundle whose program is a shell script; its container is deleted at the end of the block.

        Args:
            script: the program, for `sh -c`.
            patch: what to change in the configuration: objects are merged, None removes a member (RFC 7396).
            text: a function that changes the text of `config.json`.
            files: executable files in the bundle, by their path; `{bundle}` is replaced in them.
            mounts: mounts after those that every bundle has.
        """
        self._count += 1
        made = Bundle(self, f"{self.prefix}-{self._count}")
        root = made.inside / "rootfs"
        root.mkdir(parents=True)
        config = merged(_configuration(root, script), patch or {})
        if mounts:
            config["mounts"] = [*config["mounts"], *mounts]
        written = json.dumps(config).replace("{bundle}", made.path)
        (made.inside / "config.json").write_text(text(written) if text else written)
        for name, content in (files or {}).items():
            file = made.inside / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content.replace("{bundle}", made.path))
            file.chmod(0o755)
        self.keep(made)
        try:
            yield made
        finally:
            made.engine("delete", "--force")

    def keep(self, made: Bundle) -> None:
        """Look at a bundle before anything is run on it; for what is built on this class."""

    def run(self, script: str, *, patch: Mapping[str, Any] | None = None) -> Done:
        """Run a container from beginning to end, and return what it did."""
        with self.bundle(script, patch=patch) as made:
            return made.engine("run")

    def printed(self, script: str, *, patch: Mapping[str, Any] | None = None) -> str:
        """Return what a container printed.

        Raises:
            UndecidedError: it failed.
        """
        done = self.run(script, patch=patch)
        if not done.ok:
            raise UndecidedError(done.stderr)
        return done.stdout.strip()

    def command(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = "/") -> Done:
        """Run a program in the lab and wait until it ends; a container that it leaves running does not matter.

        Raises:
            UndecidedError: it does not end.
            TutorError: `lab.ended`, `lab.spawn`.
        """
        with Streams(nothing_to_read()) as streams:
            return self.command_on(streams, argv, env=env, cwd=cwd)

    def command_on(
        self,
        streams: Streams,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
    ) -> Done:
        """Run a program, as `command` does, on streams that a container which it leaves running keeps.

        Raises:
            UndecidedError: it does not end.
            TutorError: `lab.ended`, `lab.spawn`.
        """
        nowhere, into_out, into_err = streams.given
        try:
            process = self.lab.spawn(
                argv,
                cwd=Path(cwd),
                env=None if env is None else {**self.lab.environment, **env},
                stdin=nowhere,
                stdout=into_out,
                stderr=into_err,
            )
        finally:
            streams.close_given()
        deadline = time.monotonic() + patience.scaled(self.seconds)
        status: int | None = None
        while status is None:
            try:
                status = process.wait(_LOOK)
            except TimeoutError:
                # A program that prints more than a pipe holds would wait for its reader.
                _read(streams.printed)
                if time.monotonic() > deadline:
                    process.signal(signal.SIGKILL)
                    raise UndecidedError(" ".join(argv)) from None
        _read(streams.printed)
        return Done(status, *(bytes(each).decode(errors="replace") for each in streams.printed.values()))

    def shell(self, line: str) -> Done:
        """Run a line of the shell in the lab.

        Raises:
            UndecidedError: it fails.
        """
        done = self.command(["/bin/sh", "-c", line])
        if not done.ok:
            raise UndecidedError(done.stderr)
        return done


def _read(printed: Mapping[int, bytearray]) -> None:
    """Append what is in each pipe, whether or not a container still holds its other end; what is beyond `_MOST` is dropped."""
    for pipe, text in printed.items():
        os.set_blocking(pipe, False)
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(pipe, _PIPE):
                text += chunk[: _MOST - len(text)]


def merged(config: Any, patch: Any) -> Any:
    """Return a JSON value with a merge patch applied (RFC 7396)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(config) if isinstance(config, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _configuration(root: Path, script: str) -> dict[str, Any]:
    """Return a configuration that every engine takes, with the machine's programs in its root."""
    mounts: list[dict[str, Any]] = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    ]
    for name in _PROGRAMS:
        place = Path(name)
        if place.is_symlink():
            (root / name[1:]).symlink_to(place.readlink())
        elif place.is_dir():
            mounts.append(
                {"destination": name, "type": "bind", "source": name, "options": ["rbind", "ro", "rprivate"]}
            )
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/sh", "-c", script],
            "env": [PATH],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "mounts": mounts,
        "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "uts")]},
    }


def lost(error: TutorError) -> bool:
    """Return whether the lab itself has gone: then no further question makes sense."""
    return error.key == "lab.ended"
