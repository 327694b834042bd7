"""Docker's default profile, as dockerd hands it to the runtime: the container gets the filter that libseccomp would make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.libseccomp import disagreements

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.daemons import Containerd
    from tests.support.docker import Docker

pytestmark = [pytest.mark.root, pytest.mark.peer("docker", "dockerd", "containerd", "tini")]


@pytest.mark.parametrize("options", [[], ["--cap-add=ALL"]])
def test_default_profile_is_what_libseccomp_makes_of_it(
    docker: Docker, containerd: Containerd, options: list[str]
) -> None:
    container = docker.start(*options)
    (config,) = (containerd.root / "state").glob(f"io.containerd.runtime.v2.task/*/{container}/config.json")
    profile = json.loads(config.read_text())["linux"]["seccomp"]
    assert sum(len(rule["names"]) for rule in profile["syscalls"]) > 300
    assert disagreements(profile) == []


def test_default_profile_forbids_what_it_should(docker: Docker) -> None:
    said = docker.sh(
        "grep ^Seccomp: /proc/self/status; unshare -U true 2>&1; touch /tmp/x && mkdir /tmp/y && ls /tmp"
    )
    assert said.startswith("Seccomp:\t2\n")
    assert "Operation not permitted" in said
    assert said.endswith("x\ny\n")


def test_profile_of_ones_own(docker: Docker, tmp_path: Path) -> None:
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}))
    assert "No space left" in docker.sh("mkdir /tmp/y 2>&1; true", f"--security-opt=seccomp={profile}")
    assert "No space left" in docker.sh(
        "mkdir /tmp/y 2>&1; true", f"--security-opt=seccomp={profile}", "--security-opt=no-new-privileges"
    )
    assert (
        docker.sh("grep ^Seccomp: /proc/self/status", "--security-opt=seccomp=unconfined") == "Seccomp:\t0\n"
    )
