"""The links that a runtime leaves in the /dev of a root without a mount there, and lessons that use the root again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tutor.session.device_links import creates, set_aside

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """Return the /dev of a bundle's root, as runc leaves it."""
    made = tmp_path / "bundle/rootfs/dev"
    made.mkdir(parents=True)
    for name, target in (("stdin", "/proc/self/fd/0"), ("fd", "/proc/self/fd"), ("ptmx", "pts/ptmx")):
        (made / name).symlink_to(target)
    (made / "null").write_text("")
    (tmp_path / "bundle/config.json").write_text(json.dumps({"root": {"path": "rootfs"}}))
    return made


def _names(dev: Path) -> list[str]:
    return sorted(each.name for each in dev.iterdir())


def test_links_to_proc_are_away_and_come_back(dev: Path) -> None:
    with set_aside(dev.parents[1]):
        assert _names(dev) == ["null", "ptmx"]
        (dev / "stdin").symlink_to("made by the engine")
    assert _names(dev) == ["fd", "null", "ptmx", "stdin"]
    assert str((dev / "stdin").readlink()) == "made by the engine"
    assert str((dev / "fd").readlink()) == "/proc/self/fd"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"root": 1}', '{"root": {"path": 3}}', '{"root": {"path": "a\\u0000b"}}']
)
def test_a_broken_configuration_does_not_matter(dev: Path, text: str) -> None:
    (dev.parents[1] / "config.json").write_text(text)
    with set_aside(dev.parents[1]):
        pass
    assert _names(dev) == ["fd", "null", "ptmx", "stdin"]


def test_another_name_of_the_root_is_looked_up(dev: Path) -> None:
    bundle = dev.parents[1]
    dev.parent.rename(bundle / "other")
    (bundle / "config.json").write_text(json.dumps({"root": {"path": "other"}}))
    with set_aside(bundle):
        assert _names(bundle / "other/dev") == ["null", "ptmx"]


def test_nothing_outside_the_bundle_is_touched(dev: Path, tmp_path: Path) -> None:
    """A root elsewhere, and links in place of the root and of its /dev: they may lead to the host's."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "dev").mkdir(parents=True)
    (elsewhere / "dev/stdin").symlink_to("/proc/self/fd/0")
    bundle = dev.parents[1]
    for path in (str(elsewhere), "../elsewhere", "link"):
        (bundle / "link").unlink(missing_ok=True)
        (bundle / "link").symlink_to(elsewhere)
        (bundle / "config.json").write_text(json.dumps({"root": {"path": path}}))
        with set_aside(bundle):
            assert _names(elsewhere / "dev") == ["stdin"]
    dev.rename(bundle / "kept")
    dev.symlink_to(elsewhere / "dev")
    (bundle / "config.json").unlink()
    with set_aside(bundle):
        assert _names(elsewhere / "dev") == ["stdin"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("runc create sidecar && runc start sidecar", True),
        ("echo x | script -qec 'crun run box' /dev/null", True),
        ("runt --root /tmp/x run box", True),
        ("runc state box; echo create", False),
        ("grep runc config.json", False),
    ],
)
def test_which_lines_create(line: str, expected: bool) -> None:
    assert creates(line) is expected
