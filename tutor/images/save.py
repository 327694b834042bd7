"""Convert an OCI image layout to a `docker save` archive, as `skopeo copy oci:LAYOUT:REF docker-archive:FILE:NAME` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.images.docker_archive import write_archive
from tutor.images.image_source import open_layers
from tutor.images.layout import Layout
from tutor.images.outputs import new_file

if TYPE_CHECKING:
    from pathlib import Path


def save(layout: Path, archive: Path, *, ref: str, repository: str, tag: str) -> None:
    """Write the image `ref` of a layout to `archive`, in the form with a folder for every layer.

    The layers are held in memory: this is for the images of lessons, which are small.

    Raises:
        ImageError: there is no such image, the digest of a blob or layer is wrong, there is something at `archive`, or
            writing fails.
    """
    source = Layout(layout)
    image = source.image(ref)
    tars = []
    for layer in open_layers(source, image):
        with layer.open() as tar:
            tars.append(tar.read())
    config = {"created": "1970-01-01T00:00:00Z", **image.config}
    with new_file(archive, replace=False) as file:
        write_archive(file, config, tars, repository=repository, tag=tag)
