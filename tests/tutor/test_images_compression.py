"""Compressed layers and archives of all forms, what they may demand, and the package for zstd, loaded only where it is met."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.images import (
    LAYER,
    REPOSITORY,
    LayoutMaker,
    digest,
    docker_archive,
    entry,
    layout,
    named,
    snapshot,
    tar,
    zstd,
)
from tutor.images import ImageError
from tutor.images.compression import CompressionError, Uncompressed, form_of
from tutor.images.convert import convert
from tutor.images.unpack import unpack
from tutor.images.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


def _layer() -> bytes:
    return tar([entry("etc"), entry("etc/motd", b"hello\n" * 1000, uid=7)])


def test_a_zstd_layer_of_a_layout_unpacks_to_the_same_tree_and_is_verified(tmp_path: Path) -> None:
    """zstd is one of the media types of layer.md."""
    for form in ("gzip", "zstd"):
        source = layout(tmp_path / form, _layer(), compressed=form)
        unpack(source, tmp_path / f"bundle-{form}")
        assert verify(str(source))[1].diff_ids == (digest(_layer()),)
    trees = [snapshot(tmp_path / f"bundle-{form}/rootfs") for form in ("gzip", "zstd")]
    assert trees[0] == trees[1]
    assert trees[0]["etc/motd"][1] == (7, 0)


def _saved(path: Path, blob: bytes) -> Path:
    """Write an archive as Docker 29 does: the layer as it came from the registry, under the digest of that."""
    rootfs = {"rootfs": {"type": "layers", "diff_ids": [digest(_layer())]}}
    return docker_archive(path, [blob], rootfs, Layers=[f"blobs/sha256/{digest(blob)[7:]}"])


@pytest.mark.parametrize("form", FORMS)
def test_a_compressed_layer_of_docker_save_is_sound_and_converts(tmp_path: Path, form: str) -> None:
    archive = _saved(tmp_path / "image.tar", FORMS[form](_layer()))
    assert verify(str(archive))[1].diff_ids == (digest(_layer()),)
    assert convert(archive, tmp_path / "layout").layers[0].diff_id == digest(_layer())


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_archive_may_be_compressed(tmp_path: Path, form: str) -> None:
    plain = docker_archive(tmp_path / "image.tar", [_layer()])
    packed = tmp_path / "packed"
    packed.write_bytes(FORMS[form](plain.read_bytes()))
    assert verify(str(packed)) == verify(str(plain))
    packed.write_bytes(FORMS[form](plain.read_bytes())[:-30])
    with pytest.raises(ImageError) as caught:
        verify(str(packed))
    assert caught.value.code == "archive_compression"


def test_a_blob_that_is_what_its_name_says_is_not_called_damaged(tmp_path: Path) -> None:
    """Its content may be of another image, or compressed in a way that is not known here."""
    archive = _saved(tmp_path / "image.tar", b"LZIP\x01" + _layer())
    for look in (lambda: verify(str(archive)), lambda: convert(archive, tmp_path / "layout")):
        with pytest.raises(ImageError) as caught:
            look()
        assert caught.value.code == "archive_diff_id"
    changed = archive.read_bytes().replace(b"LZIP\x01", b"LZIP\x02")
    archive.write_bytes(changed)
    with pytest.raises(ImageError) as caught:
        verify(str(archive))
    assert caught.value.code == "archive_digest"


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_a_cut_off_layer_is_one_error_and_leaves_nothing(tmp_path: Path, form: str) -> None:
    maker = LayoutMaker(tmp_path / "layout")
    manifest = maker.manifest([_layer()])
    content = json.loads((maker.blobs / manifest["digest"][7:]).read_text())
    content["layers"] = [maker.blob(FORMS[form](_layer())[:-20], f"{LAYER}+{form}")]
    source = maker.index(named(maker.json_blob(content, manifest["mediaType"]), "latest"))
    for look in (lambda: unpack(source, tmp_path / "bundle"), lambda: verify(str(source))):
        with pytest.raises(ImageError) as caught:
            look()
        assert caught.value.code == "layer_compression"
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]


def _read(content: bytes, **more: Any) -> bytes:
    file = io.BytesIO(content)
    return io.BufferedReader(Uncompressed(file, form_of(file)), **more).read()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_streams_one_after_another_are_one(form: str, size: int) -> None:
    """As `cat a.zst b.zst` makes, and compressors that work in parallel."""
    both = FORMS[form](b"a" * 70_000) + FORMS[form](b"b")
    assert _read(both, buffer_size=size) == b"a" * 70_000 + b"b"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("behind", [b"junk", b"BZh0", b"\x1f"])
def test_what_follows_a_stream_and_is_none_is_an_error(form: str, behind: bytes) -> None:
    """It may be a stream whose beginning is damaged: bz2.BZ2File ends before it in silence."""
    with pytest.raises(CompressionError):
        _read(FORMS[form](b"a") + behind)


@pytest.mark.parametrize(
    "greedy",
    [
        zstd(b"x" * 1000, window=30),
        lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]),
    ],
)
def test_a_file_that_demands_a_gigabyte_of_memory_is_refused(greedy: bytes) -> None:
    with pytest.raises(CompressionError):
        _read(greedy)


def test_zstd_is_not_loaded_for_an_image_without_it(tmp_path: Path) -> None:
    source = layout(tmp_path / "layout", _layer(), compressed=True)
    script = (
        "import sys; from pathlib import Path; from tutor.images.unpack import unpack\n"
        "unpack(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print([name for name in sys.modules if name.startswith('backports')])"  # Python 3.14 loads its own itself
    )
    argv = [sys.executable, "-c", script, str(source), str(tmp_path / "bundle")]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
