"""The names of images: colons in paths, slashes and colons in refs, and skopeo's words."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.support.images import LayoutMaker, docker_archive, entry, layout, named, tar, zstd
from tutor.images import ImageError
from tutor.images.convert import convert
from tutor.images.image_source import open_image
from tutor.images.layout import Layout
from tutor.images.reference import find_image, full_name, new_layout
from tutor.images.unpack import unpack_image
from tutor.images.verify import verify

REFS = ("3.9", "docker.io/library/alpine:3.9", "a:b", "a/b")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with layouts `mini` and `odd:name`, whose refs are `REFS`."""
    for name in ("mini", "odd:name"):
        maker = LayoutMaker(tmp_path / name)
        maker.index(*(named(maker.manifest([tar([entry(name, b"")])]), ref) for ref in REFS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("word", ["", "oci:"])
@pytest.mark.parametrize("place", ["mini", "odd:name", "./odd:name", "{here}/odd:name"])
@pytest.mark.parametrize("ref", [None, *REFS])
def test_the_longest_path_that_is_a_layout_is_taken(
    here: Path, word: str, place: str, ref: str | None
) -> None:
    path = place.format(here=here)
    found = find_image(word + path + (f":{ref}" if ref else ""))
    assert (found.path, found.ref) == (Path(path), ref)
    assert found.transport == ("oci" if word else None)


def test_a_layout_that_is_named_as_a_word_of_skopeo_is_found(here: Path) -> None:
    layout(here / "oci", tar([]))
    assert find_image("oci:latest").path == Path("oci")
    assert find_image("oci:mini:3.9").path == Path("mini")
    assert find_image("oci:oci:latest").ref == "latest"


@pytest.mark.parametrize("ref", REFS)
def test_every_ref_is_verified_and_unpacked(here: Path, ref: str) -> None:
    assert verify(f"mini:{ref}")[1].names == (ref,)
    with open_image(find_image(f"odd:name:{ref}")) as image:
        unpack_image(image, here / "bundle")
    assert (here / "bundle/rootfs/odd:name").exists()


def test_an_image_may_be_named_by_its_number(here: Path) -> None:
    with open_image(find_image("mini:@1")) as image:
        assert image.manifest == Layout(here / "mini").image(REFS[1]).manifest.digest
    with pytest.raises(ImageError) as caught:
        verify("mini:@9")
    assert caught.value.code == "ref_unknown"


@pytest.mark.parametrize(
    ("text", "path", "ref"),
    [
        ("new", "new", None),
        ("new:", "new", None),
        ("new:3.9", "new", "3.9"),
        ("new:a:b", "new", "a:b"),
        ("new:docker.io/library/alpine:3.9", "new", "docker.io/library/alpine:3.9"),
        ("oci:new:a/b", "new", "a/b"),
        ("./new:a/b", "./new", "a/b"),
        ("{here}/new:a/b:c", "{here}/new", "a/b:c"),
        ("odd:folder/new", "odd:folder/new", None),
        ("odd:folder/new:a/b", "odd:folder/new", "a/b"),
        ("nowhere/new:a", "nowhere/new", "a"),
        ("odd:name:3.9", "odd:name", "3.9"),
    ],
)
def test_a_new_layout_ends_at_the_first_colon_behind_the_last_directory(
    here: Path, text: str, path: str, ref: str | None
) -> None:
    (here / "odd:folder").mkdir()
    found = new_layout(text.format(here=here))
    assert (found.path, found.ref) == (Path(path.format(here=here)), ref)


@pytest.mark.parametrize(
    "text", ["new:a b", "new:/a", "new:a//b", "new:@0", "new:-", "docker://x/y", "dir:x"]
)
def test_a_name_that_cannot_be_made_is_refused(here: Path, text: str) -> None:
    with pytest.raises(ImageError) as caught:
        new_layout(text)
    assert caught.value.code in ("ref_syntax", "elsewhere")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("docker://alpine", "elsewhere"),
        ("containers-storage:alpine", "elsewhere"),
        ("none", "missing"),
        ("none:a/b", "missing"),
        ("oci:none", "missing"),
        ("oci-archive:none:x", "missing"),
        ("docker-archive:none", "missing"),
        ("oci:mini:unknown/ref:1", "ref_unknown"),
        ("x" * 5000, "os"),
    ],
)
def test_what_is_not_there_is_told(here: Path, text: str, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        verify(text)
    assert caught.value.code == code


@pytest.mark.parametrize("word", ["", "docker-archive:"])
def test_one_of_several_images_of_an_archive_is_chosen(here: Path, word: str) -> None:
    layers = [tar([entry("one", b"")]), tar([entry("two", b"")])]
    made = [docker_archive(here / f"{number}.tar", [layer]) for number, layer in enumerate(layers)]
    files: dict[str, bytes] = {}
    manifest = []
    for number, path in enumerate(made):
        with tarfile.open(path) as archive:
            for member in archive.getmembers():
                file = archive.extractfile(member)
                assert file is not None
                files[f"{number}-{member.name}"] = file.read()
        tags = [["alpine:3.9", "host:5000/x"], ["example.org/two:1"]][number]
        manifest.append(
            {
                "Config": f"{number}-config.json",
                "Layers": [f"{number}-0/layer.tar"],
                "RepoTags": tags,
            }
        )
    files["manifest.json"] = json.dumps(manifest).encode()
    (here / "both.tar").write_bytes(tar([entry(name, data) for name, data in files.items()]))
    for name, number in (
        ("alpine:3.9", 0),
        ("docker.io/library/alpine:3.9", 0),
        ("host:5000/x", 0),
        ("host:5000/x:latest", 0),
        ("example.org/two:1", 1),
        ("@1", 1),
    ):
        assert verify(f"{word}both.tar:{name}")[1].diff_ids == verify(f"{number}.tar")[1].diff_ids
    for name, code in (("", "archive_several"), (":alpine", "archive_name"), (":@2", "archive_name")):
        with pytest.raises(ImageError) as caught:
            verify(f"{word}both.tar{name}")
        assert caught.value.code == code
    assert convert(here / "both.tar", here / "new", name="@1").ref == "1"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_layout_in_an_archive_is_read_as_the_directory(here: Path, compressed: bool) -> None:
    with tarfile.open(here / "mini.tar", "w") as archive:
        archive.add(here / "mini", ".")
    if compressed:
        (here / "mini.tar").write_bytes(zstd((here / "mini.tar").read_bytes()))
    for ref in REFS:
        expected = verify(f"mini:{ref}")[1]
        for name in (f"mini.tar:{ref}", f"oci-archive:mini.tar:{ref}"):
            assert verify(name) == ("oci-archive", expected)
    with open_image(find_image("oci-archive:mini.tar:3.9")) as image:
        unpack_image(image, here / "bundle")
    assert (here / "bundle/rootfs/mini").exists()
    with pytest.raises(ImageError) as caught:
        verify("docker-archive:mini.tar")
    assert caught.value.code == "archive_member"
    docker_archive(here / "docker.tar", [tar([])])
    with pytest.raises(ImageError) as caught:
        verify("oci-archive:docker.tar")
    assert caught.value.code == "not_a_layout"


def test_an_archive_of_docker_save_is_unpacked_without_a_layout(here: Path) -> None:
    docker_archive(here / "image.tar", [tar([entry("hello", b"hello")])])
    with open_image(find_image("image.tar")) as image:
        unpack_image(image, here / "bundle")
    assert (here / "bundle/rootfs/hello").read_text() == "hello"


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        ("alpine:3", "docker.io/library/alpine:3"),
        ("user/x", "docker.io/user/x:latest"),
        ("docker.io/alpine", "docker.io/library/alpine:latest"),
        ("localhost/x", "localhost/x:latest"),
        ("host:5000/a/b:1", "host:5000/a/b:1"),
    ],
)
def test_a_name_is_completed_as_docker_does(name: str, full: str) -> None:
    assert full_name(name) == full
