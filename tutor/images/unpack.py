"""Unpack an image of an OCI image layout into a bundle: `rootfs/` and `config.json` (image-spec layer.md and conversion.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.images.bundle_config import ConfigStyle, runtime_config, unsafe_labels
from tutor.images.changeset import Changesets, Notice
from tutor.images.errors import ImageError
from tutor.images.image_source import ImageSource, from_layout
from tutor.images.layout import Layout
from tutor.images.outputs import new_directory
from tutor.images.platforms import machine_platform
from tutor.images.rootfs import Rootfs
from tutor.images.shapes import CONFIG, misfit
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class UnpackedImage:
    """The image that was unpacked, and what of it was left out."""

    image: ImageSource
    notices: tuple[Notice, ...]
    foreign: str | None  # the image's architecture, if it is not this machine's


def unpack(
    layout: Path, bundle: Path, *, ref: str | None = None, config: ConfigStyle = "full", replace: bool = False
) -> UnpackedImage:
    """Create the bundle `bundle` from an image of a layout, as `unpack_image`."""
    return unpack_image(from_layout(Layout(layout), ref), bundle, config=config, replace=replace)


def unpack_image(
    image: ImageSource, bundle: Path, *, config: ConfigStyle = "full", replace: bool = False
) -> UnpackedImage:
    """Create the bundle `bundle` from an image. It appears complete or not at all.

    Owners, devices and extended attributes that this user or the filesystem may not set are left out and listed in `notices`, as
    are labels that a runtime would follow.

    Raises:
        ImageError: there is no such image, a digest is wrong, a layer cannot be applied, the image lacks its user, there is
            something at `bundle` (with `replace`, another bundle is replaced), or writing fails.
    """
    _check_config(image.config)
    with new_directory(bundle, replace_if=is_bundle if replace else None) as directory:
        root = directory / "rootfs"
        root.mkdir()
        root.chmod(0o755)
        with Rootfs(root) as rootfs:
            changesets = Changesets(rootfs)
            for layer in image.open_layers():
                changesets.apply(layer)
            spec = runtime_config(image.config, rootfs, config)
            notices = changesets.finish()
        if config == "full" and (labels := unsafe_labels(image.config)):
            notices.append(Notice("labels", len(labels), labels[0]))
        (directory / "config.json").write_text(
            json.dumps(spec, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    architecture = image.config.get("architecture")
    foreign = str(architecture) if architecture != machine_platform()[0] else None
    return UnpackedImage(image, tuple(notices), foreign)


def _check_config(config: dict[str, Any]) -> None:
    wrong = misfit(config, CONFIG)
    if wrong:
        raise ImageError("images.error.image_config", property=wrong[0], value=repr(wrong[1])[:60])
    if config.get("os") != "linux":
        raise ImageError("images.error.foreign_os", os=config.get("os") or "-")


def is_bundle(path: Path) -> bool:
    """Tell whether a directory is a bundle: `config.json` and a root filesystem (runtime-spec bundle.md)."""
    return (path / "config.json").is_file() and (path / "rootfs").is_dir()
