"""The archive that `docker save` writes and `docker load` reads: a tar with `manifest.json`, a config and layer folders.

No standard describes it; the form is that of moby's `image/tarexport` and `image/spec/v1.2.md`. Since Docker 25 the same
`manifest.json` is beside an OCI layout in the archive and names `blobs/sha256/...`: reading uses the names in it.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
import shutil
import tarfile
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from tutor.images.compression import CompressionError, Uncompressed, form_of
from tutor.images.digests import CHUNK, HashingReader, chunks, compact_json, digest_of, parse_json
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.layer_tar import LayerTar
from tutor.images.tar_header import LINK, REGULAR, SYMLINK
from tutor.images.tar_reader import TarError, TarReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_JSON_LIMIT = 8 << 20  # bytes: far more than a manifest or config has; a hostile one cannot fill the memory
# For a large file that is read once: /tmp may be in memory (file-hierarchy(7)).
_ROOMY = "/var/tmp"  # noqa: S108  (a file without a name)
_HEX_NAME = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")


@dataclass(frozen=True, slots=True)
class ArchiveLayer:
    """One layer, with its names in the archive."""

    folder: str  # the old image id: 64 hexadecimal digits
    diff_id: str
    size: int  # bytes, uncompressed


def write_archive(
    file: IO[bytes], config: dict[str, Any], tars: list[bytes], *, repository: str, tag: str
) -> tuple[ArchiveLayer, ...]:
    """Write an image to `file`. The same image always gives the same bytes: all times are 1970-01-01, all owners 0.

    Returns: the layers, from the base up.
    """
    config_json = compact_json(config)
    layers: list[ArchiveLayer] = []
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        chain = ""
        for tar in tars:
            diff_id = digest_of(tar)
            # Image-spec config.md, "Layer ChainID": one name for a layer and all layers below it.
            chain = digest_of(f"{chain} {diff_id}".encode()) if chain else diff_id
            parent = {"parent": layers[-1].folder} if layers else {}
            legacy = {**parent, "created": config["created"], "os": config["os"], "layer_id": chain}
            folder = digest_of(compact_json(legacy)).removeprefix("sha256:")
            del legacy["layer_id"]
            layers.append(ArchiveLayer(folder, diff_id, len(tar)))
            _add(archive, f"{folder}/", None)
            _add(archive, f"{folder}/VERSION", b"1.0")
            _add(archive, f"{folder}/json", compact_json({"id": folder, **legacy}))
            _add(archive, f"{folder}/layer.tar", tar)
        config_name = digest_of(config_json).removeprefix("sha256:") + ".json"
        _add(archive, config_name, config_json)
        paths = [f"{layer.folder}/layer.tar" for layer in layers]
        manifest = [{"Config": config_name, "RepoTags": [f"{repository}:{tag}"], "Layers": paths}]
        _add(archive, "manifest.json", compact_json(manifest))
        _add(archive, "repositories", compact_json({repository: {tag: layers[-1].folder}}))
    return tuple(layers)


def _add(archive: tarfile.TarFile, name: str, content: bytes | None) -> None:
    info = tarfile.TarInfo(name)
    if content is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    else:
        info.size = len(content)
    archive.addfile(info, io.BytesIO(content or b""))


class _Member(NamedTuple):
    """A member of an archive: where its content is, or the member that it is a link to."""

    start: int
    size: int
    target: str | None


class DockerArchive:
    """An archive opened for reading: its one image's config and layers."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._members = _members(file)
        if not self._members:
            raise ImageError("images.error.archive_unreadable", path=path)
        manifest = self._json("manifest.json")
        if not (
            isinstance(manifest, list) and manifest and all(isinstance(image, dict) for image in manifest)
        ):
            raise ImageError("images.error.archive_manifest", path=path, member="manifest.json")
        tags = [tag for image in manifest for tag in _list(image.get("RepoTags")) if isinstance(tag, str)]
        if len(manifest) > 1:
            raise ImageError(
                "images.error.archive_several", path=path, tags=", ".join(tags) or str(len(manifest))
            )
        self.tags = tags
        config, layers = manifest[0].get("Config"), manifest[0].get("Layers")
        if not (
            isinstance(config, str) and isinstance(layers, list) and all(isinstance(x, str) for x in layers)
        ):
            raise ImageError("images.error.archive_manifest", path=path, member="manifest.json")
        self.layers: list[str] = layers
        self._config_name: str = config

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[DockerArchive]:
        """Open an archive, compressed or not. A compressed one is uncompressed to a file without a name, which goes with it.

        Raises:
            ImageError: there is no such file, it is not a tar, is damaged or truncated, its `manifest.json` is missing or invalid,
                or it has several images.
        """
        with explaining_os_errors(path), path.open("rb") as file, _uncompressed(path, file) as plain:
            try:
                archive = cls(path, plain)
            except TarError as fault:
                known = fault.offset or fault.code == "header"
                code = f"archive_{fault.code}" if known else "archive_unreadable"
                raise ImageError(
                    f"images.error.{code}",
                    path=path,
                    offset=fault.offset,
                    entry=fault.entry or "-",
                    detail=fault.detail,
                ) from fault
            yield archive

    def config(self) -> dict[str, Any]:
        """Return the image's config.

        Raises:
            ImageError: it is missing, is not a JSON object, or its digest is not its name.
        """
        content = self._read(self._config_name)
        name = _HEX_NAME.fullmatch(self._config_name)
        if name and digest_of(content) != f"sha256:{name[1]}":
            raise ImageError(
                "images.error.archive_digest",
                path=self._path,
                member=self._config_name,
                expected=f"sha256:{name[1]}",
                found=digest_of(content),
            )
        config = self._parse(self._config_name, content)
        if not isinstance(config, dict):
            raise ImageError("images.error.archive_manifest", path=self._path, member=self._config_name)
        return config

    @property
    def image_id(self) -> str:
        """The digest of the config, which is the image's id."""
        return digest_of(self._read(self._config_name))

    def layer(self, name: str) -> LayerTar:
        """Return a layer (one of `layers`): usually an uncompressed tar, but it may be compressed.

        Raises:
            ImageError: `archive_member`.
        """
        file = self._member(name)
        return LayerTar(file, form_of(file), name)

    def wrong_layer(self, name: str, *, expected: object, found: str) -> ImageError:
        """Return the error for a layer whose content is not that of its DiffID."""
        file = self._member(name)
        hashing = HashingReader(Uncompressed(file, None))
        for _ in chunks(io.BufferedReader(hashing, CHUNK)):
            pass
        named = _HEX_NAME.fullmatch(name)
        # Docker names a blob by the digest of what is stored: if that is right, the file is not damaged.
        code = "archive_diff_id" if named and hashing.digest == f"sha256:{named[1]}" else "archive_digest"
        return ImageError(
            f"images.error.{code}", path=self._path, member=name, expected=expected, found=found
        )

    def _json(self, name: str) -> Any:
        return self._parse(name, self._read(name))

    def _parse(self, name: str, content: bytes) -> Any:
        try:
            return parse_json(content)
        except ValueError as error:
            raise ImageError(
                "images.error.archive_json", path=self._path, member=name, reason=str(error)
            ) from error

    def _read(self, name: str) -> bytes:
        content = self._member(name).read(_JSON_LIMIT + 1)
        if len(content) > _JSON_LIMIT:
            raise ImageError(
                "images.error.archive_json", path=self._path, member=name, reason=f"> {_JSON_LIMIT} bytes"
            )
        return content

    def _member(self, name: str) -> io.BufferedReader:
        """Open a member; `docker save` writes a repeated layer as a link to the first one."""
        path = posixpath.normpath(name)
        for _ in range(8):
            member = self._members.get(path)
            if member is None:
                break
            if member.target is None:
                return io.BufferedReader(_Section(self._file, member), CHUNK)
            path = member.target
        raise ImageError("images.error.archive_member", path=self._path, member=name)


class _Section(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: IO[bytes], member: _Member) -> None:
        self._file, self._member = file, member
        self._position = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read again."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Set the position."""
        base = {0: 0, 1: self._position, 2: self._member.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Read at most as many bytes as fit."""
        self._file.seek(self._member.start + self._position)
        data = self._file.read(min(len(buffer), max(0, self._member.size - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _members(file: IO[bytes]) -> dict[str, _Member]:
    """Return the files and links of an archive. Of two with the same name, the first one counts, as it does for skopeo."""
    file.seek(0)
    members: dict[str, _Member] = {}
    tar = TarReader(file)
    for entry in tar:
        path = posixpath.normpath(entry.name)
        if entry.type == REGULAR and not tar.sparse:
            members.setdefault(path, _Member(tar.offset, entry.size, None))
        elif entry.type in (LINK, SYMLINK):
            folder = posixpath.dirname(path) if entry.type == SYMLINK else ""
            target = posixpath.normpath(posixpath.join(folder, entry.target))
            members.setdefault(path, _Member(0, 0, target))
    return members


@contextmanager
def _uncompressed(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the archive uncompressed, as a file in which any place can be read."""
    form = form_of(file)
    if form is None:
        yield file
        return
    folder = os.environ.get("TMPDIR") or _ROOMY
    with ExitStack() as stack:
        with explaining_os_errors(folder):
            plain = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            try:
                shutil.copyfileobj(Uncompressed(file, form), plain, CHUNK)
            except CompressionError as error:
                raise ImageError(
                    "images.error.archive_compression", path=path, form=form, reason=str(error)
                ) from error
        yield plain


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
