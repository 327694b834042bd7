"""AppArmor profiles and SELinux labels: set where they are enabled, refused before anything is made where they are not."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

PARAMETER = Path("/sys/module/apparmor/parameters/enabled")
APPARMOR = PARAMETER.exists() and PARAMETER.read_text().startswith("Y")
SELINUX = Path("/sys/fs/selinux/enforce").exists()

without_apparmor = pytest.mark.skipif(APPARMOR, reason="AppArmor is enabled here")
without_selinux = pytest.mark.skipif(SELINUX, reason="SELinux is enabled here")


@without_apparmor
def test_profile_without_apparmor_is_refused(bundle: Bundle, runt: Runt) -> None:
    bundle.process["apparmorProfile"] = "acme"
    said = runt.fail(bundle)
    assert 'process.apparmorProfile: apparmor profile \\"acme\\" is specified in config' in said
    assert "apparmor is disabled or not supported" in said


@without_selinux
@pytest.mark.parametrize("place", ["process.selinuxLabel", "linux.mountLabel"])
def test_label_without_selinux_is_refused_with_runcs_words(bundle: Bundle, runt: Runt, place: str) -> None:
    section, _, member = place.partition(".")
    bundle.config[section][member] = "system_u:object_r:container_file_t:s0"
    said = runt.fail(bundle)
    assert f"{place}: selinux label is specified in config, but selinux is disabled or not supported" in said


@without_selinux
@pytest.mark.peer("runc")
def test_runc_refuses_a_label_without_selinux_too(bundle: Bundle, tmp_path: Path) -> None:
    bundle.process["selinuxLabel"] = "system_u:system_r:container_t:s0"
    bundle.save()
    runc = ["runc", "--root", str(tmp_path / "runc"), "run", "-b", str(bundle.path), "props-labels"]
    done = subprocess.run(runc, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "selinux is disabled or not supported" in done.stderr


@without_apparmor
@without_selinux
def test_exec_refuses_them_too(bundle: Bundle, runt: Runt) -> None:
    runt.create(bundle.namespaces("pid").sh("sleep 100"))
    assert "apparmor is disabled" in runt("exec", "--apparmor", "acme", "test", "true").stderr
    assert "selinux is disabled" in runt("exec", "--process-label", "x", "test", "true").stderr


@pytest.mark.skipif(not APPARMOR, reason="AppArmor is not enabled here")
def test_profile_is_the_programs(bundle: Bundle, runt: Runt) -> None:
    """`unconfined` is the one profile that every machine has."""
    bundle.process["apparmorProfile"] = "unconfined"
    assert runt.run(bundle.sh("cat /proc/self/attr/current")).strip() == "unconfined"
    bundle.process["apparmorProfile"] = "no-such-profile"
    assert "cannot set the security label exec no-such-profile" in runt.fail(bundle)
