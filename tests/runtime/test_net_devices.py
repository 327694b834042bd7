"""Network devices that move into the container, from a network namespace that is the host's for one test."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import REPOSITORY, Bundle, Runt, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox", "ip")]

DEVICES = """
ip link add one type veth peer name other
ip link set one mtu 1400 address 02:00:00:00:00:07
ip address add 192.0.2.7/24 brd + dev one
ip address add 2001:db8::7/64 dev one nodad
ip address add 192.0.2.9/24 dev one valid_lft 1000 preferred_lft 1000
ip address add 198.51.100.1/32 scope link dev one
ip link set one up
ip link set lo up
"""


@pytest.fixture
def host() -> Iterator[list[str]]:
    """The beginning of a command line that runs in a network namespace with two devices, `one` and `other`."""
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-ec", f"{DEVICES}\necho; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"\n"
        yield ["nsenter", f"--net=/proc/{process.pid}/ns/net", "--"]
        process.stdin.close()


def run(
    host: list[str], runt: Runt, bundle: Bundle, command: str = "run"
) -> subprocess.CompletedProcess[str]:
    """Run the bundle where the devices are."""
    bundle.save()
    return subprocess.run(
        [*host, *runt.command(command, "-b", str(bundle.path), "test")],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def links(host: list[str]) -> set[str]:
    """Return the names of the devices on the host."""
    said = subprocess.check_output([*host, "ip", "-json", "link"], text=True)
    return {link["ifname"] for link in json.loads(said)}


def ask(bundle: Bundle, devices: dict[str, Any]) -> Bundle:
    """Configure devices for the bundle, whose program prints them."""
    bundle.namespaces("network", "pid").linux["netDevices"] = devices
    return bundle.sh("busybox ip link; busybox ip address")


@pytest.mark.parametrize("name", ["one", "eth0"])
def test_device_arrives_with_its_lasting_addresses(
    host: list[str], runt: Runt, bundle: Bundle, name: str
) -> None:
    done = run(host, runt, ask(bundle, {"one": {} if name == "one" else {"name": name}}))
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert f" {name}@" in said
    assert "mtu 1400" in said
    assert "link/ether 02:00:00:00:00:07" in said
    assert f"inet 192.0.2.7/24 brd 192.0.2.255 scope global {name}\n" in said
    assert "inet6 2001:db8::7/64 scope global" in said
    assert "UP" in said.split(f" {name}@")[1].split("\n")[0]
    # Neither temporary addresses nor those of the link's scope.
    assert "192.0.2.9" not in said
    assert "198.51.100.1" not in said
    # It ends with its namespace, and its peer with it.
    wait_for(lambda: links(host) == {"lo"})


def test_both_ends_of_a_pair_get_numbers_that_are_free(host: list[str], runt: Runt, bundle: Bundle) -> None:
    done = run(host, runt, ask(bundle, {"one": {"name": "eth%d"}, "other": {"name": "eth%d"}}))
    assert done.returncode == 0, done.stderr
    assert "eth0@eth1" in done.stdout or "eth1@eth0" in done.stdout
    assert "inet 192.0.2.7/24" in done.stdout


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        ({"none": {}}, "link not found for interface none on runtime namespace"),
        ({"one": {"name": "lo"}}, "lo already exists in the container"),
        ({"one": {"name": "same"}, "other": {"name": "same"}}, "same already exists in the container"),
        ({"one": {"name": "a/b"}}, "invalid network device name"),
        ({"one": {"name": "x" * 16}}, "invalid network device name"),
        ({"one": {"name": "%s"}}, "invalid network device name"),
        ({"one": {"name": "a%db%d"}}, "invalid network device name"),
    ],
)
def test_device_that_cannot_move_is_refused_and_all_stay(
    host: list[str], runt: Runt, bundle: Bundle, devices: dict[str, Any], said: str
) -> None:
    done = run(host, runt, ask(bundle, devices), "create")
    assert done.returncode == 1
    assert said in done.stderr
    assert links(host) == {"lo", "one", "other"}
    assert runt.ok("list", "-q") == ""


def test_devices_need_a_network_namespace(runt: Runt, bundle: Bundle) -> None:
    bundle.linux["netDevices"] = {"lo": {}}
    assert "unable to move network devices without a NET namespace" in runt.fail(bundle)
