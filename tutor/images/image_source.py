"""An image opened for reading, wherever it is: in a layout, in an archive of a layout, or in an archive of `docker save`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tutor.images.docker_archive import MANIFEST, DockerArchive
from tutor.images.errors import ImageError
from tutor.images.layer_tar import LayerTar
from tutor.images.layout import LAYER, Image, Layout
from tutor.images.reference import is_file
from tutor.images.tar_files import TarFiles
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tutor.images.compression import Form
    from tutor.images.reference import Reference, Transport

_NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar"
_OF_DOCKER = (
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
)
_COMPRESSIONS: dict[str, Form | None] = {"": None, "gzip": "gzip", "zstd": "zstd"}
_FORMS = {
    f"{kind}{sign if suffix else ''}{suffix}": form
    for kinds, sign in (((LAYER, _NONDISTRIBUTABLE), "+"), (_OF_DOCKER, "."))
    for kind in kinds
    for suffix, form in _COMPRESSIONS.items()
}


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image opened for reading.

    Attributes:
        transport: the form in which it is, by skopeo's word.
        names: its names there.
        manifest: the digest of its manifest; None in an archive of `docker save`, which has none.
        image_id: the digest of its config.
        layers: the names of its layers from the base up: their digests, or the members of the archive.
        config: the config.
        open_layers: yields each layer, from the base up, after checking it; each is open until the next one.
    """

    transport: Transport
    names: tuple[str, ...]
    manifest: str | None
    image_id: str
    layers: tuple[str, ...]
    config: dict[str, Any]
    open_layers: Callable[[], Iterator[LayerTar]]


@contextmanager
def open_image(reference: Reference) -> Iterator[ImageSource]:
    """Open an image for reading.

    Raises:
        ImageError: as `Layout`, `Layout.image` and `DockerArchive.open`; a layer is checked by `open_layers`.
    """
    path, ref, transport = reference.path, reference.ref, reference.transport
    if transport is None and not is_file(path):
        transport = "oci"
    if transport == "oci":
        yield from_layout(Layout(path), ref, "oci")
    elif transport == "oci-archive":
        with Layout.in_archive(path) as layout:
            yield from_layout(layout, ref, "oci-archive")
    else:
        with TarFiles.open(path) as files:
            # Docker's own archives are layouts too since Docker 25: what they were before comes first.
            if transport is None and MANIFEST not in files and "oci-layout" in files:
                yield from_layout(Layout(path, files), ref, "oci-archive")
            else:
                yield _from_docker(DockerArchive(path, files, ref))


def from_layout(layout: Layout, ref: str | None, transport: Transport = "oci") -> ImageSource:
    """Return an image of a layout.

    Raises:
        ImageError: as `Layout.image`.
    """
    image = layout.image(ref)
    return ImageSource(
        transport,
        (ref,) if ref else (),
        image.manifest.digest,
        image.config_descriptor.digest,
        tuple(layer.digest for layer in image.layers),
        image.config,
        lambda: open_layers(layout, image),
    )


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


def _from_docker(archive: DockerArchive) -> ImageSource:
    diff_ids = archive.diff_ids()
    return ImageSource(
        "docker-archive",
        tuple(archive.tags),
        None,
        archive.image_id,
        tuple(archive.layers),
        archive.config(),
        lambda: archive.checked_layers(diff_ids),
    )


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
