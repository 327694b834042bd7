"""Convert a `docker save` archive to an OCI image layout, as `skopeo copy docker-archive:FILE oci:LAYOUT:REF` does."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from tutor.images.digests import HashingWriter, chunks, compact_json
from tutor.images.docker_archive import DockerArchive
from tutor.images.errors import ImageError
from tutor.images.layout import CONFIG, LAYER, MANIFEST, LayoutWriter
from tutor.images.outputs import new_directory
from tutor.images.reference import is_layout
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.images.layer_tar import LayerTar

# The properties of image-spec config.md, in its order; Docker's own (`container_config`, `docker_version`, `OnBuild`, ...)
# are left out, as skopeo does.
_CONFIG_KEYS = (
    "created",
    "author",
    "architecture",
    "variant",
    "os",
    "os.version",
    "os.features",
    "config",
    "rootfs",
    "history",
)
_EXECUTION_KEYS = (
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
)
_ZLIB_GZIP = (
    31  # zlib's window bits for "32 KiB window, gzip header"; the header has no name and no time in it
)


@dataclass(frozen=True, slots=True)
class ConvertedLayer:
    """A layer under its two names: the digest of the tar (DiffID), and the digest of the compressed blob."""

    diff_id: str
    digest: str
    size: int  # bytes, compressed


@dataclass(frozen=True, slots=True)
class ConvertedImage:
    """The converted image."""

    ref: str
    manifest: str
    config: str
    layers: tuple[ConvertedLayer, ...]


def convert(
    archive: Path, layout: Path, *, name: str | None = None, ref: str | None = None, replace: bool = False
) -> ConvertedImage:
    """Create the OCI image layout `layout` from the image `name` of a docker-archive; its ref is `ref`, else its tag.

    The layout appears complete or not at all.

    Raises:
        ImageError: the archive is unreadable, truncated, incomplete, or a digest is wrong; there is something at `layout`
            (with `replace`, another layout is replaced); writing fails.
    """
    with DockerArchive.open(archive, name) as source:
        config = _oci_config(source.config(), archive)
        diff_ids = source.diff_ids()
        name = ref or _tag(source.tags)
        with new_directory(layout, replace_if=is_layout if replace else None) as directory:
            writer = LayoutWriter(directory)
            descriptors, layers = [], []
            for member, diff_id in zip(source.layers, diff_ids, strict=True):
                descriptor, found = _add_layer(writer, source.layer(member))
                if found != diff_id:
                    raise source.wrong_layer(member, expected=diff_id, found=found)
                descriptors.append(descriptor)
                layers.append(ConvertedLayer(diff_id, descriptor["digest"], descriptor["size"]))
            config_descriptor = writer.add_blob(compact_json(config), CONFIG)
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": config_descriptor,
                "layers": descriptors,
            }
            platform: dict[str, str] = {
                k: config[k] for k in ("architecture", "os", "variant") if k in config
            }
            digest = writer.finish(manifest, ref=name, platform=platform)
    return ConvertedImage(name, digest, config_descriptor["digest"], tuple(layers))


def _add_layer(writer: LayoutWriter, layer: LayerTar) -> tuple[dict[str, Any], str]:
    """Compress a layer into a blob; return its descriptor and the digest of the uncompressed tar (its DiffID)."""
    tar = HashingWriter()
    scratch = writer.scratch()
    compressor = zlib.compressobj(wbits=_ZLIB_GZIP)
    with scratch.open("wb") as file, layer.open() as plain:
        blob = HashingWriter(file)
        for chunk in chunks(plain):
            tar.write(chunk)
            blob.write(compressor.compress(chunk))
        blob.write(compressor.flush())
    return writer.adopt_blob(scratch, blob.digest, blob.size, LAYER + "+gzip"), tar.digest


def _oci_config(config: dict[str, Any], archive: Path) -> dict[str, Any]:
    """Return Docker's config as an OCI config; a property that is null counts as absent (config.md)."""
    result = {key: config[key] for key in _CONFIG_KEYS if config.get(key) is not None}
    execution = result.get("config", {})
    rootfs = result.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    for key, fine in (
        ("architecture", isinstance(result.get("architecture"), str)),
        ("os", isinstance(result.get("os"), str)),
        ("config", isinstance(execution, dict)),
        (
            "rootfs.diff_ids",
            isinstance(diff_ids, list) and all(isinstance(diff_id, str) for diff_id in diff_ids),
        ),
    ):
        if not fine:
            raise ImageError("images.error.archive_config", path=archive, member=key)
    if "config" in result:
        result["config"] = {
            key: execution[key] for key in _EXECUTION_KEYS if execution.get(key) not in (None, "", [], {})
        }
    result["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    return result


def _tag(tags: list[str]) -> str:
    """Return the tag of the first name, `3.9` of `alpine:3.9`; a registry's port (`host:5000/name`) is none."""
    tag = tags[0].rpartition(":")[2] if tags and ":" in tags[0] else ""
    return tag if tag and "/" not in tag else "latest"
