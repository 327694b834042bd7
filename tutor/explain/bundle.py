"""A bundle for the explainer: `config.json` with positions, and the root filesystem, which is read without chroot(2)."""

from __future__ import annotations

import os
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tutor import paths
from tutor.configfile import parse, problems_in

if TYPE_CHECKING:
    from tutor.configfile import Document, JsonValue, Problem

_LONGEST = 1024 * 1024  # bytes of a config.json that is read


class Bundle:
    """A directory with a `config.json`, or a `config.json` alone. Files are read when they are needed; nothing is written."""

    def __init__(self, path: Path | None = None, config: Path | None = None) -> None:
        """`path` is the bundle's directory; `config` a file to read instead of the `config.json` in it."""
        self.path = path or (config.parent if config else None)
        self.config = config or (path / "config.json" if path else None)

    @classmethod
    def here(cls) -> Bundle:
        """Return the bundle in the current directory, the default of engines; an empty one if it has no `config.json`."""
        return cls(Path()) if kind_of(Path("config.json")) else cls()

    @cached_property
    def text(self) -> str | None:
        """The text of `config.json`; None if it can't be read as text."""
        try:
            if self.config is None or not self.config.is_file() or self.config.stat().st_size > _LONGEST:
                return None
            return self.config.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    @cached_property
    def document(self) -> Document:
        """The parsed `config.json`; not `valid` if the text is not JSON, or cannot be read."""
        return parse(self.text or "")

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems that `tutor.configfile` finds; none if there is no text."""
        return problems_in(self.document) if self.text is not None else ()

    def value(self, pointer: str) -> JsonValue:
        """Return the value at a JSON pointer; None if there is none."""
        return self.document.at(pointer)

    def text_at(self, pointer: str) -> str:
        """Return the string at a pointer; empty if there is none."""
        value = self.value(pointer)
        return value if isinstance(value, str) else ""

    def items(self, pointer: str) -> list[tuple[str, dict[str, JsonValue]]]:
        """Return the objects of the array at a pointer, each with its own pointer."""
        return self.document.objects(pointer)

    def strings(self, pointer: str) -> list[str]:
        """Return the strings of the array at a pointer."""
        value = self.value(pointer)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def problem_at(self, pointer: str) -> Problem | None:
        """Return the problems that `tutor.configfile` finds in a member, or below it."""
        exact = next((each for each in self.problems if each.pointer == pointer), None)
        return exact or next((each for each in self.problems if each.pointer.startswith(f"{pointer}/")), None)

    def namespace(self, kind: str) -> bool:
        """Tell whether the configuration asks for a namespace of a type, new or joined."""
        return any(item.get("type") == kind for _, item in self.items("/linux/namespaces"))

    @property
    def rootfs(self) -> Path | None:
        """The directory that `root.path` names, there or not."""
        path = self.text_at("/root/path")
        return self.path / path if self.path and path else None

    def beside(self, path: str) -> Path | None:
        """Return a path on the host; a relative path in the configuration is relative to the bundle."""
        return self.path / path if self.path else (Path(path) if path.startswith("/") else None)

    def mounted(self, path: str) -> bool:
        """Tell whether a path in the container lies below a mount, so that the root filesystem does not show its files."""
        places = [str(item.get("destination", "")).rstrip("/") for _, item in self.items("/mounts")]
        return any(place and (path == place or path.startswith(f"{place}/")) for place in places)

    def inside(self, path: str) -> Path | None:
        """Return the file of a path in the container, with links followed inside the root filesystem; None if there is none."""
        return resolve(self.rootfs, path) if self.rootfs else None


def kind_of(path: Path | None) -> Literal["directory", "file", "other", ""]:
    """Return the type of the file at a path on the host; empty if there is none, or if it is no path (too long, a NUL)."""
    try:
        mode = os.stat(path).st_mode if path is not None else 0  # noqa: PTH116  (its errors are what is asked)
    except (OSError, ValueError):
        return ""
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "other" if mode else ""


def resolve(root: Path, path: str) -> Path | None:
    """Return the file that a path names for a process whose root is `root`; None if there is none, or links form a loop."""
    try:
        return Path(paths.resolve(str(root), path))
    except (OSError, ValueError):  # ValueError: a name with a NUL or a lone surrogate, as JSON can write them
        return None
