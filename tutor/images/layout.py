"""Read and write an OCI image layout: `oci-layout`, `index.json` and `blobs/` (image-spec image-layout.md)."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

from tutor.files import exists
from tutor.images import shapes
from tutor.images.digests import (
    HashingWriter,
    algorithm_of,
    chunks,
    compact_json,
    digest_of,
    parse_json,
    split_digest,
)
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.platforms import Platform, this_machine
from tutor.images.reference import is_layout, number_of
from tutor.images.tar_files import TarFiles
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"

# The media types of Docker are the same content under other names (media-types.md, "Compatibility Matrix").
_MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
_INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
_CONFIGS = (CONFIG, "application/vnd.docker.container.image.v1+json")

_NESTING = 8  # of indexes in indexes: deeper than any in use
_JSON_LIMIT = 8 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to a blob (image-spec descriptor.md)."""

    media_type: str
    digest: str
    size: int  # bytes

    @classmethod
    def parse(cls, value: object, where: Path) -> Descriptor:
        """Parse one descriptor; `where` is the file that contains it.

        Raises:
            ImageError: `layout_json`: a member is missing or of the wrong type, or the digest is of an unknown algorithm.
        """
        if not isinstance(value, dict):
            raise ImageError("images.error.layout_json", path=where, reason="descriptor: not an object")
        media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
        if not isinstance(media_type, str):
            raise ImageError("images.error.layout_json", path=where, reason="descriptor: mediaType")
        if not isinstance(digest, str) or split_digest(digest) is None:
            raise ImageError("images.error.digest_syntax", path=where, digest=digest)
        if not isinstance(size, int) or size < 0:
            raise ImageError("images.error.layout_json", path=where, reason=f"descriptor {digest}: size")
        return cls(media_type, digest, size)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a layout: its manifest's descriptor, its config, and its layers from the base up."""

    manifest: Descriptor
    config_descriptor: Descriptor
    config: dict[str, Any]
    layers: tuple[Descriptor, ...]


class LayoutWriter:
    """Fills an empty directory with an image layout."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blobs = path / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)

    def add_blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Store a blob and return its descriptor."""
        digest = digest_of(content)
        (self._blobs / digest.removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def scratch(self) -> Path:
        """Return the path at which to write a blob that is too large for memory, for `adopt_blob`."""
        return self._path / ".blob.partial"

    def adopt_blob(self, file: Path, digest: str, size: int, media_type: str) -> dict[str, Any]:
        """Move a finished file into the layout as a blob; return its descriptor."""
        file.chmod(0o644)
        file.rename(self._blobs / digest.removeprefix("sha256:"))
        return {"mediaType": media_type, "digest": digest, "size": size}

    def finish(self, manifest: dict[str, Any], *, ref: str, platform: dict[str, str]) -> str:
        """Store the manifest, the index that names it `ref`, and `oci-layout`; return the manifest's digest."""
        descriptor = self.add_blob(compact_json(manifest), MANIFEST)
        named = {**descriptor, "platform": platform, "annotations": {REF_NAME: ref}}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}
        (self._path / "index.json").write_bytes(compact_json(index))
        (self._path / "oci-layout").write_bytes(compact_json({"imageLayoutVersion": "1.0.0"}))
        return str(descriptor["digest"])


class Layout:
    """An image layout opened for reading. A blob is used only after its size and digest have been checked.

    `files`: those of an archive of a layout; otherwise `path` is a directory.
    """

    def __init__(self, path: Path, files: TarFiles | None = None) -> None:
        self.path = path
        self._files = files
        marker = path / "oci-layout"
        with explaining_os_errors(path):
            if not exists(path):
                raise ImageError("images.error.missing", path=path)
            if not (is_layout(path) if files is None else "oci-layout" in files and "index.json" in files):
                raise ImageError("images.error.not_a_layout", path=path)
        version = self._object(marker, self._small(marker)).get("imageLayoutVersion")
        if version != "1.0.0":
            raise ImageError("images.error.layout_version", path=marker, version=version)

    @classmethod
    @contextmanager
    def in_archive(cls, path: Path) -> Iterator[Layout]:
        """Open a layout that is a tar archive, compressed or not (skopeo's `oci-archive:`).

        Raises:
            ImageError: as `TarFiles.open`, and `not_a_layout`.
        """
        with TarFiles.open(path) as files:
            yield cls(path, files)

    def image(self, ref: str | None = None) -> Image:
        """Return the image of a ref, or `@N`: the image number N, from 0. Without a ref there must be exactly one image.

        Of an index for several platforms, the entry that fits this machine best is used, and of several the first
        (image-index.md). What is wrong with the others does not matter.

        Raises:
            ImageError: `ref_unknown`, `ref_needed`, `no_platform`, and the errors of blobs that are read.
        """
        index = self.path / "index.json"
        entries = self._object(index, self._small(index), shapes.INDEX).get("manifests")
        if not isinstance(entries, list):
            raise ImageError("images.error.layout_json", path=index, reason="manifests: not an array")
        asked, number = ref, number_of(ref)
        if number is not None:
            entries, ref = entries[number : number + 1], None
        names = [_ref_name(entry) for entry in entries]
        refs = ", ".join(dict.fromkeys(name for name in names if name)) or "-"
        if ref is None:
            if len(set(names)) > 1:
                raise ImageError("images.error.ref_needed", path=self.path, refs=refs)
            ref = names[0] if names else None
        found = [entry for entry, name in zip(entries, names, strict=True) if name == ref]
        if not found:
            raise ImageError("images.error.ref_unknown", path=self.path, ref=asked or "-", refs=refs)
        return self._load(self._manifest(found, index, asked or ref or "-"))

    def refs(self) -> tuple[str, ...]:
        """Return the refs of the images in it.

        Raises:
            ImageError: `layout_json`.
        """
        index = self.path / "index.json"
        entries = self._object(index, self._small(index)).get("manifests")
        names = [_ref_name(entry) for entry in entries] if isinstance(entries, list) else []
        return tuple(name for name in names if name)

    def verify(self, image: Image) -> None:
        """Check size and digest of every layer (those of manifest and config were checked when they were read).

        Raises:
            ImageError: `blob_missing`, `blob_size` or `blob_digest`, naming the blob.
        """
        for layer in image.layers:
            self.open_blob(layer).close()

    def open_blob(self, descriptor: Descriptor) -> IO[bytes]:
        """Open a blob after checking its size and digest.

        Raises:
            ImageError: `blob_missing`, `blob_size` or `blob_digest`, naming the blob.
        """
        path = self._blob(descriptor)
        with explaining_os_errors(path), ExitStack() as stack:
            opened = self._open(path)
            if opened is None:
                raise ImageError("images.error.blob_missing", path=path, digest=descriptor.digest)
            file = stack.enter_context(opened)
            # Size first: descriptor.md, "Verification".
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            if size != descriptor.size:
                raise ImageError("images.error.blob_size", path=path, expected=descriptor.size, found=size)
            content = HashingWriter(algorithm=algorithm_of(descriptor.digest))
            for chunk in chunks(file):
                content.write(chunk)
            if content.digest != descriptor.digest:
                raise ImageError(
                    "images.error.blob_digest", path=path, expected=descriptor.digest, found=content.digest
                )
            file.seek(0)
            stack.pop_all()
            return file

    def _manifest(self, entries: list[Any], where: Path, ref: str) -> Descriptor:
        """Return the manifest for this machine of some entries of `where`; they may be of indexes."""
        seen: list[str] = []
        found = self._fitting(entries, where, seen, set(), _NESTING)
        if found is not None:
            return found
        for entry in entries:
            descriptor = Descriptor.parse(entry, where)
            if descriptor.media_type not in (*_MANIFESTS, *_INDEXES):
                raise ImageError("images.error.media_type", path=where, media_type=descriptor.media_type)
        raise ImageError(
            "images.error.no_platform",
            path=self.path,
            ref=ref,
            wanted=this_machine(),
            found=", ".join(seen) or "-",
        )

    def _fitting(
        self, entries: list[Any], where: Path, seen: list[str], visited: set[str], levels: int
    ) -> Descriptor | None:
        """Return the manifest that fits this machine best; note the platforms that there are in `seen`."""
        usable = [
            entry
            for entry in entries
            if isinstance(entry, dict) and entry.get("mediaType") in (*_MANIFESTS, *_INDEXES)
        ]
        seen += [str(Platform.of(entry)) for entry in usable]
        ranked = [
            (rank, entry) for entry in usable if (rank := Platform.of(entry).rank(this_machine())) is not None
        ]
        for _, entry in sorted(ranked, key=lambda pair: pair[0]):
            descriptor = Descriptor.parse(entry, where)
            if descriptor.media_type in _MANIFESTS:
                return descriptor
            if descriptor.digest in visited or not levels:
                continue
            visited.add(descriptor.digest)
            path = self._blob(descriptor)
            index = self._object(path, self._json_blob(descriptor), shapes.INDEX)
            _check_own_type(index, descriptor, path)
            inner = index.get("manifests")
            if not isinstance(inner, list) or "layers" in index:
                raise ImageError("images.error.layout_json", path=path, reason="manifests: not an array")
            found = self._fitting(inner, path, seen, visited, levels - 1)
            if found is not None:
                return found
        return None

    def _load(self, descriptor: Descriptor) -> Image:
        path = self._blob(descriptor)
        manifest = self._object(path, self._json_blob(descriptor), shapes.MANIFEST)
        _check_own_type(manifest, descriptor, path)
        config_descriptor = Descriptor.parse(manifest.get("config"), path)
        layers = manifest.get("layers")
        # Both a manifest and an index, for tools that look at its members (CVE-2021-41190): skopeo refuses it, too.
        if not isinstance(layers, list) or "manifests" in manifest:
            raise ImageError("images.error.layout_json", path=path, reason="layers: not an array")
        if config_descriptor.media_type not in _CONFIGS:
            raise ImageError("images.error.media_type", path=path, media_type=config_descriptor.media_type)
        config_path = self._blob(config_descriptor)
        config = self._object(config_path, self._json_blob(config_descriptor))
        return Image(
            descriptor, config_descriptor, config, tuple(Descriptor.parse(layer, path) for layer in layers)
        )

    def _blob(self, descriptor: Descriptor) -> Path:
        algorithm, name = split_digest(descriptor.digest) or ("sha256", "-")
        return self.path / "blobs" / algorithm / name

    def _json_blob(self, descriptor: Descriptor) -> bytes:
        if descriptor.size > _JSON_LIMIT:
            raise ImageError(
                "images.error.layout_json", path=self._blob(descriptor), reason=f"> {_JSON_LIMIT} bytes"
            )
        with self.open_blob(descriptor) as file:
            return file.read()

    def _small(self, path: Path) -> bytes:
        with explaining_os_errors(path):
            file = self._open(path)
            if file is None:
                raise ImageError("images.error.missing", path=path)
            with file:
                return file.read(_JSON_LIMIT)

    def _open(self, path: Path) -> IO[bytes] | None:
        """Open a file of the layout; None if there is none."""
        if self._files is not None:
            return self._files.file(path.relative_to(self.path).as_posix())
        return path.open("rb") if path.is_file() else None

    def _object(self, path: Path, content: bytes, shape: shapes.Shape = None) -> dict[str, Any]:
        try:
            value = parse_json(content)
        except ValueError as error:
            raise ImageError("images.error.layout_json", path=path, reason=str(error)) from error
        if not isinstance(value, dict):
            raise ImageError("images.error.layout_json", path=path, reason="not an object")
        wrong = shapes.misfit(value, shape or {})
        if wrong:
            raise ImageError(
                "images.error.layout_json", path=path, reason=f"{wrong[0]}: {repr(wrong[1])[:60]}"
            )
        return value


def _check_own_type(document: dict[str, Any], descriptor: Descriptor, path: Path) -> None:
    """Raise ImageError if a manifest says of itself that it is something else, or an index (CVE-2021-41190)."""
    found, expected = document.get("mediaType"), descriptor.media_type
    same = _MANIFESTS if expected in _MANIFESTS else _INDEXES
    if found and found not in same:
        raise ImageError("images.error.own_media_type", path=path, found=found, expected=expected)


def _ref_name(entry: object) -> str | None:
    annotations = entry.get("annotations") if isinstance(entry, dict) else None
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else None
