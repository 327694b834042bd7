"""Device rules as a program in the kernel: real devices are opened in a real cgroup of v2, which a hybrid machine has too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.cgroups.device_program import attach
from runtime.cgroups.devices import rules_to_apply

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.root

NOTHING: dict[str, Any] = {"allow": False, "access": "rwm"}
ALL: dict[str, Any] = {"allow": True, "access": "rwm"}
NULL = {"type": "c", "major": 1, "minor": 3}


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """An empty cgroup of v2."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        if right.startswith("cgroup2 "):
            path = Path(left.split(" ")[4], f"devices-{os.getpid()}")
            path.mkdir()
            yield path
            path.rmdir()
            return
    pytest.skip("this machine has no cgroup v2, not even beside v1")


def attempts(cgroup: Path, rules: list[dict[str, Any]], *names: str) -> list[str]:
    """Return those of `names` (`null-r`, `zero-rw`, `c-m`: open /dev/..., make a node) that the rules let a process do."""
    attach(str(cgroup), rules)  # type: ignore[arg-type]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        (cgroup / "cgroup.procs").write_text("0")
        os.write(writer, " ".join(name for name in names if is_allowed(name, cgroup)).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        return file.read().split()


def is_allowed(name: str, cgroup: Path) -> bool:
    what, access = name.split("-")
    flags = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}
    try:
        if access == "m":
            node = f"/tmp/node-{cgroup.name}"
            os.mknod(node, {"c": 0o20600, "b": 0o60600}[what], os.makedev(1, 3))
            Path(node).unlink()
        else:
            os.close(os.open(f"/dev/{what}", flags[access]))
    except PermissionError:
        return False
    return True


EVERYTHING = ("null-r", "null-w", "null-rw", "zero-r", "zero-w", "zero-rw", "c-m", "b-m")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], ""),
        ([NOTHING], ""),
        ([ALL], "null-r null-w null-rw zero-r zero-w zero-rw c-m b-m"),
        # The last rule for an access counts.
        ([ALL, NOTHING], ""),
        ([NOTHING, ALL], "null-r null-w null-rw zero-r zero-w zero-rw c-m b-m"),
        ([ALL, {**NULL, "allow": False, "access": "rwm"}], "zero-r zero-w zero-rw b-m"),
        (
            [{**NULL, "allow": False, "access": "rwm"}, ALL],
            "null-r null-w null-rw zero-r zero-w zero-rw c-m b-m",
        ),
        # To open for both takes both, from one rule or two.
        ([ALL, {**NULL, "allow": False, "access": "w"}], "null-r zero-r zero-w zero-rw c-m b-m"),
        ([NOTHING, {**NULL, "allow": True, "access": "w"}], "null-w"),
        (
            [{**NULL, "allow": True, "access": "w"}, {**NULL, "allow": True, "access": "r"}],
            "null-r null-w null-rw",
        ),
        # A hole in a wildcard, which v1 can't have.
        (
            [
                {"type": "c", "major": 1, "allow": True, "access": "rw"},
                {**NULL, "allow": False, "access": "r"},
            ],
            "null-w zero-r zero-w zero-rw",
        ),
        # A part that is left out, or -1, means all; a letter may come twice.
        ([{"type": "b", "allow": True, "access": "mm"}], "b-m"),
        ([{"type": "c", "major": -1, "minor": 5, "allow": True, "access": "r"}], "zero-r"),
        ([{"type": "a", "major": 1, "minor": 3, "allow": True, "access": "m"}], "c-m b-m"),
        # Numbers are unsigned, and none of these is a device of this machine.
        ([{"type": "c", "major": 2**32 - 1, "minor": 2**31, "allow": True, "access": "rwm"}], ""),
    ],
)
def test_last_rule_decides_for_each_access(cgroup: Path, rules: list[dict[str, Any]], expected: str) -> None:
    assert attempts(cgroup, rules, *EVERYTHING) == expected.split()


def test_what_every_container_has_is_always_allowed(cgroup: Path) -> None:
    rules: Any = rules_to_apply([])
    assert attempts(cgroup, rules, *EVERYTHING, "kmsg-r") == list(EVERYTHING)


def test_new_program_takes_the_place_of_the_old_one(cgroup: Path) -> None:
    assert attempts(cgroup, [NOTHING], "null-r") == []
    assert attempts(cgroup, [ALL], "null-r") == ["null-r"]
    # As systemd does for a unit with DeviceAllow: its program is attached first, and another one may be attached too.
    from runtime.kernel import bpf

    directory = os.open(cgroup, os.O_RDONLY)
    for _ in range(2):
        program = bpf.load_device_program(refusal())
        bpf.attach_device_program(directory, program)
        os.close(program)
    assert len(bpf.open_device_programs(directory)) == 3
    assert attempts(cgroup, [ALL], "null-r") == ["null-r"]
    assert len(bpf.open_device_programs(directory)) == 1
    os.close(directory)


def refusal() -> bytes:
    """A program that denies everything: r0 = 0; exit."""
    return bytes.fromhex("b700000000000000 9500000000000000")
