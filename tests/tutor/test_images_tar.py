"""The tar of a layer: a damage in the middle is told with its place, and what other tools take for sound is sound."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.images import (
    TARS_THAT_ARE_SOUND,
    damaged_tars,
    digest,
    docker_archive,
    entry,
    layout,
    snapshot,
    tar,
)
from tutor.images import ImageError
from tutor.images.tar_header import SYMLINK
from tutor.images.tar_reader import TarError, TarReader
from tutor.images.unpack import unpack
from tutor.images.verify import verify
from tutor.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("damage", damaged_tars(), ids=lambda damage: damage.name)
def test_a_damage_in_the_middle_names_layer_entry_and_offset_and_leaves_nothing(
    tmp_path: Path, damage: Any, compressed: bool
) -> None:
    sound = tar([entry("before", b"1")])
    source = layout(tmp_path / "layout", sound, damage.content, compressed=compressed)
    layer = digest(gzip.compress(damage.content)) if compressed else digest(damage.content)
    for look in (lambda: unpack(source, tmp_path / "bundle"), lambda: verify(f"{source}:latest")):
        with pytest.raises(ImageError) as caught:
            look()
        title, body, _ = caught.value.render(Messages("en"))
        assert str(caught.value.values["layer"]) in title
        assert compressed or layer in title
        assert f"offset {damage.offset}" in title
        assert f" {damage.entry}" in body
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]


@pytest.mark.parametrize("damage", damaged_tars(), ids=lambda damage: damage.name)
def test_a_damage_is_seen_in_a_layer_of_an_archive_too(tmp_path: Path, damage: Any) -> None:
    path = docker_archive(tmp_path / "image.tar", [damage.content])
    with pytest.raises(ImageError) as caught:
        verify(str(path))
    assert (caught.value.values["layer"], caught.value.values["offset"]) == ("0/layer.tar", damage.offset)


@pytest.mark.parametrize("damage", damaged_tars(), ids=lambda damage: damage.name)
def test_a_damaged_archive_names_its_offset(tmp_path: Path, damage: Any) -> None:
    (tmp_path / "image.tar").write_bytes(damage.content)
    with pytest.raises(ImageError) as caught:
        verify(str(tmp_path / "image.tar"))
    assert caught.value.code.startswith("archive_")
    assert caught.value.values["offset"] == damage.offset


@pytest.mark.parametrize("name", TARS_THAT_ARE_SOUND)
def test_ends_and_paddings_of_all_kinds_are_sound(tmp_path: Path, name: str) -> None:
    content, names = TARS_THAT_ARE_SOUND[name]
    source = layout(tmp_path / "layout", content)
    verify(str(source))
    unpack(source, tmp_path / "bundle")
    assert set(snapshot(tmp_path / "bundle/rootfs")) == names


def _read(content: bytes) -> dict[str, tuple[Any, ...]]:
    reader = TarReader(io.BytesIO(content))
    return {
        each.name: (each.size, each.mode, each.uid, each.mtime, each.target, dict(reader.content()))
        for each in reader
    }


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_is_read_as_pythons_own_module_reads_it(form: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in ("short", "d" * 90 + "/" + "f" * 90, "あ/い"):
            info, content = entry(name, b"content", uid=12345, mtime=1_000_000_001, mode=0o4711)
            archive.addfile(info, io.BytesIO(content))
        if form != tarfile.USTAR_FORMAT:
            archive.addfile(entry("l" * 300, type=tarfile.SYMTYPE, linkname="t" * 300)[0])
            archive.addfile(entry("far", b"", uid=3_000_000, mtime=-5)[0])
    ours = _read(buffer.getvalue())
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        for member in archive.getmembers():
            size, mode, uid, mtime, target, content = ours.pop(member.name)
            assert (size, mode, uid, mtime, target) == (
                *(member.size, member.mode, member.uid),
                *(int(member.mtime) * 1_000_000_000, member.linkname),
            )
            file = archive.extractfile(member) if member.isreg() else None
            assert b"".join(content.values()) == (file.read() if file else b"")
    assert ours == {}


def test_names_and_times_of_gnu_and_star_headers_do_not_run_into_each_other() -> None:
    """GNU tar has times where POSIX has a prefix of the name, star has them at its end."""
    for magic, expected in ((b"ustar  \0", "file"), (b"ustar\x0000", "prefix/file")):
        info, _ = entry("file", b"")
        block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        block[257:265] = magic
        block[345:351] = b"prefix"
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        assert list(_read(bytes(block))) == [expected]


def _sparse(version: str) -> bytes:
    """A sparse file of 4 KiB with data at 1000 and 3000, as GNU tar stores it in the three PAX forms."""
    data = b"a" * 10 + b"b" * 20
    headers = {"GNU.sparse.name": "holes", "GNU.sparse.realsize": "4096"}
    if version == "1.0":
        headers |= {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
        data = b"2\n1000\n10\n3000\n20\n".ljust(512, b"\0") + data
    else:
        headers |= {"GNU.sparse.numblocks": "2", "GNU.sparse.map": "1000,10,3000,20"}
    return tar([entry("GNUSparseFile.0/holes", data, pax_headers=headers)])


@pytest.mark.parametrize("version", ["0.1", "1.0"])
def test_a_sparse_file_gets_its_holes_back(tmp_path: Path, version: str) -> None:
    unpack(layout(tmp_path / "layout", _sparse(version)), tmp_path / "bundle")
    content = (tmp_path / "bundle/rootfs/holes").read_bytes()
    expected = bytearray(4096)
    expected[1000:1010], expected[3000:3020] = b"a" * 10, b"b" * 20
    assert content == expected


def _bomb(kind: bytes, size: int) -> bytes:
    info, _ = entry("bomb", b"")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "make",
    [
        lambda: _bomb(b"x", 50 << 30),
        lambda: _bomb(b"L", 50 << 30),
        lambda: tar([entry("p" * (10 << 20), b"")]),
        lambda: _sparse("1.0").replace(b"2\n1000", b"99999999999999\n"),
        lambda: _sparse("0.1").replace(b"1000,10,3000", b"1000,10,0003"),
    ],
)
def test_a_header_that_claims_too_much_is_an_error_before_it_is_read(make: Callable[[], bytes]) -> None:
    with pytest.raises(TarError) as caught:
        _read(make())
    assert caught.value.code == "header"


@pytest.mark.parametrize(
    "records",
    [
        b"11 path=xx\nno length",
        b"11 path=xx\n ",
        b"11 path=xx\n0 a=b\n",
        b"11 path=xx\n" * 2 + b"\n",
        b"99 path=xx\n",
        b"10 path=xx\n",
        b"-11 path=xx\n",
        b"6 path\n",
        b"12 path=x\0x\n",
    ],
)
def test_records_that_are_none_end_the_reading(records: bytes) -> None:
    """The reader hung in a record without a length."""
    extended = _bomb(b"x", len(records)) + records.ljust(512, b"\0")
    with pytest.raises(TarError) as caught:
        _read(extended + tar([entry("file", b"")]))
    assert (caught.value.code, caught.value.detail[:3]) == ("header", "PAX")


def test_a_sparse_file_of_gnu_tar_has_the_magic_of_gnu_tar() -> None:
    """Go's reader refuses any other; this one refuses all of the old form where they are unpacked (`entry_type`)."""
    info, _ = entry("holes", b"", type=b"S")
    with pytest.raises(TarError):
        _read(info.tobuf(tarfile.USTAR_FORMAT))
    assert list(_read(info.tobuf(tarfile.GNU_FORMAT))) == ["holes"]


def test_global_records_change_nothing() -> None:
    """Docker, umoci and podman pass over them; pax(1) would apply them to every file that follows."""
    records = b"23 path=evil/elsewhere\n"
    glob = _bomb(b"g", len(records)) + records.ljust(512, b"\0")
    assert list(_read(glob + tar([entry("file", b"")]))) == ["file"]


def test_a_link_has_no_content_whatever_its_size_says() -> None:
    info, _ = entry("link", type=tarfile.SYMTYPE, linkname="file")
    info.size = 5000
    reader = TarReader(io.BytesIO(info.tobuf(tarfile.GNU_FORMAT) + tar([entry("file", b"x")])))
    assert [(each.name, each.type == SYMLINK) for each in reader] == [("link", True), ("file", False)]
