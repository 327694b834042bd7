"""Which image of a layout is taken: media types, platforms, indexes in indexes, and digests that cannot be checked here."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.images import (
    CONFIG,
    INDEX,
    LAYER,
    MANIFEST,
    LayoutMaker,
    digest,
    entry,
    layout,
    named,
    snapshot,
    tar,
)
from tutor.images import ImageError
from tutor.images.platforms import Platform, machine_platform, this_machine
from tutor.images.unpack import unpack
from tutor.images.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

OF_DOCKER = {
    MANIFEST: "application/vnd.docker.distribution.manifest.v2+json",
    INDEX: "application/vnd.docker.distribution.manifest.list.v2+json",
    CONFIG: "application/vnd.docker.container.image.v1+json",
    LAYER: "application/vnd.docker.image.rootfs.diff.tar",
    LAYER + "+gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    LAYER + "+zstd": "application/vnd.docker.image.rootfs.diff.tar.zstd",
}


def _failure(tmp_path: Path, source: Path) -> ImageError:
    with pytest.raises(ImageError) as caught:
        unpack(source, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
    return caught.value


def _as_docker(maker: LayoutMaker, descriptor: dict[str, Any]) -> dict[str, Any]:
    """Return the descriptor of the same manifest with Docker's media types."""
    manifest = json.loads((maker.blobs / descriptor["digest"][7:]).read_text())
    for part in (manifest["config"], *manifest["layers"]):
        part["mediaType"] = OF_DOCKER[part["mediaType"]]
    manifest["mediaType"] = OF_DOCKER[MANIFEST]
    return maker.json_blob(manifest, OF_DOCKER[MANIFEST])


@pytest.mark.parametrize("form", [False, "gzip", "zstd"])
def test_dockers_media_types_are_the_same_image(tmp_path: Path, form: bool | str) -> None:
    content = tar([entry("file", b"x")])
    maker = LayoutMaker(tmp_path / "layout")
    plain = maker.manifest([content], compressed=form)
    docker = _as_docker(maker, plain)
    in_list = maker.json_blob({"schemaVersion": 2, "manifests": [docker]}, OF_DOCKER[INDEX])
    source = maker.index(named(plain, "oci"), named(docker, "docker"), named(in_list, "list"))
    for ref in ("oci", "docker", "list"):
        unpack(source, tmp_path / ref, ref=ref)
        verify(f"{source}:{ref}")
    trees = [snapshot(tmp_path / ref / "rootfs") for ref in ("oci", "docker", "list")]
    assert trees[0] == trees[1] == trees[2] != {}


def _platform(architecture: str, variant: str | None = None) -> dict[str, Any]:
    return {
        "platform": {
            "os": "linux",
            "architecture": architecture,
            **({"variant": variant} if variant else {}),
        }
    }


OWN = machine_platform()[0]


@pytest.mark.parametrize("bad", ["blake3:" + "0" * 64, "multihash+base58:QmRZ", "sha256:short", None])
def test_a_digest_that_another_platforms_entry_has_does_not_matter(tmp_path: Path, bad: object) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    other = {"mediaType": MANIFEST, "digest": bad, "size": 5, **_platform("z80")}
    inner = maker.json_blob({"manifests": [other, {**maker.manifest([tar([])]), **_platform(OWN)}]}, INDEX)
    unpack(maker.index(named(inner, "latest")), tmp_path / "good")
    chosen = maker.json_blob({"manifests": [{**other, **_platform(OWN)}]}, INDEX)
    assert _failure(tmp_path, maker.index(named(chosen, "latest"))).code == "digest_syntax"


def test_sha512_digests_are_checked(tmp_path: Path) -> None:
    """descriptor.md defines two algorithms that implementations may verify."""
    source = layout(tmp_path / "layout", tar([entry("file", b"x" * 1000)]))
    index = json.loads((source / "index.json").read_text())

    def to_sha512(descriptor: dict[str, Any]) -> None:
        blob = source / "blobs/sha256" / descriptor["digest"][7:]
        content = blob.read_bytes()
        if descriptor["mediaType"] == MANIFEST:
            manifest = json.loads(content)
            to_sha512(manifest["config"])
            to_sha512(manifest["layers"][0])
            content = json.dumps(manifest).encode()
        name = hashlib.sha512(content).hexdigest()
        (source / "blobs/sha512").mkdir(exist_ok=True)
        (source / "blobs/sha512" / name).write_bytes(content)
        descriptor.update(digest=f"sha512:{name}", size=len(content))
        blob.unlink()

    to_sha512(index["manifests"][0])
    (source / "index.json").write_text(json.dumps(index))
    unpack(source, tmp_path / "good")
    layer = max((source / "blobs/sha512").iterdir(), key=lambda blob: blob.stat().st_size)
    layer.write_bytes(layer.read_bytes().replace(b"xxx", b"xyx", 1))
    assert _failure(tmp_path, source).code == "blob_digest"


# Platforms


def _best(machine: Platform, *entries: Platform) -> Platform | None:
    ranked = [(rank, each) for each in entries if (rank := each.rank(machine)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


@pytest.mark.parametrize("level", ["v1", "v2", "v3", "v4"])
def test_the_highest_level_of_x86_64_that_is_not_above_this_cpu_is_taken(level: str) -> None:
    machine = Platform("amd64", "linux", level)
    images = [Platform("amd64", "linux", variant) for variant in ("v1", "v2", "v3", "v4")]
    plain = Platform("amd64", "linux", None)
    for order in itertools.permutations([*images, plain, Platform("arm64", "linux", level)]):
        best = _best(machine, *order)
        assert best is not None
        assert best.architecture == "amd64"
        assert best.variant == level or (level == "v1" and best == plain)
    above = [image for image in images if str(image.variant) > level]
    assert _best(machine, *above) is None
    assert _best(machine, *above, plain) == plain


@pytest.mark.parametrize(
    ("machine", "images", "best"),
    [
        ("arm/v7", ["arm/v5", "arm/v8", "arm/v6", "arm/v7", "arm"], "arm/v7"),
        ("arm/v7", ["arm/v8", "arm/v5", "arm/v6"], "arm/v6"),
        ("arm/v6", ["arm/v7", "arm"], "arm"),
        ("arm64/v8", ["arm", "arm64", "arm64/v8"], "arm64/v8"),
        ("arm64/v8", ["arm64/v9"], None),
        ("ppc64le", ["ppc64le/power8"], "ppc64le/power8"),
        ("riscv64", ["riscv64/rva20u64", "riscv64"], "riscv64"),
        ("amd64/v4", ["386", "unknown"], None),
    ],
)
def test_variants_of_other_machines(machine: str, images: list[str], best: str | None) -> None:
    def platform(text: str) -> Platform:
        architecture, _, variant = text.partition("/")
        return Platform(architecture, "linux", variant or None)

    assert _best(platform(machine), *map(platform, images)) == (platform(best) if best else None)


def _image(maker: LayoutMaker, name: str, **more: Any) -> dict[str, Any]:
    return {**maker.manifest([tar([entry("name", name.encode())])]), **more}


def _chosen(tmp_path: Path, source: Path) -> str:
    bundle = tmp_path / f"bundle-{len(list(tmp_path.iterdir()))}"
    unpack(source, bundle)
    return (bundle / "rootfs/name").read_text()


def test_this_machines_level_is_found_in_an_index(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    machine = this_machine()
    assert machine.architecture == OWN
    images = [
        _image(maker, "other", **_platform("z80")),
        _image(maker, "plain", **_platform(OWN)),
        _image(maker, "own", **_platform(OWN, machine.variant)),
    ]
    index = maker.json_blob({"manifests": images}, INDEX)
    assert _chosen(tmp_path, maker.index(named(index, "x"))) in ("own", "plain")
    if machine.variant not in (None, "v1"):
        assert _chosen(tmp_path, maker.index(named(index, "x"))) == "own"


def test_an_entry_with_a_platform_is_preferred_to_one_without(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    entries = [_image(maker, "silent"), _image(maker, "own", **_platform(OWN))]
    index = maker.json_blob({"manifests": entries}, INDEX)
    assert _chosen(tmp_path, maker.index(named(index, "x"))) == "own"


def test_indexes_in_an_index_are_searched_until_one_fits(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    foreign = maker.json_blob({"manifests": [_image(maker, "foreign", **_platform("z80"))]}, INDEX)
    own = maker.json_blob({"manifests": [_image(maker, "own", **_platform(OWN))]}, INDEX)
    deep = maker.json_blob({"manifests": [foreign, own]}, INDEX)
    assert _chosen(tmp_path, maker.index(named(deep, "x"))) == "own"
    error = _failure(
        tmp_path, maker.index(named(maker.json_blob({"manifests": [foreign] * 100}, INDEX), "x"))
    )
    assert error.code == "no_platform"
    assert "linux/z80" in str(error.values["found"])


def test_an_index_full_of_indexes_ends_soon(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    inner = maker.json_blob({"manifests": []}, INDEX)
    for _ in range(20):
        inner = maker.json_blob({"manifests": [inner] * 50}, INDEX)
    assert _failure(tmp_path, maker.index(named(inner, "x"))).code == "no_platform"


def test_what_is_wrong_with_the_chosen_one_is_named(tmp_path: Path) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    good = _image(maker, "good", **_platform("z80"))
    missing = {"mediaType": MANIFEST, "digest": digest(b"nothing"), "size": 7, **_platform(OWN)}
    index = maker.json_blob({"manifests": [good, missing]}, INDEX)
    error = _failure(tmp_path, maker.index(named(index, "x")))
    assert (error.code, error.values["digest"]) == ("blob_missing", digest(b"nothing"))
    odd = maker.json_blob({}, "application/vnd.cncf.helm.config.v1+json")
    error = _failure(tmp_path, maker.index(named(odd, "x")))
    assert (error.code, error.values["media_type"]) == ("media_type", odd["mediaType"])


def test_a_document_that_is_both_manifest_and_index_is_refused(tmp_path: Path) -> None:
    """CVE-2021-41190: tools would read different images out of it."""
    maker = LayoutMaker(tmp_path / "layout")
    image = maker.manifest([tar([])])
    both = json.loads((maker.blobs / image["digest"][7:]).read_text())
    del both["mediaType"]
    both["manifests"] = [image]
    for kind in (MANIFEST, INDEX):
        error = _failure(tmp_path, maker.index(named(maker.json_blob(both, kind), "x")))
        assert error.code == "layout_json"
    del both["manifests"]
    both["mediaType"] = INDEX
    error = _failure(tmp_path, maker.index(named(maker.json_blob(both, MANIFEST), "x")))
    assert (error.code, error.values["found"]) == ("own_media_type", INDEX)
    both = {"mediaType": MANIFEST, "manifests": [image]}
    error = _failure(tmp_path, maker.index(named(maker.json_blob(both, INDEX), "x")))
    assert (error.code, error.values["found"]) == ("own_media_type", MANIFEST)
