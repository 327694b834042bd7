"""The checks on images and digests: what they hold for, what they don't, and the evidence that they give."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tutor.course.checks import KINDS, CheckContext, Finding
from tutor.images.convert import convert
from tutor.images.mini import build
from tutor.messages import Messages

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive and a layout, as a lesson's."""
    folder = tmp_path_factory.mktemp("images")
    build(folder / "alpine-3.9.tar", tag="alpine:3.9")
    convert(folder / "alpine-3.9.tar", folder / "alpine-oci", ref="3.9")
    return folder


def _look(folder: Path, kind: str, **arguments: Any) -> Finding:
    context = CheckContext(Messages("en"), "runt", "x", folder / "bundle", None, None, directory=folder)
    return KINDS[kind].run(context, arguments)


def test_an_image_is_of_its_form_has_its_name_and_is_intact(images: Path) -> None:
    assert _look(images, "image", path="alpine-oci", form="oci-layout", ref="3.9", intact=True).passed
    assert _look(images, "image", path="alpine-3.9.tar", form="docker-archive", ref="3.9", intact=True).passed
    for wrong in (
        {"path": "alpine-oci", "form": "docker-archive"}, {"path": "alpine-3.9.tar", "form": "oci-layout"},
        {"path": "alpine-oci", "ref": "latest"}, {"path": "alpine-3.9.tar", "ref": "alpine"},
        {"path": "alpine-oci", "intact": False}, {"path": "none.tar", "intact": False},
    ):  # fmt: skip
        assert not _look(images, "image", **wrong).passed


def test_one_changed_byte_is_seen_with_the_blob_and_both_digests(images: Path, tmp_path: Path) -> None:
    shutil.copytree(images, tmp_path, dirs_exist_ok=True)
    layout = tmp_path / "alpine-oci"
    named = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"].removeprefix("sha256:")
    manifest = layout / "blobs/sha256" / named
    descriptor = json.loads(manifest.read_text())["layers"][0]
    blob = layout / "blobs/sha256" / descriptor["digest"].removeprefix("sha256:")
    at = {"descriptor": {"file": str(manifest), "pointer": "/layers/0"}, "layout": "alpine-oci"}
    name = f"alpine-oci/blobs/sha256/{blob.name}"
    assert _look(tmp_path, "digest", **at, intact=True).passed
    assert _look(tmp_path, "digest", path=name, named=True, equals=descriptor["digest"]).passed
    content = blob.read_bytes()
    blob.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert _look(tmp_path, "digest", **at, intact=False).passed
    assert not _look(tmp_path, "digest", path=name, named=True).passed
    broken = _look(tmp_path, "image", path="alpine-oci", ref="3.9", intact=True)
    assert not broken.passed
    assert blob.name in broken.evidence[0].found
    assert broken.evidence[0].command.endswith("alpine-oci:3.9")
    assert not _look(tmp_path, "digest", descriptor={"file": "alpine-oci/oci-layout", "pointer": "/x"}).passed
    assert not _look(tmp_path, "digest", path="none", named=False).passed
