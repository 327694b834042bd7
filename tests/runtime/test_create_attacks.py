"""What a hostile image or configuration must not achieve."""

from __future__ import annotations

import ctypes
import os
import stat
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

RENAME_EXCHANGE = 2
AT_FDCWD = -100


def exchange_for_ever(one: str, two: str) -> None:
    """Exchange two names, again and again (renameat2(2))."""
    libc = ctypes.CDLL(None)
    while True:
        libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, two.encode(), RENAME_EXCHANGE)


def test_destination_that_is_swapped_for_a_link_to_the_host_while_mounting(
    bundle: Bundle, runt: Runt, tmp_path: Path
) -> None:
    """CVE-2021-30465 and CVE-2024-45310."""
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    inside = bundle.rootfs / "shared"
    (inside / "place/sub").mkdir(parents=True)
    (inside / "link").symlink_to(outside)
    bundle.config["mounts"] += [
        {"destination": "/shared/place/sub", "type": "tmpfs", "source": "tmpfs", "options": ["mode=700"]},
        {"destination": "/shared/place/made/by/us", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/shared/place/file", "source": "config.json", "options": ["bind"]},
    ]
    bundle.linux.clear()
    bundle.linux["namespaces"] = [{"type": "mount"}]
    bundle.save()
    swapper = get_context("fork").Process(
        target=exchange_for_ever, args=(str(inside / "place"), str(inside / "link")), daemon=True
    )
    swapper.start()
    try:
        for _ in range(40):
            # It may succeed or fail, by the name that it found; it must not mount outside.
            runt("run", "-b", str(bundle.path), "test")
    finally:
        swapper.kill()
        swapper.join()
    assert [path.name for path in outside.iterdir()] == ["sub"]
    assert list((outside / "sub").iterdir()) == []
    assert str(outside) not in open_mounts()


def open_mounts() -> str:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:  # noqa: PTH123 - a file of the kernel
        return file.read()


@pytest.mark.parametrize("place", ["dev/console", "dev/null"])
def test_device_that_is_a_link_to_the_hosts(bundle: Bundle, runt: Runt, place: str, tmp_path: Path) -> None:
    """CVE-2025-31133 and CVE-2025-52565."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (bundle.rootfs / "dev").mkdir()
    (bundle.rootfs / place).symlink_to(victim)
    bundle.process["terminal"] = True
    bundle.linux["maskedPaths"] = ["/proc/kcore"]
    bundle.config["mounts"].append({"destination": "/dev/pts", "type": "devpts", "source": "devpts"})
    assert "step" in runt.fail(bundle, command="run")
    assert victim.read_text() == "untouched"
    assert stat.S_ISREG(os.lstat(victim).st_mode)


def test_fake_proc_in_the_image_is_not_written_to(bundle: Bundle, runt: Runt) -> None:
    """CVE-2019-16884 and CVE-2025-52881: a sysctl goes to the kernel, whatever the image has at /proc."""
    fake = bundle.rootfs / "proc/sys/net/ipv4"
    fake.mkdir(parents=True)
    (fake / "ip_forward").write_text("fake")
    bundle.config["mounts"] = []
    bundle.namespaces("network").linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    bundle.sh("cat /proc/sys/net/ipv4/ip_forward; mount -t proc proc /tmp 2>/dev/null; true")
    assert runt.run(bundle) == "fake"


def test_program_cannot_be_reached_by_descriptors_of_the_runtime(bundle: Bundle, runt: Runt) -> None:
    """CVE-2024-21626, by the program's path."""
    for number in range(3, 10):
        bundle.process["args"] = [f"/proc/self/fd/{number}/../../../../../../bin/sh", "-c", "echo out"]
        bundle.save()
        done = runt("run", "-b", str(bundle.path), "test")
        assert done.returncode == 1
        assert "out\n" not in done.stdout


def test_no_module_is_loaded_from_the_image(bundle: Bundle, runt: Runt) -> None:
    """Init is a Python process until it executes the program: it must not import modules of the container's root."""
    for directory in ("", "runtime", "usr/lib/python3.11", "usr/lib/python3/dist-packages"):
        (bundle.rootfs / directory).mkdir(parents=True, exist_ok=True)
        for name in ("encodings", "traceback", "json", "pwd", "hooks"):
            (bundle.rootfs / directory / f"{name}.py").write_text("open('/loaded', 'w')")
    bundle.config["hooks"] = {"startContainer": [{"path": "/bin/false", "timeout": 1}]}
    runt.create(bundle)
    assert runt("start", "test", cwd="/").returncode == 1
    assert not (bundle.rootfs / "loaded").exists()
