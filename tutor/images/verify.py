"""Check an image by its digests, from the name to the last layer, without unpacking or changing anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tutor.images.docker_archive import DockerArchive
from tutor.images.errors import ImageError
from tutor.images.layout import Layout, is_layout, split_reference
from tutor.images.unpack import open_layers

Form = Literal["docker-archive", "oci-layout"]


@dataclass(frozen=True, slots=True)
class Verified:
    """An intact image: its names, the digest of its config (the image's id), and its layers' DiffIDs from the base up."""

    names: tuple[str, ...]
    image_id: str
    diff_ids: tuple[str, ...]


def verify(target: str) -> tuple[Form, Verified]:
    """Check `LAYOUT[:REF]` or `ARCHIVE`.

    Raises:
        ImageError: it is neither, or a digest is wrong; the message names the blob or the member.
    """
    path, ref = split_reference(target)
    if ref is not None and not is_layout(path):
        path, ref = Path(target), None
    if path.is_dir() or is_layout(path):
        return "oci-layout", verify_layout(path, ref)
    return "docker-archive", verify_archive(path)


def verify_layout(path: Path, ref: str | None = None) -> Verified:
    """Check manifest, config and layers of an image in a layout; the layers both as blobs and uncompressed.

    Raises:
        ImageError: as `Layout.image` and `open_layers`.
    """
    layout = Layout(path)
    image = layout.image(ref)
    for _ in open_layers(layout, image):
        pass
    diff_ids: list[str] = image.config["rootfs"]["diff_ids"]
    return Verified((ref,) if ref else (), image.config_descriptor.digest, tuple(diff_ids))


def verify_archive(path: Path) -> Verified:
    """Check the config of a docker-archive by its name, and its layers by the DiffIDs in the config.

    Raises:
        ImageError: as `DockerArchive`; `layer_count`, `archive_digest` or `archive_config`.
    """
    with DockerArchive.open(path) as archive:
        config = archive.config()
        rootfs = config.get("rootfs")
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(diff_ids, list):
            raise ImageError("images.error.archive_config", path=path, member="rootfs.diff_ids")
        if len(diff_ids) != len(archive.layers):
            raise ImageError(
                "images.error.layer_count", path=path, layers=len(archive.layers), diff_ids=len(diff_ids)
            )
        for member, diff_id in zip(archive.layers, diff_ids, strict=True):
            layer = archive.layer(member)
            try:
                layer.check(diff_id)
            except ImageError as error:
                if error.code != "diff_id":
                    raise
                raise archive.wrong_layer(member, expected=diff_id, found=layer.diff_id) from error
        return Verified(tuple(archive.tags), archive.image_id, tuple(diff_ids))
