"""Check an image by its digests, from the name to the last layer, without unpacking or changing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.images.image_source import open_image
from tutor.images.reference import Reference, find_image
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.images.reference import Transport


@dataclass(frozen=True, slots=True)
class Verified:
    """An intact image: its names, the digest of its config (the image's id), and its layers' DiffIDs from the base up."""

    names: tuple[str, ...]
    image_id: str
    diff_ids: tuple[str, ...]


def verify(target: str) -> tuple[Transport, Verified]:
    """Check an image of any form, named as `reference` describes.

    Raises:
        ImageError: there is none, or a digest is wrong; the message names the blob or the member.
    """
    return _verify(find_image(target))


def verify_layout(path: Path, ref: str | None = None) -> Verified:
    """Check manifest, config and layers of an image in a layout; the layers both as blobs and uncompressed.

    Raises:
        ImageError: as `verify`.
    """
    return _verify(Reference(path, ref, "oci"))[1]


def verify_archive(path: Path) -> Verified:
    """Check the config of a docker-archive by its name, and its layers by the DiffIDs in the config.

    Raises:
        ImageError: as `verify`.
    """
    return _verify(Reference(path, None, "docker-archive"))[1]


def _verify(reference: Reference) -> tuple[Transport, Verified]:
    with open_image(reference) as source:
        diff_ids = tuple(layer.diff_id for layer in source.open_layers())
        return source.transport, Verified(source.names, source.image_id, diff_ids)
