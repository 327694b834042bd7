"""Reading an OCI image layout: every broken byte is caught, the right image found, and what is no layout told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.images import INDEX, LAYER, LayoutMaker, digest, entry, layout, named, tar
from tutor.images import ImageError
from tutor.images.platforms import machine_platform
from tutor.images.unpack import UnpackedImage, unpack

if TYPE_CHECKING:
    from pathlib import Path


def _code(tmp_path: Path, *layers: bytes, **more: Any) -> str:
    """Return the code of the error that unpacking an image of these layers ends with, leaving nothing."""
    path = layout(tmp_path / "layout", *layers, **more)
    with pytest.raises(ImageError) as caught:
        unpack(path, tmp_path / "bundle")
    assert [item.name for item in tmp_path.iterdir()] == ["layout"]
    return caught.value.code


def _failure(tmp_path: Path, source: Path) -> str:
    with pytest.raises(ImageError) as caught:
        unpack(source, tmp_path / "bundle")
    return caught.value.code


def test_every_broken_byte_is_caught_and_its_blob_named(tmp_path: Path) -> None:
    source = layout(tmp_path / "layout", tar([entry("a", b"x" * 100)]), compressed=True)
    blobs = sorted((source / "blobs/sha256").iterdir())
    assert len(blobs) == 3
    for blob in blobs:
        whole = blob.read_bytes()
        for position in (0, len(whole) // 2, len(whole) - 1):
            blob.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
            with pytest.raises(ImageError) as caught:
                unpack(source, tmp_path / "bundle")
            assert caught.value.code == "blob_digest"
            assert caught.value.values["path"] == blob
        blob.write_bytes(whole + b" ")
        assert _failure(tmp_path, source) == "blob_size"
        blob.unlink()
        assert _failure(tmp_path, source) == "blob_missing"
        blob.write_bytes(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]
    assert unpack(source, tmp_path / "bundle").notices == ()


def test_a_layer_that_is_not_what_the_config_says_is_caught(tmp_path: Path) -> None:
    assert _code(tmp_path, tar([entry("a", b"x")]), diff_ids=[digest(b"something else")]) == "diff_id"


def test_a_config_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    for number, rootfs in enumerate(({"type": "squashfs"}, {"type": "layers", "diff_ids": []}, "x")):
        (tmp_path / str(number)).mkdir()
        assert _code(tmp_path / str(number), tar([]), config={"rootfs": rootfs}) == "image_config"


@pytest.mark.parametrize(
    "bad", ["sha256:../../../../etc/passwd", "sha256:" + "A" * 64, "md5:0", "x" * 5000, None]
)
def test_a_digest_that_is_none_never_becomes_a_path(tmp_path: Path, bad: object) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    source = maker.index(named({**maker.manifest([]), "digest": bad}, "latest"))
    assert _failure(tmp_path, source) == "digest_syntax"


# Finding the image


def _platform(architecture: str, variant: str | None = None) -> dict[str, Any]:
    more = {"variant": variant} if variant else {}
    return {"platform": {"os": "linux", "architecture": architecture, **more}}


def _content(image: UnpackedImage, bundle: Path) -> str:
    assert image.image.layers
    return (bundle / "rootfs/name").read_text()


def test_an_index_gives_this_machines_image(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    own, variant = machine_platform()

    def image(name: str, platform: dict[str, Any]) -> dict[str, Any]:
        return {**maker.manifest([tar([entry("name", name.encode())])]), **platform}

    nested = maker.json_blob(
        {
            "manifests": [
                image("foreign", _platform("z80")),
                image("own", _platform(own, variant)),
                image("second", _platform(own, variant)),
            ]
        },
        INDEX,
    )
    foreign_only = maker.json_blob({"manifests": [image("foreign", _platform("z80"))]}, INDEX)
    odd = maker.json_blob({"odd": True}, "application/xml")
    source = maker.index(
        named(odd, "1.0"),
        named(nested, "1.0"),
        named(foreign_only, "foreign"),
        named(image("plain", {}), "plain"),
    )
    for ref, name in (("1.0", "own"), ("plain", "plain")):
        assert _content(unpack(source, tmp_path / ref, ref=ref), tmp_path / ref) == name
    for wanted, code in (("foreign", "no_platform"), ("none", "ref_unknown"), (None, "ref_needed")):
        with pytest.raises(ImageError) as caught:
            unpack(source, tmp_path / "bundle", ref=wanted)
        assert caught.value.code == code
        assert caught.value.values.get("refs") in (None, "1.0, foreign, plain")


def test_the_only_image_needs_no_ref_and_a_foreign_one_is_told(tmp_path: Path) -> None:
    source = layout(tmp_path / "layout", tar([entry("a", b"")]), config={"architecture": "z80"})
    assert unpack(source, tmp_path / "bundle").foreign == "z80"


def test_an_index_in_a_circle_ends(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    inner = maker.json_blob({"manifests": []}, INDEX)
    for _ in range(20):
        inner = maker.json_blob({"manifests": [inner]}, INDEX)
    assert _failure(tmp_path, maker.index(named(inner, "latest"))) == "no_platform"


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("oci-layout", None, "not_a_layout"),
        ("index.json", None, "not_a_layout"),
        ("oci-layout", '{"imageLayoutVersion":"9.0.0"}', "layout_version"),
        ("oci-layout", "[]", "layout_json"),
        ("index.json", "{", "layout_json"),
        ("index.json", '{"manifests":{}}', "layout_json"),
        ("index.json", '{"manifests":[5]}', "layout_json"),
        ("index.json", '{"manifests":[]}', "ref_unknown"),
        ("index.json", '{"manifests":[{"mediaType":"x"}]}', "digest_syntax"),
    ],
)
def test_a_directory_that_is_no_layout_is_told(
    tmp_path: Path, file: str, content: str | None, code: str
) -> None:
    source = layout(tmp_path / "layout", tar([]))
    (source / file).unlink()
    if content is not None:
        (source / file).write_text(content)
    assert _failure(tmp_path, source) == code


def test_a_layer_of_an_unknown_kind_is_told(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    manifest = maker.manifest([tar([])])
    content = json.loads((maker.blobs / manifest["digest"].removeprefix("sha256:")).read_text())
    content["layers"][0]["mediaType"] = LAYER + "+lz4"
    source = maker.index(named(maker.json_blob(content, manifest["mediaType"]), "latest"))
    assert _failure(tmp_path, source) == "media_type"
