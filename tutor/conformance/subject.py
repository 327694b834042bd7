"""The runtime that is checked, in its lab: it runs bundles there and writes down what is seen."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
from typing import TYPE_CHECKING, Any, cast

from tutor.conformance import leftovers
from tutor.conformance.model import FailedError, Seen
from tutor.engines.engine import Engine
from tutor.engines.trial import Trial, UndecidedError
from tutor.lab.state_roots import BUNDLES
from tutor.lazy_dataclass import dataclass
from tutor.text.glyphs import DIFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tutor.engines.model import EngineName
    from tutor.engines.trial import Bundle, Done
    from tutor.lab.lab import Lab

STATE_ROOT = f"{BUNDLES}/state"
NOT_0 = f"{DIFFERS} 0"
"""An exit status other than 0."""
_RUN = """\
"$1" "$2" create "$4" "$3" && "$1" "$2" start "$3" || exit
while "$1" "$2" state "$3" | grep -Eq '"(created|running)"'; do sleep 0.02; done
"$1" "$2" delete "$3"
"""
"""What `run` is in the operations of the specification, which has no such operation."""
_LAST_WORDS = 200  # characters of an error that are shown


@dataclass(frozen=True, slots=True)
class Runtime(Engine):
    """Any OCI runtime with runc's command line: `--root` is named in every call, as nothing is known of its default."""

    has_run: bool = True
    """Whether it has `run`, as runc has it."""

    def argv(self, operation: str, container_id: str = "", arguments: Sequence[str] = ()) -> tuple[str, ...]:
        """Return argv, as `Engine` does, with the root of its state; for `run` a shell with the specification's, where it has none."""
        if operation == "run" and not self.has_run:
            return (
                "/bin/sh",
                "-c",
                _RUN,
                "run",
                str(self.path),
                f"--root={STATE_ROOT}",
                container_id,
                *arguments,
            )
        # The zero-argument form of super() does not work in a dataclass with slots.
        path, *words = Engine.argv(self, operation, container_id, arguments)
        return (path, f"--root={STATE_ROOT}", *words)

    @classmethod
    def at(cls, path: Path, version_text: str = "", *, has_run: bool = True) -> Runtime:
        """Return the runtime at a path, with the versions that its `--version` has printed."""
        version = re.search(r"version (\S+)", version_text)
        specification = re.search(r"^spec: (\S+)", version_text, re.MULTILINE)
        versions = [found[1] if found else "" for found in (version, specification)]
        return cls(cast("EngineName", path.name), path, versions[0], versions[1], has_run=has_run)

    def follows(self, since: str) -> bool:
        """Return whether it follows this version of the specification; one that names none follows every version."""
        return not self.spec_version or _numbers(self.spec_version) >= _numbers(since)


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version.partition("-")[0])]


class HungError(FailedError):
    """A command of the runtime did not end."""


class Subject(Trial):
    """A runtime in its lab, and what one check has seen of it so far."""

    prefix = "check"

    def __init__(self, runtime: Runtime, lab: Lab, keep: Path | None = None) -> None:
        """`keep`: a directory in which the bundles and the command lines of the check are kept."""
        super().__init__(runtime, lab)
        self.runtime = runtime
        self.seen: list[Seen] = []
        self.commands: list[str] = []
        self._keep = keep

    def command(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = "/") -> Done:
        """Run a program in the lab, as `Trial` does, and write it down.

        Raises:
            HungError: it does not end.
        """
        line = shlex.join(argv)
        self.commands.append(line if cwd == "/" else f"cd {shlex.quote(cwd)} && {line}")
        try:
            return super().command(argv, env=env, cwd=cwd)
        except UndecidedError:
            self.seen.append(Seen(shlex.join(argv[:3]), "exit", "timeout"))
            raise HungError from None

    def keep(self, made: Bundle) -> None:
        """Copy a bundle to where it is to be kept."""
        if self._keep is not None:
            kept = self._keep.absolute() / made.id
            shutil.copytree(made.inside, kept, symlinks=True, dirs_exist_ok=True)
            for file in (path for path in kept.rglob("*") if path.is_file() and not path.is_symlink()):
                file.write_text(file.read_text().replace(made.path, str(kept)))

    def mounts(self) -> int:
        """Return the number of mounts in the lab, outside of any container."""
        return len(leftovers.mounts(self.lab).splitlines())

    def processes(self) -> int:
        """Return the number of processes in the lab's cgroups, without the keeper."""
        return len(leftovers.processes(self.lab))

    @contextlib.contextmanager
    def created(self, script: str = "exec sleep 60", **changes: Any) -> Iterator[Bundle]:
        """Create a bundle and its container, which waits for `start`.

        Raises:
            FailedError: the runtime refuses to.
        """
        with self.bundle(script, **changes) as box:
            self.ok(box.engine("create"), "create")
            if not box.state():
                # Nothing that is waited for below would come.
                self.same("state", "{}", "")
                raise FailedError
            yield box

    @contextlib.contextmanager
    def running(self, script: str = "exec sleep 60", **changes: Any) -> Iterator[Bundle]:
        """Create a bundle and its container, and start it.

        Raises:
            FailedError: the runtime refuses to.
        """
        with self.created(script, **changes) as box:
            self.ok(box.engine("start"), "start")
            yield box

    def output(self, script: str, **changes: Any) -> str:
        """Run a container from beginning to end; return what it printed, without blanks at the ends.

        Raises:
            FailedError: the runtime or the program fails.
        """
        with self.bundle(script, **changes) as box:
            done = box.engine("run")
            self.ok(done, "run")
            return done.stdout.strip()

    def prints(self, script: str, expected: str, **changes: Any) -> None:
        """Check what a container prints, each run of blanks taken as one."""
        self.same(script, expected, " ".join(self.output(script, **changes).split()))

    def same(self, what: str, expected: object, found: object) -> None:
        """Write down what was looked at, expected and found: a text, or any other value as JSON."""
        self.seen.append(Seen(what, _text(expected), _text(found)))

    def ok(self, done: Done, operation: str) -> None:
        """Write down that a command was to succeed.

        Raises:
            FailedError: it did not.
        """
        self.same(f"{operation}: $?", "0", "0" if done.ok else _failure(done))
        if not done.ok:
            raise FailedError

    def refused(self, done: Done, operation: str) -> None:
        """Write down that a command was to fail."""
        self.same(f"{operation}: $?", NOT_0, "0" if done.ok else NOT_0)

    def refuses(self, patch: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Check that a configuration is refused by `create` (or at the latest by `start`), and that no container is left of `create`."""
        with self.bundle(patch=patch, **changes) as box:
            done = box.engine("create")
            if not done.ok:
                self.same("create: $?", NOT_0, NOT_0)
                self.same("state: $?", NOT_0, "0" if box.engine("state").ok else NOT_0)
                return
            self.refused(box.engine("start"), "create; start")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _failure(done: Done) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return f"{done.status}: {lines[-1][-_LAST_WORDS:]}" if lines else str(done.status)
