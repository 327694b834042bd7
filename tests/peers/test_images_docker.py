"""Docker takes the mini image: a daemon of our own loads the archive, shows it, makes its tree and saves it again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.images import snapshot
from tutor.images.convert import convert
from tutor.images.mini import BuiltImage, build
from tutor.images.unpack import unpack

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd")]

Docker = Callable[..., str]


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """Start a dockerd that shares nothing with the machine's, and yield the client for it."""
    # Short: a socket's path has 107 bytes at most.
    root = Path(tmp_path_factory.mktemp("dockerd"))
    socket = root / "d.sock"
    daemon = [
        *("dockerd", "--data-root", root / "data", "--exec-root", root / "exec", "--pidfile", root / "pid"),
        *(
            "--host",
            f"unix://{socket}",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
            "--storage-driver=vfs",
        ),
    ]
    log = root / "log"
    # Its mounts stay in a namespace of their own and end with it.
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", *map(str, daemon)],
            stdout=output,
            stderr=output,
            env={**os.environ, "PATH": path},
        )

    def client(*argv: object) -> str:
        command = ["docker", "--host", f"unix://{socket}", *map(str, argv)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + log.read_text()[-2000:]
        return done.stdout

    try:
        _wait_until_it_answers(process, socket, log)
        yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_it_answers(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    deadline = time.monotonic() + 60
    command = ["docker", "--host", f"unix://{socket}", "version"]
    while subprocess.run(command, capture_output=True, check=False).returncode != 0:
        assert process.poll() is None, log.read_text()[-4000:]
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.1)


@pytest.fixture(scope="module")
def loaded(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuiltImage]:
    path = tmp_path_factory.mktemp("image") / "mini.tar"
    image = build(path)
    assert "mini:latest" in docker("load", "--input", path)
    return path, image


def test_docker_shows_the_image_under_its_own_id(docker: Docker, loaded: tuple[Path, BuiltImage]) -> None:
    (shown,) = json.loads(docker("image", "inspect", "mini:latest"))
    assert shown["Id"] == loaded[1].image_id
    assert shown["RootFS"]["Layers"] == [layer.diff_id for layer in loaded[1].layers]
    assert shown["Config"]["Cmd"] == ["/bin/sh"]
    assert shown["Architecture"] == loaded[1].architecture


def test_docker_makes_the_same_tree(docker: Docker, loaded: tuple[Path, BuiltImage], tmp_path: Path) -> None:
    """`docker export` adds the files that Docker mounts over in every container; all else is ours."""
    container = docker("create", "--network=none", "mini:latest").strip()
    docker("export", "--output", tmp_path / "export.tar", container)
    docker("rm", container)
    (tmp_path / "theirs").mkdir()
    subprocess.run(
        ["tar", "-xpf", tmp_path / "export.tar", "-C", tmp_path / "theirs", "--same-owner"], check=True
    )
    convert(loaded[0], tmp_path / "layout")
    unpack(tmp_path / "layout", tmp_path / "bundle")
    theirs, ours = snapshot(tmp_path / "theirs"), snapshot(tmp_path / "bundle/rootfs")
    dockers = {".dockerenv", "dev", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"}
    dockers |= {name for name in theirs if name.startswith("dev/")}
    assert {name: entry for name, entry in theirs.items() if name not in dockers} == {
        name: entry for name, entry in ours.items() if name not in dockers
    }


def test_what_docker_saves_converts_to_the_same_layers(
    docker: Docker, loaded: tuple[Path, BuiltImage], tmp_path: Path
) -> None:
    docker("save", "--output", tmp_path / "saved.tar", "mini:latest")
    with tarfile.open(tmp_path / "saved.tar") as saved:
        assert "manifest.json" in saved.getnames()
    converted = convert(tmp_path / "saved.tar", tmp_path / "layout")
    assert converted.ref == "latest"
    assert [layer.diff_id for layer in converted.layers] == [layer.diff_id for layer in loaded[1].layers]
