"""The registration on disk: daemon.json with the entry, its backup, and a record of what was done, in one folder.

Backup and record are written before daemon.json: after an interruption at any moment the original is there, and the next
install or uninstall continues from it.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.docker import files
from tutor.docker.entry import DaemonJson
from tutor.errors import TutorError
from tutor.files import exists
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "runt"
"""The name of the runtime for `docker run --runtime`."""


@dataclass(frozen=True, slots=True)
class Record:
    """What install did that daemon.json and its backup do not show.

    Attributes:
        launcher: the path of the runtime in the entry.
        existed: whether there was a daemon.json before; then the backup has its content.
        made_folder: whether its folder was made for it.
    """

    launcher: str
    existed: bool
    made_folder: bool

    @classmethod
    def parse(cls, data: bytes) -> Record | None:
        """Return the record in a file; None if it is invalid."""
        try:
            members = json.loads(data)
            return cls(str(members["launcher"]), bool(members["existed"]), bool(members["made_folder"]))
        except (ValueError, KeyError, TypeError):
            return None

    def data(self) -> bytes:
        """Return the content of the file."""
        return json.dumps(asdict(self), indent=2).encode() + b"\n"


class Registration:
    """A daemon.json, its backup and its record. A symbolic link is followed: its target is changed."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self.backup = self.path.with_name(f"{self.path.name}.before-{NAME}")
        self.record_file = self.path.with_name(f"{self.path.name}.{NAME}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for one install or uninstall; create it if only that is missing, and remove it if it stays unused.

        Raises:
            TutorError: `docker.no_folder`, or the folder cannot be created or read.
        """
        folder = self.path.parent
        with files.explaining(folder):
            self._made_folder = not exists(folder)
            if self._made_folder and not folder.parent.is_dir():
                raise TutorError("docker.no_folder", path=folder)
            if self._made_folder:
                folder.mkdir(mode=0o755)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
            if self._made_folder and folder.exists() and not any(folder.iterdir()):
                folder.rmdir()

    def record(self) -> Record | None:
        """Return the record of an earlier install; None if there is none."""
        data = files.read(self.record_file)
        return Record.parse(data) if data is not None else None

    def read(self) -> DaemonJson:
        """Return the daemon.json; an empty one if there is none. Raises TutorError: see `DaemonJson.read`."""
        return DaemonJson.read(files.read(self.path) or b"", self.path)

    def check(self) -> DaemonJson:
        """Return the daemon.json if install and uninstall may change it.

        Raises:
            TutorError: dockerd would not accept it; `docker.foreign`: an entry of this name that install has not written.
        """
        file, record = self.read(), self.record()
        entry = file.runtime(NAME)
        if entry is not None and (record is None or entry != {"path": record.launcher}):
            raise TutorError("docker.foreign", path=self.path, entry=json.dumps(entry, ensure_ascii=False))
        return file

    def install(self, launcher: str) -> bool:
        """Add the entry to a file that has been checked; False if it is there already. Raises TutorError."""
        now, old, record = files.read(self.path), self.read(), self.record()
        entry = old.runtime(NAME)
        if entry == {"path": launcher}:
            return False
        if record is not None and entry is not None:
            # The launcher has moved; the record of what was there before stays.
            if self._untouched(record):
                old = self._original(record)
            files.replace(self.record_file, Record(launcher, record.existed, record.made_folder).data())
            files.replace(self.path, old.with_runtime(NAME, launcher).data)
            return True
        try:
            if now is not None:
                files.replace(self.backup, now, like=self.path)
            files.replace(self.record_file, Record(launcher, now is not None, self._made_folder).data())
            files.replace(self.path, old.with_runtime(NAME, launcher).data)
        except BaseException:
            self.forget()
            raise
        return True

    def forget_first(self) -> None:
        """Remove the entry but keep `runtimes` in the file: dockerd forgets a runtime only when it reads such a list."""
        files.replace(self.path, _without_entry(self.read()).data)

    def final(self) -> bytes | None:
        """Return the content of daemon.json without the entry: the original if nothing else was changed, None for no file."""
        record = self.record()
        if record is not None and self._untouched(record):
            return files.read(self.backup) if record.existed else None
        return self.read().without_runtime(NAME).data

    def is_restored_by(self, final: bytes | None) -> bool:
        """Tell whether this content (None: no file) is that before install."""
        record = self.record()
        return record is not None and final == (files.read(self.backup) if record.existed else None)

    def _original(self, record: Record) -> DaemonJson:
        data = files.read(self.backup) if record.existed else None
        return DaemonJson.read(data or b"", self.backup)

    def _untouched(self, record: Record) -> bool:
        """Tell whether daemon.json is as it was before install, after it, or in the middle of uninstall."""
        original = self._original(record)
        installed = original.with_runtime(NAME, record.launcher)
        now = self.read().data
        return now in (original.data, installed.data, _without_entry(installed).data)

    def restore(self, final: bytes | None) -> None:
        """Write the final content of daemon.json. The record stays until `forget`, since there may be more to undo."""
        if final is None:
            files.remove(self.path)
        else:
            files.replace(self.path, final)

    def forget(self) -> None:
        """Remove the backup and the record, and the folder if install created it."""
        record = self.record()
        files.remove(self.backup)
        files.remove(self.record_file)
        folder = self.path.parent
        if record is not None and record.made_folder and not any(folder.iterdir()):
            with files.explaining(folder):
                folder.rmdir()


def _without_entry(file: DaemonJson) -> DaemonJson:
    return file.without_runtime(NAME, keep_empty=True).with_no_runtimes()
