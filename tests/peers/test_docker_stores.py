"""What the lesson `docker-archive` says of Docker's two image stores: the ID that is shown, and the archives."""

from __future__ import annotations

import json
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.support.docker import Dockerd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemons import Containerd, Quarters
    from tutor.images.mini import BuiltImage

    Mini = tuple[Path, BuiltImage]

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]


@pytest.fixture(name="snapshotters", scope="module")
def _snapshotters(quarters: Quarters, containerd: Containerd) -> Iterator[Dockerd]:
    """Return a Docker with the containerd image store."""
    config = json.dumps({"features": {"containerd-snapshotter": True}})
    options = ["--storage-driver=native"]
    try:
        docker = Dockerd(quarters, containerd.address, {}, options, "docker-snapshotters", config)
    except AssertionError as error:
        if "driver not supported" in str(error):
            pytest.skip("this Docker has no containerd image store")
        raise
    yield docker
    docker.stop()


def _saved(docker: Dockerd, archive: Path) -> tuple[dict[str, bytes], str]:
    """Return the files of an archive of `docker save`, and the image ID that Docker shows."""
    docker.ok("save", "--output", archive, "mini:latest")
    with tarfile.open(archive) as opened:
        files = {
            each.name: file.read() for each in opened if each.isfile() and (file := opened.extractfile(each))
        }
    return files, docker.ok("images", "--no-trunc", "--quiet", "mini:latest").strip().removeprefix("sha256:")


def test_a_graph_driver_shows_the_configs_digest(dockerd: Dockerd, mini: Mini, tmp_path: Path) -> None:
    dockerd.ok("load", "--input", mini[0])
    files, shown = _saved(dockerd, tmp_path / "saved.tar")
    (entry,) = json.loads(files["manifest.json"])
    assert shown == sha256(files[entry["Config"]]).hexdigest()
    assert "latest" in json.loads(files["repositories"])["mini"]


def test_the_containerd_store_shows_the_manifests_digest(
    snapshotters: Dockerd, mini: Mini, tmp_path: Path
) -> None:
    snapshotters.ok("load", "--input", mini[0])
    files, shown = _saved(snapshotters, tmp_path / "saved.tar")
    (entry,) = json.loads(files["manifest.json"])
    (manifest,) = json.loads(files["index.json"])["manifests"]
    assert shown == manifest["digest"].removeprefix("sha256:") != sha256(files[entry["Config"]]).hexdigest()
    assert shown == sha256(files[f"blobs/sha256/{shown}"]).hexdigest()
    assert "repositories" not in files


def test_the_containerd_store_loads_the_name_that_index_json_has(
    snapshotters: Dockerd, mini: Mini, tmp_path: Path
) -> None:
    """Its own archives: a name in manifest.json alone is not taken."""
    snapshotters.ok("load", "--input", mini[0])
    snapshotters.ok("save", "--output", tmp_path / "saved.tar", "mini:latest")
    with tarfile.open(tmp_path / "saved.tar") as archive:
        archive.extractall(tmp_path / "taken", filter="data")
    for name, loaded in (("manifest.json", "mini:latest"), ("index.json", "mini:other")):
        file = tmp_path / "taken" / name
        file.write_text(file.read_text().replace("mini:latest", "mini:other").replace('"latest"', '"other"'))
        with tarfile.open(tmp_path / "again.tar", "w") as archive:
            archive.add(tmp_path / "taken", ".")
        assert loaded in snapshotters.ok("load", "--input", tmp_path / "again.tar")
