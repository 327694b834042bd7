"""From a docker-archive to an OCI layout: right, the same every time, whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.images import REPOSITORY, archive_with, digest, docker_archive, entry, snapshot, tar
from tutor.images import ImageError
from tutor.images.convert import convert
from tutor.images.layout import Layout
from tutor.images.mini import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "mini.tar"
    build(path)
    return path


def _manifest(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as file:
        member = file.extractfile("manifest.json")
        assert member is not None
        manifest: dict[str, Any] = json.load(member)[0]
    return manifest


def test_every_blob_is_named_by_its_digest_and_the_ref_leads_to_it(tmp_path: Path, archive: Path) -> None:
    converted = convert(archive, tmp_path / "mini")
    layout = tmp_path / "mini"
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    blobs = list((layout / "blobs/sha256").iterdir())
    assert {digest(blob.read_bytes()) for blob in blobs} == {f"sha256:{blob.name}" for blob in blobs}
    (descriptor,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert descriptor["annotations"]["org.opencontainers.image.ref.name"] == "latest"
    assert descriptor["digest"] == converted.manifest
    manifest = json.loads((layout / "blobs/sha256" / converted.manifest.removeprefix("sha256:")).read_text())
    assert {layer["mediaType"] for layer in manifest["layers"]} == {
        "application/vnd.oci.image.layer.v1.tar+gzip"
    }
    unpacked = [
        digest(
            gzip.decompress((layout / "blobs/sha256" / layer["digest"].removeprefix("sha256:")).read_bytes())
        )
        for layer in manifest["layers"]
    ]
    assert unpacked == [layer.diff_id for layer in converted.layers]
    assert len(blobs) == 4
    assert sorted(path.name for path in layout.iterdir()) == ["blobs", "index.json", "oci-layout"]


def test_the_same_archive_gives_the_same_layout(tmp_path: Path, archive: Path) -> None:
    for name in ("a", "b"):
        convert(archive, tmp_path / name, ref="x")
    trees = [snapshot(tmp_path / name, times=False) for name in ("a", "b")]
    assert trees[0] == trees[1]


def test_an_oci_config_keeps_its_digest_and_dockers_own_properties_go(tmp_path: Path, archive: Path) -> None:
    assert (
        convert(archive, tmp_path / "mini").config.removeprefix("sha256:") + ".json"
        == _manifest(archive)["Config"]
    )
    made = docker_archive(
        tmp_path / "made.tar",
        [tar([entry("a", b"a")])],
        {"docker_version": "20", "container_config": {"Cmd": ["x"]}, "author": "me", "os.version": None},
    )
    made_config = {"Cmd": ["sh"], "Hostname": "h", "AttachStdin": False, "Labels": None, "Env": ["A=あ"]}
    made = docker_archive(
        made, [tar([entry("a", b"a")])], {"config": made_config, "docker_version": "20", "author": "me"}
    )
    convert(made, tmp_path / "made")
    config = Layout(tmp_path / "made").image("by-hand").config
    assert config["config"] == {"Env": ["A=あ"], "Cmd": ["sh"]}
    assert list(config) == ["author", "architecture", "os", "config", "rootfs"]


def test_a_compressed_archive_and_compressed_layers_are_read_too(tmp_path: Path) -> None:
    layer = tar([entry("hello", b"hello")])
    rootfs = {"rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}
    made = docker_archive(tmp_path / "made.tar", [gzip.compress(layer)], rootfs)
    packed = tmp_path / "made.tar.gz"
    packed.write_bytes(gzip.compress(made.read_bytes()))
    assert convert(packed, tmp_path / "layout").layers[0].diff_id == digest(layer)


def test_a_layer_that_is_a_link_to_another_is_found(tmp_path: Path) -> None:
    """`docker save` writes a layer only once, and a link in the other's folder."""
    layer = tar([entry("hello", b"hello")])
    made = docker_archive(tmp_path / "made.tar", [layer, layer])
    with tarfile.open(made) as old, tarfile.open(tmp_path / "linked.tar", "w") as new:
        for member in old.getmembers():
            if member.name == "1/layer.tar":
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "../0/layer.tar", 0
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    converted = convert(tmp_path / "linked.tar", tmp_path / "layout")
    assert [item.diff_id for item in converted.layers] == [digest(layer)] * 2


@pytest.mark.parametrize(
    ("tags", "ref"),
    [
        (["alpine:3.9"], "3.9"),
        (["host:5000/alpine"], "latest"),
        (["host:5000/alpine:3"], "3"),
        (None, "latest"),
        ([], "latest"),
    ],
)
def test_without_a_ref_the_image_keeps_its_tag(tmp_path: Path, tags: list[str] | None, ref: str) -> None:
    made = docker_archive(tmp_path / "made.tar", [tar([entry("a", b"a")])], RepoTags=tags)
    assert convert(made, tmp_path / "layout").ref == ref


def test_bad_archives_are_told_apart_and_leave_nothing(tmp_path: Path, archive: Path) -> None:
    manifest = _manifest(archive)
    layer, config = manifest["Layers"][0], manifest["Config"]
    whole = archive.read_bytes()
    bad = tmp_path / "bad.tar"
    output = tmp_path / "out"
    output.mkdir()

    def code() -> str:
        with pytest.raises(ImageError) as caught:
            convert(bad, output / "layout")
        assert list(output.iterdir()) == []
        return caught.value.code

    assert code() == "missing"
    bad.write_bytes(b"not a tar at all" * 1000)
    assert code() == "archive_unreadable"
    bad.write_bytes(b"")
    assert code() == "archive_unreadable"
    bad.write_bytes(whole[: len(whole) // 2])
    assert code() == "archive_truncated"
    bad.write_bytes(gzip.compress(whole)[:-5000])
    assert code() == "archive_compression"
    archive_with(archive, bad, {"manifest.json": None})
    assert code() == "archive_member"
    archive_with(archive, bad, {layer: None})
    assert code() == "archive_member"
    archive_with(archive, bad, {config: None})
    assert code() == "archive_member"
    archive_with(archive, bad, {layer: tar([entry("other", b"content")])})
    assert code() == "archive_digest"
    archive_with(archive, bad, {config: b'{"architecture":"amd64"}'})
    assert code() == "archive_digest"
    archive_with(archive, bad, {"manifest.json": b"{"})
    assert code() == "archive_json"
    archive_with(archive, bad, {"manifest.json": b"[" * 100_000})
    assert code() == "archive_json"
    archive_with(archive, bad, {"manifest.json": b'["\\ud800"]'})
    assert code() == "archive_json"
    archive_with(archive, bad, {"manifest.json": b"[]"})
    assert code() == "archive_manifest"
    archive_with(archive, bad, {"manifest.json": b'[{"Config":1,"Layers":[]}]'})
    assert code() == "archive_manifest"
    archive_with(archive, bad, {"manifest.json": json.dumps([manifest, manifest]).encode()})
    assert code() == "archive_several"
    archive_with(archive, bad, {"manifest.json": json.dumps([{**manifest, "Layers": [layer]}]).encode()})
    assert code() == "layer_count"
    outside = [{**manifest, "Layers": ["../../etc/passwd", "/etc/passwd"]}]
    archive_with(archive, bad, {"manifest.json": json.dumps(outside).encode()})
    assert code() == "archive_member"
    docker_archive(bad, [b""], {"rootfs": {"type": "layers"}})
    assert code() == "archive_config"
    docker_archive(bad, [b""], {"os": None})
    assert code() == "archive_config"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    entries = [entry("manifest.json", type=tarfile.SYMTYPE, linkname="manifest.json")]
    (tmp_path / "bad.tar").write_bytes(tar(entries))
    with pytest.raises(ImageError) as caught:
        convert(tmp_path / "bad.tar", tmp_path / "layout")
    assert caught.value.code == "archive_member"


def test_what_is_there_already_stays(tmp_path: Path, archive: Path) -> None:
    layout = tmp_path / "mine"
    layout.mkdir()
    (layout / "thesis.txt").write_text("years of work")
    for replace, code in ((False, "exists_directory"), (True, "exists_foreign")):
        with pytest.raises(ImageError) as caught:
            convert(archive, layout, replace=replace)
        assert caught.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (layout / "thesis.txt").read_text() == "years of work"


def test_a_layout_can_be_replaced_and_an_empty_directory_filled(tmp_path: Path, archive: Path) -> None:
    layout = tmp_path / "mini"
    layout.mkdir()
    inode = layout.stat().st_ino
    convert(archive, layout, ref="one")
    assert layout.stat().st_ino == inode
    with pytest.raises(ImageError):
        convert(archive, layout, ref="two")
    convert(archive, layout, ref="two", replace=True)
    assert Layout(layout).image("two").layers
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]


def _convert_under(setup: str, *arguments: Path, replace: bool = False) -> str:
    """Convert in a mount namespace of its own, after a shell has set it up; return what failed."""
    script = (
        "import sys; from pathlib import Path\n"
        "from tutor.images import ImageError; from tutor.images.convert import convert\n"
        f"try: convert(Path(sys.argv[1]), Path(sys.argv[2]), replace={replace})\n"
        "except ImageError as error: print(error.code, error.values.get('mount', ''))\n"
    )
    python = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.run(
        [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            f'{setup} && "$@"; ls -A "$SHOW"',
            "sh",
            *python,
        ],
        cwd=REPOSITORY,
        env={**os.environ, "SHOW": str(arguments[1].parent)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.root
def test_a_full_disk_is_one_clear_error_and_nothing_stays(tmp_path: Path, archive: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    assert (
        _convert_under(f'mount -t tmpfs -o size=256k tmpfs "{small}"', archive, small / "layout")
        == "disk_full \n"
    )


@pytest.mark.root
def test_nothing_is_replaced_while_something_is_mounted_in_it(tmp_path: Path, archive: Path) -> None:
    layout, treasure = tmp_path / "the layout", tmp_path / "treasure"
    convert(archive, layout)
    treasure.mkdir()
    (treasure / "gold").write_text("mine")
    place = f"{layout}/in\rit 2"
    said = _convert_under(
        f'mkdir "{place}" && mount --bind "{treasure}" "{place}"', archive, layout, replace=True
    )
    assert said == f"exists_mounted {place}\nthe layout\ntreasure\n".replace(
        "\r", "\n"
    )  # as a text stream reads it
    assert (treasure / "gold").read_text() == "mine"


def test_an_interruption_leaves_nothing_half_written(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.rename, []

    def interrupted(*args: Any, **options: Any) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args, **options)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(archive, tmp_path / "layout")
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_compressed_layer_is_an_error(tmp_path: Path) -> None:
    layer = tar([entry("hello", os.urandom(100_000))])
    made = docker_archive(
        tmp_path / "made.tar",
        [gzip.compress(layer)[:-100]],
        {"rootfs": {"type": "layers", "diff_ids": [digest(layer)]}},
    )
    with pytest.raises(ImageError) as caught:
        convert(made, tmp_path / "layout")
    assert caught.value.code == "layer_compression"
