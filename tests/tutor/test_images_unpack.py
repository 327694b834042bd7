"""Applying layers: what layer.md says, and nothing outside the root whatever an image says."""

from __future__ import annotations

import json
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import (
    LAYER,
    LayoutMaker,
    as_nobody,
    entry,
    hard_link,
    layout,
    named,
    snapshot,
    symlink,
    tar,
)
from tutor.images import ImageError
from tutor.images.unpack import unpack


def _apply(tmp_path: Path, *layers: bytes, **more: Any) -> Path:
    """Unpack an image of these layers; return its root filesystem."""
    unpack(layout(tmp_path / "layout", *layers, **more), tmp_path / "bundle")
    return tmp_path / "bundle/rootfs"


def _code(tmp_path: Path, *layers: bytes, **more: Any) -> str:
    """Return the code of the error that unpacking an image of these layers ends with, leaving nothing."""
    path = layout(tmp_path / "layout", *layers, **more)
    with pytest.raises(ImageError) as caught:
        unpack(path, tmp_path / "bundle")
    assert [item.name for item in tmp_path.iterdir()] == ["layout"]
    return caught.value.code


def _names(root: Path) -> set[str]:
    return set(snapshot(root))


# Changesets


def test_the_specifications_whiteout_example(tmp_path: Path) -> None:
    base = tar(
        [
            entry("file1", b"1"),
            entry("a"),
            entry("a/file2", b"2"),
            entry("b"),
            entry("c"),
            entry("c/file3", b"3"),
        ]
    )
    top = tar([entry(".wh.file1", b""), entry("a/.wh.file2", b""), entry(".wh.b", b""), entry("file4", b"4")])
    assert _names(_apply(tmp_path, base, top)) == {"a", "c", "c/file3", "file4"}


@pytest.mark.parametrize("last", [False, True])
def test_an_opaque_whiteout_hides_what_is_below_wherever_it_stands(tmp_path: Path, last: bool) -> None:
    base = tar([entry("a"), entry("a/b"), entry("a/b/c"), entry("a/b/c/bar", b"bar"), entry("a/other", b"x")])
    new = [entry("a"), entry("a/b"), entry("a/b/c"), entry("a/b/c/foo", b"foo")]
    opaque = entry("a/.wh..wh..opq", b"")
    top = tar([*new, opaque] if last else [new[0], opaque, *new[1:]])
    assert _names(_apply(tmp_path, base, top)) == {"a", "a/b", "a/b/c", "a/b/c/foo"}


def test_a_whiteout_does_not_hide_what_its_own_layer_brings(tmp_path: Path) -> None:
    base = tar([entry("d"), entry("d/old", b"old")])
    top = tar([entry("d"), entry("d/new", b"new"), entry(".wh.d", b"")])
    assert _names(_apply(tmp_path, base, top)) == {"d", "d/new"}


@pytest.mark.parametrize("name", [".wh..wh..opq", ".wh.old"])
def test_a_whiteout_behind_a_link_hides_where_the_link_leads(tmp_path: Path, name: str) -> None:
    """As umoci 0.4.7 does it, and as a file of this layer behind the link is placed."""
    base = tar([entry("d"), entry("d/old", b"old"), symlink("link", "d")])
    top = tar([entry(f"link/{name}", b""), entry("link/new", b"new")])
    assert _names(_apply(tmp_path, base, top)) == {"d", "d/new", "link"}


def test_whiteouts_of_nothing_and_of_aufs_are_skipped(tmp_path: Path) -> None:
    base = tar([entry("file", b"x")])
    top = tar(
        [
            entry(".wh.none", b""),
            entry("no/.wh.none", b""),
            entry("file/.wh.none", b""),
            entry(".wh..wh.plnk", b""),
        ]
    )
    root = _apply(tmp_path, base, top)
    assert (root / "file").read_bytes() == b"x"
    assert not any(name.rpartition("/")[2].startswith(".wh.") for name in _names(root))


@pytest.mark.parametrize("name", [".wh.", "a/.wh.", ".wh...", "a/.wh...", ".wh.."])
def test_a_whiteout_without_a_name_is_an_error(tmp_path: Path, name: str) -> None:
    assert _code(tmp_path, tar([entry("a")]), tar([entry(name, b"")])) == "whiteout"


def test_a_directory_over_a_directory_changes_only_its_attributes(tmp_path: Path) -> None:
    base = tar([entry("d", mode=0o755, mtime=1), entry("d/file", b"x")])
    root = _apply(tmp_path, base, tar([entry("d", mode=0o1770, mtime=5)]))
    assert (root / "d/file").read_bytes() == b"x"
    assert (stat.S_IMODE((root / "d").stat().st_mode), (root / "d").stat().st_mtime) == (0o1770, 5)


def test_anything_else_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    base = tar([
        entry("dir"), entry("dir/inner"), entry("dir/inner/file", b"x"), entry("file", b"x"), entry("other"),
        symlink("link", "other"), symlink("tofile", "file"),
    ])  # fmt: skip
    top = tar(
        [
            entry("dir", b"now a file"),
            entry("file"),
            entry("link"),
            entry("link/new", b"n"),
            entry("tofile", b"t"),
        ]
    )
    root = _apply(tmp_path, base, top)
    assert (root / "dir").read_bytes() == b"now a file"
    assert (root / "file").is_dir()
    assert not (root / "link").is_symlink()
    assert (root / "link/new").exists()
    assert list((root / "other").iterdir()) == []
    assert not (root / "tofile").is_symlink()


def test_a_file_does_not_write_through_a_hard_link(tmp_path: Path) -> None:
    base = tar([entry("a", b"old"), hard_link("b", "a")])
    root = _apply(tmp_path, base, tar([entry("b", b"new")]))
    assert ((root / "a").read_bytes(), (root / "b").read_bytes()) == (b"old", b"new")


def test_modes_times_links_and_fifos_arrive(tmp_path: Path) -> None:
    image = tar([
        entry("./"), entry("./bin", mtime=7), entry("./bin/su", b"su", mode=0o4755, mtime=11), hard_link("./bin/hard", "./bin/su"),
        symlink("./bin/soft", "/bin/su"), entry("/absolute", b"x", mode=0), entry("fifo", type=tarfile.FIFOTYPE, mode=0o640),
        entry("precise", b"", pax_headers={"mtime": "1234567890.123456789"}),
        entry("あ" * 60, b"", mtime=3),
    ])  # fmt: skip
    root = _apply(tmp_path, image)
    assert stat.S_IMODE((root / "bin/su").stat().st_mode) == 0o4755
    assert ((root / "bin/su").stat().st_mtime, (root / "bin").stat().st_mtime) == (11, 7)
    assert (root / "bin/hard").stat().st_ino == (root / "bin/su").stat().st_ino
    assert (root / "bin/soft").readlink() == Path("/bin/su")
    assert stat.S_IMODE((root / "absolute").stat().st_mode) == 0
    assert stat.S_ISFIFO((root / "fifo").stat().st_mode)
    assert (root / "precise").stat().st_mtime_ns == 1234567890_123456789
    assert (root / ("あ" * 60)).exists()


@pytest.mark.root
def test_owners_devices_and_extended_attributes_arrive(tmp_path: Path) -> None:
    capability = b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    headers = {"SCHILY.xattr.security.capability": capability.decode("utf-8", "surrogateescape")}
    image = tar([
        entry("ping", b"ping", uid=1000, gid=1001, pax_headers=headers),
        entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        entry("loop", type=tarfile.BLKTYPE, devmajor=7, devminor=0, mode=0o660),
        entry("home", uid=70000, gid=70001, pax_headers={"SCHILY.xattr.trusted.note": "x"}),
    ])  # fmt: skip
    root = _apply(tmp_path, image)
    ping = (root / "ping").stat()
    assert (ping.st_uid, ping.st_gid) == (1000, 1001)
    assert os.getxattr(root / "ping", "security.capability") == capability
    assert ((root / "home").stat().st_uid, os.getxattr(root / "home", "trusted.note")) == (70000, b"x")
    null = (root / "null").stat()
    assert (stat.S_ISCHR(null.st_mode), null.st_rdev, stat.S_IMODE(null.st_mode)) == (
        True,
        os.makedev(1, 3),
        0o666,
    )
    assert stat.S_ISBLK((root / "loop").stat().st_mode)


def test_the_umask_does_not_reach_into_the_image(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        root = _apply(tmp_path, tar([entry("made/on/the/way", b"x"), entry("said", mode=0o777)]))
    finally:
        os.umask(before)
    assert [stat.S_IMODE((root / name).stat().st_mode) for name in (".", "made", "made/on", "said")] == [
        0o755
    ] * 3 + [0o777]


@pytest.mark.root
def test_an_ordinary_user_gets_all_but_owners_and_devices(tmp_path: Path) -> None:
    image = tar([
        entry("closed", mode=0o555, uid=7), entry("closed/file", b"x", mode=0o400, uid=7), entry("secret", mode=0),
        entry("secret/deep", b"x"), entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    ])  # fmt: skip
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    place = tmp_path / "theirs"
    place.mkdir()
    os.chown(place, 65534, 65534)
    source = layout(tmp_path / "layout", image)
    done = as_nobody(
        "from tutor.images.unpack import unpack\n"
        "for replace in (False, True):\n"
        "    notices = unpack(Path(sys.argv[1]), Path(sys.argv[2]), replace=replace).notices\n"
        "print([(notice.code, notice.count, notice.example) for notice in notices])",
        source,
        place / "bundle",
    )
    assert done.returncode == 0, done.stderr
    assert "('devices', 1, '/null')" in done.stdout
    assert "'owners'" in done.stdout
    root = place / "bundle/rootfs"
    assert (root / "closed/file").read_bytes() == b"x"
    assert [stat.S_IMODE((root / name).stat().st_mode) for name in ("closed", "closed/file", "secret")] == [
        0o555,
        0o400,
        0,
    ]
    assert (root / "closed").stat().st_uid == 65534
    assert not (root / "null").exists()
    assert [path.name for path in place.iterdir()] == ["bundle"]


# Attacks


@pytest.mark.parametrize("name", ["../escaped", "a/../../escaped", "..", "/../escaped", "a/.."])
def test_a_name_with_dots_is_refused(tmp_path: Path, name: str) -> None:
    assert _code(tmp_path, tar([entry("a"), entry(name, b"x")])) == "entry_escape"


@pytest.mark.parametrize("target", ["../../layout/index.json", "a/../../../x"])
def test_a_hard_link_with_dots_is_refused(tmp_path: Path, target: str) -> None:
    assert _code(tmp_path, tar([entry("a"), hard_link("link", target)])) == "entry_escape"


@pytest.mark.parametrize(
    "target", ["{outside}", "../../outside", "../../../../../../../../../../{outside}", "deep/up"]
)
def test_a_symlink_leads_nowhere_outside(tmp_path: Path, target: str) -> None:
    """Files, directories, whiteouts and hard links behind it all stay within the root."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    before = snapshot(outside)
    link = target.format(outside=outside)
    base = tar([entry("deep"), symlink("deep/up", "../" * 20 + str(outside)), symlink("out", link)])
    top = tar([
        entry("out/.wh.precious", b""), entry("out/.wh..wh..opq", b""), entry("out/sub/file", b"planted"),
        entry("out/precious", b"overwritten"), symlink("out/again", "/"), hard_link("caught", "out/precious"),
    ])  # fmt: skip
    root = _apply(tmp_path, base, top)
    assert snapshot(outside) == before
    assert (root / "caught").read_text() == "overwritten"
    assert list(root.rglob("file"))


def test_a_hard_link_to_a_file_outside_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    source = layout(
        tmp_path / "layout", tar([symlink("up", str(tmp_path)), hard_link("caught", "up/outside")])
    )
    with pytest.raises(ImageError) as caught:
        unpack(source, tmp_path / "bundle")
    assert caught.value.code == "hard_link"
    assert (tmp_path / "outside").stat().st_nlink == 1


def test_a_hard_link_to_a_symlink_links_the_link_itself(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    root = _apply(tmp_path, tar([symlink("a", str(tmp_path / "outside")), hard_link("b", "a")]))
    assert (root / "b").is_symlink()
    assert (tmp_path / "outside").stat().st_nlink == 1


def test_attributes_are_not_set_through_a_symlink(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o600)
    link, _ = symlink("link", str(outside))
    link.uid, link.mtime, link.mode = 1234, 1, 0o4777
    _apply(tmp_path, tar([(link, b"")]))
    assert (stat.S_IMODE(outside.stat().st_mode), outside.stat().st_uid) == (0o600, os.getuid())
    assert outside.stat().st_mtime > 1


def test_a_passwd_that_links_to_the_hosts_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "passwd"
    secret.write_text("spy:x:4242:4242::/:/bin/sh\n")
    image = tar([entry("etc"), symlink("etc/passwd", f"../../../../../../../../..{secret}")])
    assert _failure(tmp_path, layout(tmp_path / "layout", image, execution={"User": "spy"})) == "user"


def _failure(tmp_path: Path, source: Path) -> str:
    with pytest.raises(ImageError) as caught:
        unpack(source, tmp_path / "bundle")
    return caught.value.code


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    image = tar([symlink("a", "b"), symlink("b", "a"), entry("a/file", b"x")])
    assert _code(tmp_path, image) == "symlink_loop"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([entry("file", b"x"), entry("file/below", b"y")], "layer_entry"),
        ([hard_link("link", "nothing")], "hard_link"),
        ([entry("d"), hard_link("link", "d")], "hard_link"),
        ([hard_link("link", "/")], "hard_link"),
        ([entry("odd", b"", type=b"9")], "entry_type"),
        ([entry("x" * 300, b"")], "layer_entry"),
        ([entry("with\0nul", b"", pax_headers={"path": "with\0nul"})], "tar_header"),
        ([entry("huge", b"", pax_headers={"mtime": "1e30"})], "tar_header"),
        ([entry("owned", b"", pax_headers={"uid": "5000000000"})], "tar_header"),
        ([entry("owned", pax_headers={"gid": "-1"})], "tar_header"),
        ([entry("d", pax_headers={"SCHILY.xattr.security.capability": "bad"})], "layer_entry"),
    ],
)
def test_what_cannot_be_is_an_error(tmp_path: Path, entries: list[Any], code: str) -> None:
    assert _code(tmp_path, tar(entries)) == code


@pytest.mark.root
def test_an_invalid_attribute_is_an_error_also_where_a_later_layer_hides_it(tmp_path: Path) -> None:
    wrong = tar([entry("d", pax_headers={"SCHILY.xattr.security.capability": "bad"})])
    assert _code(tmp_path, wrong, tar([entry("d", b"a file")])) == "layer_entry"


def test_garbage_is_no_layer(tmp_path: Path) -> None:
    assert _code(tmp_path, b"garbage" * 1000) == "layer_tar"
    (tmp_path / "gzip").mkdir()
    maker = LayoutMaker(tmp_path / "gzip/layout")
    manifest = maker.manifest([tar([entry("a", b"x")])])
    content = json.loads((maker.blobs / manifest["digest"].removeprefix("sha256:")).read_text())
    content["layers"] = [maker.blob(b"\x1f\x8bno gzip", LAYER + "+gzip")]
    source = maker.index(named(maker.json_blob(content, manifest["mediaType"]), "latest"))
    assert _failure(tmp_path / "gzip", source) == "layer_compression"
