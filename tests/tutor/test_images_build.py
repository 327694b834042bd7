"""The mini image: made of real programs, the same bytes every time, in the form of `docker save`."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.images import digest
from tutor import patience
from tutor.images import ImageError
from tutor.images.elf import Elf, libraries_of
from tutor.images.mini import build, fingerprint
from tutor.images.outputs import remove_tree
from tutor.images.prepare import prepare
from tutor.images.programs import Programs

sources = pytest.mark.parametrize(
    "source", [pytest.param("busybox", marks=pytest.mark.peer("busybox")), "tools"]
)


def _members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {m.name: (f.read() if (f := archive.extractfile(m)) else b"") for m in archive.getmembers()}


def test_the_archive_has_the_form_that_the_seed_takes_apart(tmp_path: Path) -> None:
    image = build(tmp_path / "mini.tar")
    members = _members(tmp_path / "mini.tar")
    (manifest,) = json.loads(members["manifest.json"])
    assert manifest["RepoTags"] == ["mini:latest"]
    assert manifest["Config"] == image.image_id.removeprefix("sha256:") + ".json"
    assert digest(members[manifest["Config"]]) == image.image_id
    config = json.loads(members[manifest["Config"]])
    assert [digest(members[name]) for name in manifest["Layers"]] == config["rootfs"]["diff_ids"]
    folders = [name.removesuffix("/layer.tar") for name in manifest["Layers"]]
    assert [members[f"{folder}/VERSION"] for folder in folders] == [b"1.0", b"1.0"]
    assert [json.loads(members[f"{folder}/json"])["id"] for folder in folders] == folders
    assert json.loads(members[f"{folders[1]}/json"])["parent"] == folders[0]
    assert json.loads(members["repositories"]) == {"mini": {"latest": folders[1]}}
    top_level = {name.split("/")[0] for name in members}
    assert top_level == {*folders, manifest["Config"], "manifest.json", "repositories"}


def test_the_second_layer_replaces_a_file_and_hides_another(tmp_path: Path) -> None:
    build(tmp_path / "mini.tar")
    members = _members(tmp_path / "mini.tar")
    base, top = json.loads(members["manifest.json"])[0]["Layers"]
    with (
        tarfile.open(fileobj=io.BytesIO(members[base])) as lower,
        tarfile.open(fileobj=io.BytesIO(members[top])) as upper,
    ):
        assert {"etc/motd", "tmp/build.log", "bin/sh", "proc", "sys", "dev"} <= set(lower.getnames())
        assert upper.getnames() == ["etc", "etc/motd", "tmp", "tmp/.wh.build.log"]


@sources
def test_the_same_programs_give_the_same_bytes(tmp_path: Path, source: str) -> None:
    for name in ("a.tar", "b.tar"):
        build(tmp_path / name, source="busybox" if source == "busybox" else "tools")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_changed_program_changes_the_fingerprint(tmp_path: Path) -> None:
    program = tmp_path / "busybox"
    shutil.copy2("/bin/true", program)
    before = fingerprint(Programs("busybox", {"busybox": program}))
    assert fingerprint(Programs("busybox", {"busybox": program})) == before
    os.utime(program, ns=(0, 0))
    assert fingerprint(Programs("busybox", {"busybox": program})) != before


def test_the_image_is_honest_about_what_it_is(tmp_path: Path) -> None:
    prepare(tmp_path / "bundle", cache=tmp_path / "cache", config="minimal")
    release = (tmp_path / "bundle/rootfs/etc/os-release").read_text()
    assert "oci-tutor mini" in release
    assert "alpine" not in release.lower()


def test_libraries_are_those_that_the_loader_loads() -> None:
    shell = Path("/bin/sh").resolve()
    elf = Elf.parse(shell.read_bytes())
    assert elf is not None
    if elf.interpreter is None:
        pytest.skip("the shell of this machine is static")
    listed = subprocess.run(["ldd", shell], capture_output=True, text=True, check=True).stdout
    libraries = libraries_of(shell, elf.interpreter)
    assert libraries
    assert all(f"{name} => {path} (" in listed for name, path in libraries.items())


def test_a_script_or_a_damaged_program_is_not_elf() -> None:
    assert Elf.parse(b"#!/bin/sh\n") is None
    assert Elf.parse(b"\x7fELF") is None
    assert Elf.parse(b"\x7fELF\x02\x01" + b"\xff" * 58) is None


@pytest.mark.root
@sources
def test_every_program_of_the_image_runs_in_it(tmp_path: Path, source: str) -> None:
    """Not one is missing a library: the dynamic loader ends with 127 and says so, and a missing program does, too."""
    from tutor.images.convert import convert
    from tutor.images.unpack import unpack

    build(tmp_path / "mini.tar", source="busybox" if source == "busybox" else "tools")
    convert(tmp_path / "mini.tar", tmp_path / "mini")
    unpack(tmp_path / "mini", tmp_path / "bundle")
    root = tmp_path / "bundle/rootfs"
    said = subprocess.run(
        ["chroot", root, "/bin/sh", "-c", "echo $((6*7)); cat /etc/motd; ls /"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith("42\nWelcome to the mini image")
    names = Programs.find("busybox" if source == "busybox" else "tools").paths
    assert len(names) > 40 or source == "busybox"
    for name in names:
        done = subprocess.run(
            ["chroot", root, f"/bin/{name}", "--help"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience.scaled(20),
        )
        assert done.returncode != 127, (name, done.stderr)
        assert "shared libraries" not in done.stderr, name
    everyone = subprocess.run(
        ["chroot", root, "/bin/ls", "-ld", "/home/learner"], capture_output=True, text=True, check=True
    )
    assert "learner learner" in " ".join(everyone.stdout.split())


@pytest.mark.parametrize(
    "tag", ["", "Mini", "mini:", "mini:a b", "../mini", "mini:latest:x", "mini@sha256:00"]
)
def test_a_bad_name_is_refused_before_anything_is_written(tmp_path: Path, tag: str) -> None:
    with pytest.raises(ImageError) as caught:
        build(tmp_path / "mini.tar", tag=tag)
    assert caught.value.code == "tag"
    assert list(tmp_path.iterdir()) == []


def test_without_busybox_and_shell_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.images.programs.search_path", lambda _: str(tmp_path))
    monkeypatch.setattr("tutor.images.programs._BUSYBOXES", ("busybox",))
    for source, code in (("auto", "no_programs"), ("busybox", "no_busybox")):
        with pytest.raises(ImageError) as caught:
            build(tmp_path / "mini.tar", source="auto" if source == "auto" else "busybox")
        assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays_unless_it_may_be_replaced(tmp_path: Path) -> None:
    output = tmp_path / "mini.tar"
    output.write_text("mine")
    with pytest.raises(ImageError) as caught:
        build(output)
    assert caught.value.code == "exists_file"
    assert output.read_text() == "mine"
    build(output, replace=True)
    assert tarfile.is_tarfile(output)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ImageError) as caught:
        build(tmp_path / "folder", replace=True)
    assert caught.value.code == "exists_other"


def test_the_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        build(tmp_path / "no/such/mini.tar")
    assert (caught.value.code, caught.value.values["path"]) == ("missing", tmp_path / "no")


def test_a_tree_that_its_owner_may_not_enter_can_be_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "closed/inner").mkdir(parents=True)
    (tree / "closed/inner/file").write_text("x")
    (tree / "link").symlink_to("/")
    (tree / "closed/inner").chmod(0)
    (tree / "closed").chmod(0)
    remove_tree(tree)
    assert not tree.exists()
    assert Path("/etc").exists()
