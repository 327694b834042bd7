"""Small files that become large: they cost time or a refusal, but no memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

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
    tar,
    zstd,
)

if TYPE_CHECKING:
    from pathlib import Path

_MEMORY = 100  # MiB that an image may cost; the interpreter and the modules are not counted
_SCRIPT = """
import resource, sys
from pathlib import Path
from tutor.images import ImageError
from tutor.images.image_source import open_image
from tutor.images.reference import find_image
from tutor.images.unpack import unpack_image
import gzip, lzma, bz2
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
before, code = peak(), "sound"
try:
    with open_image(find_image(sys.argv[1])) as source:
        if len(sys.argv) > 2:
            unpack_image(source, Path(sys.argv[2]))
        else:
            for _ in source.open_layers():
                pass
except ImageError as error:
    code = error.code
print(code, peak() - before)
"""


def _cost(*arguments: object) -> tuple[str, int]:
    """Return what became of an image, and the memory that it cost in MiB."""
    argv = [sys.executable, "-c", _SCRIPT, *map(str, arguments)]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, grown = done.stdout.split()
    return code, int(grown)


def _layout_of(path: Path, blob: bytes, suffix: str, diff_id: str) -> Path:
    maker = LayoutMaker(path)
    manifest = maker.manifest([b""], diff_ids=[diff_id])
    content = json.loads((maker.blobs / manifest["digest"][7:]).read_text())
    content["layers"] = [maker.blob(blob, LAYER + suffix)]
    return maker.index(named(maker.json_blob(content, manifest["mediaType"]), "latest"))


def zstd_of_zeros(gigabytes: int) -> bytes:
    """Return zeros as zstd (RFC 8878): a frame of blocks that say "one byte, 128 KiB times", four bytes each."""
    blocks = gigabytes << 13
    header = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x38"  # no size, no checksum, a window of 128 KiB
    size = 128 << 10

    def block(last: bool) -> bytes:
        return ((size << 3) | (1 << 1) | last).to_bytes(3, "little") + b"\0"

    return header + block(last=False) * (blocks - 1) + block(last=True)


@pytest.mark.parametrize("form", ["layer", "archive"])
def test_a_few_bytes_that_become_a_gigabyte(tmp_path: Path, form: str) -> None:
    bomb = zstd_of_zeros(1)
    assert len(bomb) < 50_000
    if form == "layer":
        code, cost = _cost(_layout_of(tmp_path / "layout", bomb, "+zstd", digest(b"x")))
        assert code == "diff_id"
    else:
        code, cost = _cost(docker_archive(tmp_path / "image.tar", [bomb]))
        assert code in ("diff_id", "archive_digest")
    assert cost < _MEMORY


@pytest.mark.parametrize("kind", ["files", "directories", "whiteouts"])
def test_a_hundred_thousand_entries(tmp_path: Path, kind: str) -> None:
    """A million would take a minute; what one costs shows already."""
    name = ".wh.f" if kind == "whiteouts" else "d"
    one = tar([entry(name, None if kind == "directories" else b"")])[:512]
    content = one * 100_000
    code, cost = _cost(_layout_of(tmp_path / "layout", zstd(content), "+zstd", digest(content)))
    assert code == "sound"
    assert cost < _MEMORY


def test_twenty_thousand_directories_are_unpacked(tmp_path: Path) -> None:
    content = tar([entry(f"{number % 100}/{number}") for number in range(20_000)])
    code, cost = _cost(layout(tmp_path / "layout", content, compressed=True), tmp_path / "bundle")
    assert code == "sound"
    assert cost < _MEMORY


def test_an_archive_with_a_hundred_thousand_members(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [tar([])])
    members = b"".join(tar([entry(f"m{number}", b"")])[:512] for number in range(2000))
    path.write_bytes(members * 50 + path.read_bytes())
    code, cost = _cost(path)
    assert (code, cost < _MEMORY) == ("sound", True)


def test_a_path_of_ten_megabytes(tmp_path: Path) -> None:
    code, cost = _cost(layout(tmp_path / "layout", tar([entry("p" * (10 << 20), b"")]), compressed=True))
    assert code == "tar_header"
    assert cost < _MEMORY


def test_a_file_of_fifty_gigabytes_that_is_all_hole(tmp_path: Path) -> None:
    headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(50 << 30),
    }
    content = tar([entry("hole", b"0\n".ljust(512, b"\0"), pax_headers=headers)])
    code, cost = _cost(layout(tmp_path / "layout", content), tmp_path / "bundle")
    assert (code, cost < _MEMORY) == ("sound", True)
    info = (tmp_path / "bundle/rootfs/hole").stat()
    assert (info.st_size, info.st_blocks) == (50 << 30, 0)
