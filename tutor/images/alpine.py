"""The image of the lessons, `alpine:3.9`: the real one if it can be fetched, else the mini image under the same name.

Opening a lesson tries to fetch it for a few seconds, not every time; `oci-tutor image fetch` waits longer. A fetched image is
kept as an OCI image layout and as a docker-archive, and its digests are checked on every use. A file beside it says where it
came from, for the lesson to show.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.images.convert import convert
from tutor.images.digests import HashingWriter, chunks
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.fetching import Patience
from tutor.images.fetching import fetch as fetch_from
from tutor.images.image_source import open_layers
from tutor.images.layout import Image, Layout
from tutor.images.mini import build, fingerprint
from tutor.images.origin import Origin
from tutor.images.outputs import remove_tree
from tutor.images.platforms import machine_platform
from tutor.images.programs import Programs
from tutor.images.save import save
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


REPOSITORY, REF = "alpine", "3.9"
REFERENCE = f"docker://{REPOSITORY}:{REF}"
VARIABLE = "OCI_TUTOR_IMAGE"
"""The environment variable that names another image (`docker://127.0.0.1:5000/alpine:3.9`), or `mini`: fetch nothing."""
MINI = "mini"
LAYOUT, ARCHIVE = "alpine-oci", f"alpine-{REF}.tar"

_HASTY = 6.0  # seconds that opening a lesson waits at most
_FORGIVEN = 3600.0  # seconds after a failure until the next try
_RELEASE_SIZE = 4096  # bytes; it has six
_RELEASE = re.compile(rb"\d+(\.\d+)*\S*")


@dataclass(frozen=True, slots=True)
class LessonImage:
    """An intact image in a folder of the cache: the layout (ref `REF`), and the same as an archive."""

    folder: Path
    origin: Origin

    @property
    def layout(self) -> Path:
        """The OCI image layout."""
        return self.folder / LAYOUT

    @property
    def archive(self) -> Path:
        """The docker-archive."""
        return self.folder / ARCHIVE


def lesson_image(cache: Path) -> LessonImage:
    """Return the image of the lessons; try for a few seconds at most to fetch the real one.

    Raises:
        ImageError: there are no programs to build the mini image from, or the cache is full or not writable.
    """
    asked = os.environ.get(VARIABLE, "")
    folder = cache / "images"
    if asked != MINI:
        kept = _kept(folder / REPOSITORY)
        if kept is not None and asked in ("", kept.origin.reference):
            return kept
        reference = asked or REFERENCE
        if not _failed_lately(folder, reference):
            try:
                return fetch(cache, reference, Patience(time.monotonic() + _HASTY))
            except ImageError:
                _remember_failure(folder, reference)
    return _mini(folder)


def fetch(cache: Path, reference: str, patience: Patience) -> LessonImage:
    """Fetch an image and replace the one in the cache by it.

    Raises:
        ImageError: `fetch` (it could not be fetched), `no_platform` (it is for another machine), or a digest is wrong.
    """
    folder = cache / "images"

    def make(scratch: Path) -> Origin:
        layout, archive = scratch / LAYOUT, scratch / ARCHIVE
        source = fetch_from(reference, layout, archive, ref=REF, patience=patience)
        opened = Layout(layout)
        image = opened.image(REF)
        architecture = image.config.get("architecture")
        if architecture != machine_platform()[0]:
            raise ImageError(
                "images.error.no_platform", path=reference, ref=REF, wanted=machine_platform()[0], found=architecture
            )  # fmt: skip
        release = _release(opened, image)
        if not archive.exists():
            save(layout, archive, ref=REF, repository=REPOSITORY, tag=REF)
        return Origin(source, reference, release, _digest(archive))

    made = _keep(folder / REPOSITORY, make)
    (folder / ".unreachable").unlink(missing_ok=True)
    return made


def _mini(folder: Path) -> LessonImage:
    programs = Programs.find()
    place = folder / f"{REPOSITORY}-mini-{fingerprint(programs)}"

    def make(scratch: Path) -> Origin:
        archive = scratch / ARCHIVE
        build(archive, tag=f"{REPOSITORY}:{REF}", source=programs.kind)
        convert(archive, scratch / LAYOUT, ref=REF)
        return Origin("mini", f"{REPOSITORY}:{REF}", "", _digest(archive))

    return _kept(place) or _keep(place, make)


def _kept(place: Path) -> LessonImage | None:
    """Return the image in a folder of the cache; None if it is incomplete or a digest is wrong."""
    try:
        origin = Origin.parse((place / "origin.json").read_text(encoding="utf-8"))
        layout = Layout(place / LAYOUT)
        layout.verify(layout.image(REF))
        intact = _digest(place / ARCHIVE) == origin.archive
    except (OSError, ValueError, ImageError):
        return None
    return LessonImage(place, origin) if intact else None


def _keep(place: Path, make: Callable[[Path], Origin]) -> LessonImage:
    """Let `make` fill a folder and rename it to its place, unless that exists; no lock is held while `make` uses the network."""
    with explaining_os_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            fresh = Path(scratch, "new")
            fresh.mkdir()
            origin = make(fresh)
            (fresh / "origin.json").write_text(origin.text(), encoding="utf-8")
            with _locked(place.parent):
                # Several lessons may be opened at once, and one may be copying from it.
                kept = _kept(place)
                if kept is not None and kept.origin == origin:
                    return kept
                if place.exists():
                    remove_tree(place)
                fresh.rename(place)
    return LessonImage(place, origin)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _release(layout: Layout, image: Image) -> str:
    """Return the content of `/etc/alpine-release`. All layers are read, which also checks their DiffIDs."""
    said = ""
    for layer in open_layers(layout, image):
        with layer.entries() as tar:
            for entry in tar:
                if entry.name.removeprefix("./") == "etc/alpine-release" and entry.size < _RELEASE_SIZE:
                    content = b"".join(data for _, data in tar.content())
                    found = _RELEASE.match(content)
                    said = found[0].decode(errors="replace") if found else said
    return said


def _digest(path: Path) -> str:
    writer = HashingWriter()
    with path.open("rb") as file:
        for chunk in chunks(file):
            writer.write(chunk)
    return writer.digest


def _failed_lately(folder: Path, reference: str) -> bool:
    note = folder / ".unreachable"
    try:
        return (
            note.read_text(encoding="utf-8") == reference
            and 0 <= time.time() - note.stat().st_mtime < _FORGIVEN
        )
    except (OSError, ValueError):
        return False


def _remember_failure(folder: Path, reference: str) -> None:
    with explaining_os_errors(folder):
        (folder / ".unreachable").write_text(reference, encoding="utf-8")
