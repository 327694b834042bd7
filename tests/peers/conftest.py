"""Private daemons for the tests with real callers: started once, for all modules that use them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import PATH, Containerd, Quarters
from tests.support.docker import Docker, Dockerd
from tests.support.images import archive_with
from tests.support.own_runtime import model_solution
from tutor.images.mini import BuiltImage, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PAUSE = "localhost/pause:latest"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of callers with `runt`, and with what else `--oci-runtime` names: a good test passes with runc."""
    if "oci_runtime" in metafunc.fixturenames:
        names = metafunc.config.getoption("--oci-runtime").split(",")
        metafunc.parametrize("oci_runtime", names, scope="session")


@pytest.fixture(scope="session")
def quarters() -> Iterator[Quarters]:
    with Quarters() as quarters:
        yield quarters


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuiltImage]:
    """Return the mini image's archive, and what was built."""
    path = tmp_path_factory.mktemp("image") / "mini.tar"
    return path, build(path)


@pytest.fixture(scope="session")
def runtimes(quarters: Quarters) -> dict[str, str]:
    """Return the executables that callers are told to use: runt by its own launcher, the others as installed.

    "mine" is what a learner of the course build-your-own exports whose functions are the model solution.
    """
    found = {name: shutil.which(name, path=PATH) for name in ("runc", "crun")}
    runt = str(quarters.path / "runt")
    subprocess.run([sys.executable, "-m", "runtime.install.launcher", "install-plain", runt], check=True)
    mine = quarters.path / "mine"
    mine.write_text(model_solution())
    mine.chmod(0o755)
    return {"runt": runt, "mine": str(mine), **{name: path for name, path in found.items() if path}}


@pytest.fixture(scope="session")
def oci_runtime_path(oci_runtime: str, runtimes: dict[str, str]) -> str:
    """Return the executable of the runtime of the test."""
    return runtimes[oci_runtime]


@pytest.fixture(scope="session")
def containerd(quarters: Quarters, runtimes: dict[str, str]) -> Iterator[Containerd]:
    daemon = Containerd(quarters, runtimes, PAUSE)
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def kubernetes_images(
    containerd: Containerd, mini: tuple[Path, BuiltImage], tmp_path_factory: pytest.TempPathFactory
) -> Containerd:
    """Return a containerd that has, for Kubernetes, the mini image and one that does nothing: what a pod begins with."""
    pause = tmp_path_factory.mktemp("pause") / "pause.tar"
    with tarfile.open(mini[0]) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        config = json.load(archive.extractfile(manifest["Config"]) or io.BytesIO())
    config["config"]["Cmd"] = ["sleep", "1000000"]
    manifest["RepoTags"] = [PAUSE]
    changes: dict[str, bytes | None] = {
        "manifest.json": json.dumps([manifest]).encode(),
        manifest["Config"]: json.dumps(config).encode(),
    }
    for image in (mini[0], archive_with(mini[0], pause, changes)):
        containerd.ctr("images", "import", "--snapshotter=native", str(image), namespace="k8s.io")
    return containerd


@pytest.fixture(scope="session")
def dockerd(
    quarters: Quarters, containerd: Containerd, runtimes: dict[str, str], mini: tuple[Path, BuiltImage]
) -> Iterator[Dockerd]:
    """Yield a dockerd that has the mini image."""
    others = {name: path for name, path in runtimes.items() if name != "runc"}
    daemon = Dockerd(quarters, containerd.address, others, ["--live-restore"])
    daemon.ok("load", "--input", mini[0])
    yield daemon
    daemon.stop()


@pytest.fixture
def docker(dockerd: Dockerd, oci_runtime: str) -> Iterator[Docker]:
    """Yield a Docker whose containers have the runtime of the test; they are removed after it."""
    docker = Docker(dockerd, oci_runtime)
    yield docker
    docker.remove_all()
