"""The archive that `docker save` writes and `docker load` reads: a tar with `manifest.json`, a config and layer folders.

No standard describes it; the form is that of moby's `image/tarexport` and `image/spec/v1.2.md`. Since Docker 25 the same
`manifest.json` is beside an OCI layout in the archive and names `blobs/sha256/...`: reading uses the names in it.
"""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from tutor.images.digests import compact_json, digest_of, parse_json
from tutor.images.errors import ImageError, explaining_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_JSON_LIMIT = 8 << 20  # bytes: far more than a manifest or config has; a hostile one cannot fill the memory
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


class DockerArchive:
    """An archive opened for reading: its one image's config and layers."""

    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self._path = path
        self._archive = archive
        self._members = {posixpath.normpath(member.name): member for member in archive.getmembers()}
        manifest = self._json("manifest.json")
        if not (
            isinstance(manifest, list) and manifest and all(isinstance(image, dict) for image in manifest)
        ):
            raise ImageError("images.error.archive_manifest", path=path, member="manifest.json")
        tags = [tag for image in manifest for tag in image.get("RepoTags") or [] if isinstance(tag, str)]
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
        """Open an archive, compressed or not; an error of reading it, anywhere in the block, becomes one ImageError.

        Raises:
            ImageError: there is no such file, it is not a tar or is truncated, its `manifest.json` is missing or invalid, or it
                has several images.
        """
        with explaining_os_errors(path):
            try:
                with tarfile.open(path, "r:*") as archive:
                    yield cls(path, archive)
            except (tarfile.TarError, EOFError) as error:
                cut_off = isinstance(error, EOFError) or "unexpected end of data" in str(error)
                code = "images.error.archive_truncated" if cut_off else "images.error.archive_unreadable"
                raise ImageError(code, path=path, reason=str(error)) from error

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

    def layer(self, name: str) -> IO[bytes]:
        """Open a layer (one of `layers`) for reading, as stored: usually an uncompressed tar, but it may be gzip."""
        return self._member(name)

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
        with self._member(name) as file:
            content = file.read(_JSON_LIMIT + 1)
        if len(content) > _JSON_LIMIT:
            raise ImageError(
                "images.error.archive_json", path=self._path, member=name, reason=f"> {_JSON_LIMIT} bytes"
            )
        return content

    def _member(self, name: str) -> IO[bytes]:
        """Open a member; `docker save` writes a repeated layer as a link to the first one."""
        path = posixpath.normpath(name)
        for _ in range(8):
            member = self._members.get(path)
            if member is None:
                break
            if member.isreg():
                file = self._archive.extractfile(member)
                if file is not None:
                    return file
            folder = posixpath.dirname(path) if member.issym() else ""
            path = posixpath.normpath(posixpath.join(folder, member.linkname))
        raise ImageError("images.error.archive_member", path=self._path, member=name)
