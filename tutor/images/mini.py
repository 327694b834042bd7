"""The mini image: a small root filesystem like Alpine's, built from this machine's programs, in the format of `docker save`.

It has two layers. The first is the system; the second replaces a file of it (`/etc/motd`) and hides another
(`/tmp/build.log`, by a whiteout), so that lessons on layers have something to show. The files of both are in `skeleton/`. The
same programs give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from tutor.images.digests import compact_json, digest_of
from tutor.images.docker_archive import ArchiveLayer, write_archive
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.layers import Layer
from tutor.images.outputs import new_file
from tutor.images.programs import Programs, Source
from tutor.lazy_dataclass import dataclass
from tutor.paths import SYSTEM_PATH

TAG = "mini:latest"
_SKELETON = Path(__file__).parent / "skeleton"
_CREATED = "1970-01-01T00:00:00Z"
_DIRECTORIES: dict[str, tuple[int, int]] = {  # path: mode, owner
    **dict.fromkeys(["bin", "dev", "etc", "home", "lib", "mnt", "opt", "run", "sbin", "srv"], (0o755, 0)),
    **dict.fromkeys(
        ["usr/bin", "usr/sbin", "usr/lib", "usr/local/bin", "var/cache", "var/lib", "var/log"], (0o755, 0)
    ),
    **dict.fromkeys(["proc", "sys"], (0o555, 0)),
    **dict.fromkeys(["tmp", "var/tmp"], (0o1777, 0)),
    "root": (0o700, 0),
    "home/learner": (0o755, 1000),
}
# A name and a tag as docker(1) takes them, without registry and digest.
_TAG = re.compile(r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>\w[\w.-]{0,127}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """The image that was built."""

    image_id: str  # the digest of the config
    tag: str
    architecture: str  # as GOARCH
    programs: Programs
    layers: tuple[ArchiveLayer, ...]


def build(output: Path, *, tag: str = TAG, source: Source = "auto", replace: bool = False) -> BuiltImage:
    """Write the mini image to `output`, a `docker save` archive (`manifest.json`, `repositories`, layer folders).

    Raises:
        ImageError: there are no programs to build from, the tag is invalid, there is something at `output` (without
            `replace`), or writing fails.
    """
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ImageError("images.error.tag", tag=tag)
    name, version = match["name"], match["tag"] or "latest"
    programs = Programs.find(source)
    with explaining_os_errors(output):
        base, architecture = _base_layer(programs)
        tars = [base.tar(), _greeting_layer().tar()]
    config = _image_config(architecture, [digest_of(tar) for tar in tars])
    with new_file(output, replace=replace) as file:
        layers = write_archive(file, config, tars, repository=name, tag=version)
    return BuiltImage(digest_of(compact_json(config)), f"{name}:{version}", architecture, programs, layers)


def fingerprint(programs: Programs) -> str:
    """Return 16 digits that change when the image of `build` would change, without building it."""
    recipe = [programs.kind, programs.fingerprint(), sorted(_DIRECTORIES.items()), _image_config("", [])]
    digest = hashlib.sha256(compact_json(recipe))
    digest.update(_greeting_layer().tar())
    skeleton = Layer()
    skeleton.tree(_SKELETON / "1-base")
    digest.update(skeleton.tar())
    return digest.hexdigest()[:16]


def _base_layer(programs: Programs) -> tuple[Layer, str]:
    layer = Layer()
    for path, (mode, owner) in _DIRECTORIES.items():
        layer.directory(path, mode=mode, owner=owner)
    layer.tree(_SKELETON / "1-base")
    return layer, programs.install(layer)


def _greeting_layer() -> Layer:
    layer = Layer()
    layer.directory("tmp", mode=_DIRECTORIES["tmp"][0])
    layer.tree(_SKELETON / "2-greeting")
    return layer


def _image_config(architecture: str, diff_ids: list[str]) -> dict[str, Any]:
    """Return the image's configuration (image-spec config.md), with its members in the order of Go's tools."""
    history = [
        "oci-tutor image build: the root filesystem",
        "oci-tutor image build: a new motd, no build.log",
    ]
    return {
        "created": _CREATED,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Env": [f"PATH={SYSTEM_PATH}"],
            "Cmd": ["/bin/sh"],
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": _CREATED, "created_by": text} for text in history],
    }
