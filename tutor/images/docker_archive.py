"""The archive that `docker save` writes and `docker load` reads: a tar with `manifest.json`, a config and layer folders.

No standard describes it; the form is that of moby's `image/tarexport` and `image/spec/v1.2.md`. Since Docker 25 the same
`manifest.json` is beside an OCI layout in the archive and names `blobs/sha256/...`: reading uses the names in it.
"""

from __future__ import annotations

import io
import re
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from tutor.images.compression import Uncompressed, form_of
from tutor.images.digests import CHUNK, HashingReader, chunks, compact_json, digest_of, parse_json
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.layer_tar import LayerTar
from tutor.images.reference import full_name, number_of
from tutor.images.shapes import DOCKER_MANIFEST, misfit
from tutor.images.tar_files import TarFiles
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_JSON_LIMIT = 8 << 20  # bytes: far more than a manifest or config has; a hostile one cannot fill the memory
_HEX_NAME = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
MANIFEST = "manifest.json"


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
        _add(archive, MANIFEST, compact_json(manifest))
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
    """An archive opened for reading: the config and the layers of one image in it."""

    def __init__(self, path: Path, files: TarFiles, name: str | None = None) -> None:
        self._path = path
        self._files = files
        manifest = self._parse(MANIFEST, self._read(MANIFEST))
        fits = isinstance(manifest, list) and None not in manifest and not misfit(manifest, DOCKER_MANIFEST)
        if not fits or not manifest:
            raise ImageError("images.error.archive_manifest", path=path, member=MANIFEST)
        image = self._choose(manifest, name)
        self.tags = _tags(image)
        config, layers = image.get("Config"), image.get("Layers")
        if not (
            isinstance(config, str) and isinstance(layers, list) and all(isinstance(x, str) for x in layers)
        ):
            raise ImageError("images.error.archive_manifest", path=path, member=MANIFEST)
        self.layers: list[str] = layers
        self._config_name: str = config

    @classmethod
    @contextmanager
    def open(cls, path: Path, name: str | None = None) -> Iterator[DockerArchive]:
        """Open an archive, compressed or not; `name` is one of its names, or `@N`, where it has several images.

        Raises:
            ImageError: there is no such file, it is not a tar, is damaged or truncated, its `manifest.json` is missing or invalid,
                it has several images (without `name`), or none of the name.
        """
        with explaining_os_errors(path), TarFiles.open(path) as files:
            yield cls(path, files, name)

    def _choose(self, images: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
        number = number_of(name)
        if number is not None:
            found = images[number : number + 1]
        elif name is not None:
            found = [
                image for image in images if full_name(name) in [full_name(tag) for tag in _tags(image)]
            ][:1]
        else:
            found = images
        if len(found) == 1:
            return found[0]
        tags = ", ".join(tag for image in images for tag in _tags(image)) or str(len(images))
        code = "archive_several" if found else "archive_name"
        raise ImageError(f"images.error.{code}", path=self._path, name=name or "-", tags=tags)

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
        file = self._file(name)
        return LayerTar(file, form_of(file), name)

    def wrong_layer(self, name: str, *, expected: object, found: str) -> ImageError:
        """Return the error for a layer whose content is not that of its DiffID."""
        hashing = HashingReader(Uncompressed(self._file(name), None))
        for _ in chunks(io.BufferedReader(hashing, CHUNK)):
            pass
        named = _HEX_NAME.fullmatch(name)
        # Docker names a blob by the digest of what is stored: if that is right, the file is not damaged.
        code = "archive_diff_id" if named and hashing.digest == f"sha256:{named[1]}" else "archive_digest"
        return ImageError(
            f"images.error.{code}", path=self._path, member=name, expected=expected, found=found
        )

    def checked_layers(self, diff_ids: list[str]) -> Iterator[LayerTar]:
        """Yield each layer, from the base up, after checking that it is what the config says.

        Raises:
            ImageError: `archive_digest`, `archive_diff_id`, or what `LayerTar.check` raises.
        """
        for member, diff_id in zip(self.layers, diff_ids, strict=True):
            layer = self.layer(member)
            try:
                layer.check(diff_id)
            except ImageError as error:
                if error.code != "diff_id":
                    raise
                raise self.wrong_layer(member, expected=diff_id, found=layer.diff_id) from error
            yield layer

    def diff_ids(self) -> list[str]:
        """Return the DiffIDs of the config, one for each layer.

        Raises:
            ImageError: `archive_config`, `layer_count`, and as `config`.
        """
        rootfs = self.config().get("rootfs")
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(diff_ids, list) or not all(isinstance(diff_id, str) for diff_id in diff_ids):
            raise ImageError("images.error.archive_config", path=self._path, member="rootfs.diff_ids")
        # config.md: an unknown type must be an error.
        if isinstance(rootfs, dict) and rootfs.get("type") != "layers":
            raise ImageError("images.error.archive_config", path=self._path, member="rootfs.type")
        if len(diff_ids) != len(self.layers):
            raise ImageError(
                "images.error.layer_count", path=self._path, layers=len(self.layers), diff_ids=len(diff_ids)
            )
        return diff_ids

    def _parse(self, name: str, content: bytes) -> Any:
        try:
            return parse_json(content)
        except ValueError as error:
            raise ImageError(
                "images.error.archive_json", path=self._path, member=name, reason=str(error)
            ) from error

    def _read(self, name: str) -> bytes:
        content = self._file(name).read(_JSON_LIMIT + 1)
        if len(content) > _JSON_LIMIT:
            raise ImageError(
                "images.error.archive_json", path=self._path, member=name, reason=f"> {_JSON_LIMIT} bytes"
            )
        return content

    def _file(self, name: str) -> io.BufferedReader:
        file = self._files.file(name)
        if file is None:
            raise ImageError("images.error.archive_member", path=self._path, member=name)
        return file


def _tags(image: dict[str, Any]) -> list[str]:
    tags = image.get("RepoTags")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
