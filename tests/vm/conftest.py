"""The fixtures of the tests for the virtual machine of `script/test --vm`; anywhere else they are skipped."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.runt import Bundle, Runt

if TYPE_CHECKING:
    from collections.abc import Iterator


class SystemdRunt(Runt):
    """`runt` with --systemd-cgroup in every command: systemd makes the cgroup."""

    def command(self, *words: str) -> list[str]:
        """Return the whole command line for some arguments."""
        command = super().command(*words)
        command.insert(-len(words), "--systemd-cgroup")
        return command


@pytest.fixture(autouse=True)
def _in_the_machine() -> None:
    if not Path("/checkout/.command").exists():
        pytest.skip("for the virtual machine of script/test --vm")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A bundle that sleeps, in namespaces of its own."""
    bundle = Bundle(tmp_path / "bundle").namespaces("pid", "cgroup")
    bundle.process["args"] = ["sleep", "1000"]
    return bundle


@pytest.fixture
def runt(tmp_path: Path) -> Iterator[Runt]:
    """`runt --systemd-cgroup`; at the end, containers that are left are deleted, and systemd must know no unit of theirs."""
    runt = SystemdRunt(tmp_path / "state")
    yield runt
    runt.clean_up()
    assert units() == []


def units() -> list[str]:
    """Return the scopes of containers that systemd knows, in any state."""
    said = subprocess.run(
        ["systemctl", "list-units", "--all", "--plain", "--no-legend", "runt-*.scope"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split()[0] for line in said.stdout.splitlines()]
