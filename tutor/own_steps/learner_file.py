"""The learner's file on disk: read, saved, given skeletons and definitions. What the learner wrote is copied before it is replaced.

Two programs may have the file at a time (a lesson in the TUI, `oci-tutor my` in a shell), so whatever changes it holds a lock on its folder.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.own_steps import source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

LARGEST = 1024 * 1024
"""Bytes of the file: more than a person writes, and no more than an editor can show."""


class LearnerFile:
    """`my_runtime.py`. Methods raise TutorError (`own.error.*`), and SourceError where the file has to be Python."""

    def __init__(self, path: Path) -> None:
        """Use the file at a place; nothing is written yet."""
        self.edited_path = path

    def create(self) -> None:
        """Make the file with what it begins with, where there is none."""
        if not os.path.lexists(self.edited_path):
            self.write(source.read(self.edited_path))

    def read(self) -> str:
        """Return its text; what a new one begins with where there is none."""
        try:
            size = self.edited_path.stat().st_size
        except OSError:
            size = 0  # `source.read` says what is wrong
        if size > LARGEST:
            raise TutorError("own.error.too_large", path=self.edited_path)
        return source.read(self.edited_path)

    def signature(self) -> tuple[int, int, int] | None:
        """Return what differs after the file was written (inode, time, size); None when it does not exist."""
        try:
            seen = self.edited_path.stat()
        except OSError:
            return None
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def write(self, text: str) -> None:
        """Replace the file as a whole. A link stays one: the learner may keep the file elsewhere."""
        with self._locked():
            source.write(self.edited_path.resolve(), text)

    def begin(self, names: Iterable[str]) -> bool:
        """Append the skeletons of functions that the file does not have; return whether there were any."""
        return self._change(lambda text: source.with_skeleton(text, names))

    def define(self, snippet: str) -> Path | None:
        """Put the definitions of a text into the file, all else stays; return the copy of the file before, if it had others."""
        names = [each.name for each in source.functions_of(snippet).values()]
        return self._replace(names, lambda text: source.with_definitions(text, snippet))

    def reset(self, names: Iterable[str]) -> Path | None:
        """Put skeletons in the place of functions; return the copy of the file before, if they were written."""
        names = tuple(names)
        return self._replace(names, lambda text: source.without_definitions(text, names))

    def keep_unseen(self, coming: str, seen: str | None) -> Path | None:
        """Copy a text that the learner has not seen (another than `seen`) before `coming` replaces it; return the copy, if there is one."""
        if not os.path.lexists(self.edited_path):
            return None
        there = self.read()
        return None if seen is None or there in (seen, coming) else self._copy(there)

    def keep_edits(self, text: str, before: str) -> Path | None:
        """Save a text; beside the file, if the text there is not `before`. Return where; None for an empty text."""
        if not text.strip():
            return None
        try:
            unchanged = self.read() == before
        except TutorError:
            unchanged = False
        if not unchanged:
            return self._copy(text)
        self.write(text)
        return self.edited_path

    def _replace(self, names: Iterable[str], change: Callable[[str], str]) -> Path | None:
        before = self.read()
        had = set(names) - set(source.missing(before, names))
        if not self._change(change) or not had:
            return None
        return self._copy(before)

    def _change(self, change: Callable[[str], str]) -> bool:
        with self._locked():
            text = self.read()
            new = change(text)
            if new != text or not self.edited_path.exists():
                source.write(self.edited_path.resolve(), new)
            return new != text

    def _copy(self, text: str) -> Path:
        """Write a text beside the file, and return where; once, if it is the same as at the last time."""
        folder, name = self.edited_path.parent, self.edited_path.name
        numbers = [
            int(found[1])
            for each in folder.glob(f"{name}.bak-*")
            if (found := re.fullmatch(rf"{re.escape(name)}\.bak-(\d+)", each.name))
        ]
        last = max(numbers, default=0)
        if last and source.read(folder / f"{name}.bak-{last}") == text:
            return folder / f"{name}.bak-{last}"
        kept = folder / f"{name}.bak-{last + 1}"
        source.write(kept, text)
        return kept

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self.edited_path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise TutorError("own.error.unwritable", path=folder, reason=error.strerror) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def snippet_of(functions: str, reference: Iterable[str]) -> str:
    """Return the definitions that a lesson names: the text of `functions`, else ours of these names."""
    return functions or source.reference_definition(reference)
