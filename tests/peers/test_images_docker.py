"""Docker takes the mini image: it loads the archive, shows it, makes its tree and saves it again."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.images import snapshot
from tutor.images.convert import convert
from tutor.images.unpack import unpack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.docker import Dockerd
    from tutor.images.mini import BuiltImage

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]

Loaded = tuple["Path", "BuiltImage"]


def test_docker_shows_the_image_under_its_own_id(dockerd: Dockerd, mini: Loaded) -> None:
    assert "mini:latest" in dockerd.ok("load", "--input", mini[0])
    (shown,) = json.loads(dockerd.ok("image", "inspect", "mini:latest"))
    assert shown["Id"] == mini[1].image_id
    assert shown["RootFS"]["Layers"] == [layer.diff_id for layer in mini[1].layers]
    assert shown["Config"]["Cmd"] == ["/bin/sh"]
    assert shown["Architecture"] == mini[1].architecture


def test_docker_makes_the_same_tree(dockerd: Dockerd, mini: Loaded, tmp_path: Path) -> None:
    """`docker export` adds the files that Docker mounts over in every container; all else is the same."""
    container = dockerd.ok("create", "--network=none", "mini:latest").strip()
    dockerd.ok("export", "--output", tmp_path / "export.tar", container)
    dockerd.ok("rm", container)
    (tmp_path / "by_docker").mkdir()
    subprocess.run(
        ["tar", "-xpf", tmp_path / "export.tar", "-C", tmp_path / "by_docker", "--same-owner"], check=True
    )
    convert(mini[0], tmp_path / "layout")
    unpack(tmp_path / "layout", tmp_path / "bundle")
    by_docker, by_tutor = snapshot(tmp_path / "by_docker"), snapshot(tmp_path / "bundle/rootfs")
    dockers = {".dockerenv", "dev", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}
    dockers |= {name for name in by_docker if name.startswith("dev/")}
    assert {name: entry for name, entry in by_docker.items() if name not in dockers} == {
        name: entry for name, entry in by_tutor.items() if name not in dockers
    }


def test_what_docker_saves_converts_to_the_same_layers(
    dockerd: Dockerd, mini: Loaded, tmp_path: Path
) -> None:
    dockerd.ok("save", "--output", tmp_path / "saved.tar", "mini:latest")
    with tarfile.open(tmp_path / "saved.tar") as saved:
        assert "manifest.json" in saved.getnames()
    converted = convert(tmp_path / "saved.tar", tmp_path / "layout")
    assert converted.ref == "latest"
    assert [layer.diff_id for layer in converted.layers] == [layer.diff_id for layer in mini[1].layers]
