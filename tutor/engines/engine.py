"""An installed engine: its path, its version, and the form of its command lines."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import patience
from tutor.engines.model import ENGINE_NAMES, EngineName
from tutor.errors import TutorError
from tutor.home import command_line
from tutor.lazy_dataclass import dataclass
from tutor.paths import search_path

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Engine:
    """An installed engine. `spec_version` is the version of the runtime specification that `--version` names."""

    name: EngineName
    path: Path
    version: str
    spec_version: str

    def argv(self, operation: str, container_id: str = "", arguments: Sequence[str] = ()) -> tuple[str, ...]:
        """Return argv: flags before the container id, other arguments (a signal) after it."""
        return (str(self.path), *_words(operation, container_id, arguments))

    def typed(self, operation: str, container_id: str = "", arguments: Sequence[str] = ()) -> str:
        """Return the command line as a person types it: `runt delete --force alpine-test`."""
        return command_line((self.name, *_words(operation, container_id, arguments)))


def _words(operation: str, container_id: str, arguments: Sequence[str]) -> list[str]:
    if operation == "exec":
        # Flags of `exec` stand before the container id; all that follows it, flags too, belongs to the program.
        first = next((at for at, each in enumerate(arguments) if not each.startswith("-")), len(arguments))
        return [operation, *arguments[:first], container_id, *arguments[first:]]
    if operation == "update":
        # Nothing but flags and their values (`--cpu-quota 50000`), and runc reads no flag after the container id.
        return [operation, *arguments, container_id]
    flags = [argument for argument in arguments if argument.startswith("-")]
    others = [argument for argument in arguments if not argument.startswith("-")]
    return [operation, *flags, *([container_id] if container_id else []), *others]


def find(name: EngineName) -> Engine:
    """Return an engine; for `runt`, which comes with this program, look beside the Python interpreter first.

    Raises:
        TutorError: `engines.missing`; `engines.broken`, `--version` fails; `engines.unanswered`, it does not end in time.
    """
    path = path_of(name)
    if path is None:
        raise TutorError(f"engines.missing.{name}", engine=name)
    limit = patience.scaled(_VERSION_SECONDS)
    try:
        answer = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TutorError("engines.unanswered", engine=name, path=path, seconds=f"{limit:.0f}") from error
    except OSError as error:
        raise TutorError("engines.broken", engine=name, path=path, reason=str(error)) from error
    version = re.search(rf"^{name} version (\S+)", answer.stdout, re.MULTILINE)
    specification = re.search(r"^spec: (\S+)", answer.stdout, re.MULTILINE)
    if answer.returncode != 0 or version is None:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        raise TutorError("engines.broken", engine=name, path=path, reason=said[-1] if said else "")
    return Engine(name, Path(path), version[1], specification[1] if specification else "")


def installed() -> tuple[Engine, ...]:
    """Return the engines that are installed and work, `runt` first."""
    found = []
    for name in ENGINE_NAMES:
        try:
            found.append(find(name))
        except TutorError:
            continue
    return tuple(found)


def path_of(name: EngineName) -> str | None:
    """Return the path of an engine, None when it is not installed; look on PATH and in the folders that a user's PATH may lack."""
    folders = search_path()
    if name == "runt":
        folders = f"{Path(sys.executable).parent}:{folders}"
    return shutil.which(name, path=folders)
