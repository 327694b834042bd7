"""Devices and links in /dev, as the container finds them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

DEV = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}


def test_default_devices_and_links(bundle: Bundle, runt: Runt) -> None:
    bundle.config["mounts"].append(DEV)
    bundle.sh(
        "cd /dev; stat -c '%n %F %t:%T %a %u:%g' null zero full random urandom tty; ls -l | grep -o '[a-z]* -> .*'"
    )
    assert runt.run(bundle).splitlines() == [
        "null character special file 1:3 666 0:0",
        "zero character special file 1:5 666 0:0",
        "full character special file 1:7 666 0:0",
        "random character special file 1:8 666 0:0",
        "urandom character special file 1:9 666 0:0",
        "tty character special file 5:0 666 0:0",
        "fd -> /proc/self/fd",
        "ptmx -> pts/ptmx",
        "stderr -> /proc/self/fd/2",
        "stdin -> /proc/self/fd/0",
        "stdout -> /proc/self/fd/1",
    ]


def test_configured_devices(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["devices"] = [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 5, "gid": 6},
        {"path": "/srv/deep/disk", "type": "b", "major": 7, "minor": 1},
        {"path": "/srv/pipe", "type": "p", "fileMode": 0o600},
        {"path": "/srv/unbuffered", "type": "u", "major": 1, "minor": 3, "fileMode": 0o622},
    ]
    bundle.sh("stat -c '%n %F %t:%T %a %u:%g' /dev/fuse /srv/deep/disk /srv/pipe /srv/unbuffered")
    assert runt.run(bundle).splitlines() == [
        "/dev/fuse character special file a:e5 640 5:6",
        "/srv/deep/disk block special file 7:1 666 0:0",
        "/srv/pipe fifo 0:0 600 0:0",
        "/srv/unbuffered character special file 1:3 622 0:0",
    ]
    # The second time they are there already, and match.
    assert len(runt.run(bundle).splitlines()) == 4


def test_something_else_in_the_place_of_a_device_is_an_error(bundle: Bundle, runt: Runt) -> None:
    (bundle.rootfs / "dev").mkdir()
    os.mknod(bundle.rootfs / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    assert "/dev/null exists already and is not the device c 1:3" in runt.fail(bundle)


def test_device_that_is_a_link_to_the_hosts_is_an_error(bundle: Bundle, runt: Runt) -> None:
    (bundle.rootfs / "dev").mkdir()
    (bundle.rootfs / "dev/null").symlink_to("/proc/1/root/dev/sda")
    assert "/dev/null exists already and is not the device" in runt.fail(bundle)


def test_bound_dev_is_left_alone(bundle: Bundle, runt: Runt) -> None:
    (bundle.path / "dev").mkdir()
    bundle.config["mounts"].append({"destination": "/dev", "source": "dev", "options": ["bind"]})
    assert runt.run(bundle.sh("ls /dev")) == ""


def test_user_namespace_gets_devices_that_the_host_has_no_file_for(bundle: Bundle, runt: Runt) -> None:
    mapping: Any = [{"containerID": 0, "hostID": 100000, "size": 1000}]
    bundle.namespaces("pid", "user").linux.update(uidMappings=mapping, gidMappings=mapping)
    for path in (bundle.rootfs, *bundle.rootfs.rglob("*")):
        os.chown(path, 100000, 100000, follow_symlinks=False)
    numbers = {"type": "c", "major": 1, "minor": 5}
    bundle.linux["devices"] = [
        {"path": "/dev/zeros", **numbers, "uid": 10, "gid": 11, "fileMode": 0o604},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o640},
    ]
    bundle.sh(
        "cd /dev; stat -c '%n %a %u:%g %t:%T %F' zeros pipe; head -c 2 zeros | od -An -tx1; "
        "grep -o ' /dev/null [^ ]*' /proc/self/mountinfo"
    )
    assert runt.run(bundle).splitlines() == [
        "zeros 604 10:11 1:5 character special file",
        "pipe 640 0:0 0:0 fifo",
        " 00 00",
        " /dev/null rw,nosuid,noexec,relatime",
    ]
