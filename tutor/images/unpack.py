"""Unpack an image of an OCI image layout into a bundle: `rootfs/` and `config.json` (image-spec layer.md and conversion.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutor.images.bundle_config import ConfigStyle, runtime_config
from tutor.images.changeset import Changesets, Notice
from tutor.images.errors import ImageError
from tutor.images.layer_tar import LayerTar
from tutor.images.layout import LAYER, Image, Layout, machine_platform
from tutor.images.outputs import new_directory
from tutor.images.rootfs import Rootfs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tutor.images.compression import Form

_NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar"
_SUFFIXES: dict[str, Form | None] = {"": None, "+gzip": "gzip", "+zstd": "zstd"}
_FORMS = {kind + suffix: form for kind in (LAYER, _NONDISTRIBUTABLE) for suffix, form in _SUFFIXES.items()}


@dataclass(frozen=True, slots=True)
class UnpackedImage:
    """The image that was unpacked, and the attributes that could not be set on this machine."""

    image: Image
    notices: tuple[Notice, ...]
    foreign: str | None  # the image's architecture, if it is not this machine's


def unpack(
    layout: Path, bundle: Path, *, ref: str | None = None, config: ConfigStyle = "full", replace: bool = False
) -> UnpackedImage:
    """Create the bundle `bundle` from an image of a layout. It appears complete or not at all.

    Owners, devices and extended attributes that this user or the filesystem may not set are left out and listed in `notices`.

    Raises:
        ImageError: there is no such image, a digest is wrong, a layer cannot be applied, the image lacks its user, there is
            something at `bundle` (with `replace`, another bundle is replaced), or writing fails.
    """
    source = Layout(layout)
    image = source.image(ref)
    with new_directory(bundle, replace_if=is_bundle if replace else None) as directory:
        root = directory / "rootfs"
        root.mkdir()
        root.chmod(0o755)
        with Rootfs(root) as rootfs:
            changesets = Changesets(rootfs)
            for layer in open_layers(source, image):
                changesets.apply(layer)
            spec = runtime_config(image.config, rootfs, config)
            notices = changesets.finish()
        (directory / "config.json").write_text(
            json.dumps(spec, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    architecture = image.config.get("architecture")
    foreign = str(architecture) if architecture != machine_platform()[0] else None
    return UnpackedImage(image, tuple(notices), foreign)


def open_layers(source: Layout, image: Image) -> Iterator[LayerTar]:
    """Yield each layer, from the base up; each is open until the next one.

    Raises:
        ImageError: a blob differs from its descriptor, a layer from its DiffID in the config, or it is no sound tar.
    """
    for layer, diff_id in zip(image.layers, _diff_ids(image), strict=True):
        if layer.media_type not in _FORMS:
            raise ImageError("images.error.media_type", path=source.path, media_type=layer.media_type)
        with source.open_blob(layer) as blob:
            tar = LayerTar(blob, _FORMS[layer.media_type], layer.digest)
            tar.check(diff_id)
            yield tar


def is_bundle(path: Path) -> bool:
    """Tell whether a directory is a bundle: `config.json` and a root filesystem (runtime-spec bundle.md)."""
    return (path / "config.json").is_file() and (path / "rootfs").is_dir()


def _diff_ids(image: Image) -> list[Any]:
    rootfs = image.config.get("rootfs")
    rootfs = rootfs if isinstance(rootfs, dict) else {}
    # config.md: an unknown type must be an error when unpacking.
    if rootfs.get("type") != "layers":
        raise ImageError(
            "images.error.image_config", property="rootfs.type", value=repr(rootfs.get("type"))[:60]
        )
    diff_ids = rootfs.get("diff_ids")
    if not isinstance(diff_ids, list) or len(diff_ids) != len(image.layers):
        raise ImageError(
            "images.error.image_config", property="rootfs.diff_ids", value=f"{len(image.layers)} layers"
        )
    return diff_ids
