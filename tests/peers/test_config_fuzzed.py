"""Configurations that are nearly those of Docker and podman: each is accepted or refused with a message (tests/runtime has more)."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.fuzzed_config import fuzz
from tests.support.mutated_config import mutations
from tests.support.podman import Podman
from tests.support.refusals import refusal, told
from tutor.explain.bundle import Bundle
from tutor.explain.survey import survey

if TYPE_CHECKING:
    from tests.support.daemons import Containerd, Quarters
    from tests.support.docker import Docker
    from tutor.images.mini import BuiltImage

pytestmark = [pytest.mark.root, pytest.mark.long]

CASES = 2500


def errors_in(path: Path) -> list[str]:
    """Return what `explain` finds in a bundle whose container runs: nothing is right.

    The daemons have namespaces of their own: neither the root filesystem nor Docker's hook, /proc/PID/exe, is seen from here.
    """
    errors = [each for each in survey(Bundle(config=path)) if each.severity == "error"]
    return [
        f"{each.id} {each.pointer}"
        for each in errors
        if not each.id.startswith(("root.", "program.", "hook."))
    ]


def unexplained(base: str, config: Any, folder: Path) -> list[str]:
    """Return what `explain` does not find of a sample of what runt refuses."""
    wrong: list[str] = []
    for each in islice(mutations(base, config), 0, None, 40):
        if why := refusal(each.text):
            (folder / "config.json").write_text(each.text)
            wrong += filter(None, [told(each, why, survey(Bundle(folder)))])
    return wrong


@pytest.mark.peer("dockerd", "containerd")
def test_what_is_nearly_dockers(docker: Docker, containerd: Containerd, tmp_path: Path) -> None:
    container = docker.start(
        "--memory=64m", "--pids-limit=50", "--tmpfs=/t", "--volume=/v", "--sysctl=net.ipv4.ip_forward=1"
    )
    (config,) = (containerd.root / "state").glob(f"io.containerd.runtime.v2.task/*/{container}/config.json")
    assert errors_in(config) == []
    accepted, refused = fuzz(json.loads(config.read_text()), tmp_path, CASES)
    assert accepted + refused == CASES
    assert min(accepted, refused) > 300
    assert not unexplained("docker", json.loads(config.read_text()), tmp_path)


@pytest.mark.peer("podman", "conmon")
def test_what_is_nearly_podmans(
    quarters: Quarters, oci_runtime_path: str, mini: tuple[Path, BuiltImage], tmp_path: Path
) -> None:
    podman = Podman(quarters, oci_runtime_path)
    podman.load(mini[0])
    try:
        container = podman.start("--pids-limit=50", "--tmpfs=/t", "--cap-drop=all", "--user=1:1")
        path = podman.ok("inspect", "--format={{.OCIConfigPath}}", container).strip()
        assert errors_in(Path(path)) == []
        config = json.loads(Path(path).read_text())
    finally:
        podman.remove_all()
    accepted, refused = fuzz(config, tmp_path, CASES)
    assert accepted + refused == CASES
    assert min(accepted, refused) > 300
    assert not unexplained("podman", config, tmp_path)
