"""Long paths are shortened to what tells them apart."""

from __future__ import annotations

import pytest

from tutor.text.long_paths import shortener

LAB = "oci-tutor-79cde490eff2/keeper/alpine-test"


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["config.json /process/args"], ["config.json /process/args"]),
        (["/proc/4711/status", "/sys/fs/cgroup/cpu/box"], ["/proc/4711/status", "/sys/fs/cgroup/cpu/box"]),
        ([f"cat /sys/fs/cgroup/pids/{LAB}/pids.max"], ["cat …/alpine-test/pids.max"]),
        (
            [f"/sys/fs/cgroup/pids/{LAB}", f"'/sys/fs/cgroup/memory/{LAB}'"],
            ["…/pids/…/keeper/alpine-test", "'…/memory/…/keeper/alpine-test'"],
        ),
        (
            [f"~/labs/{'a' * 40}/x/config.json", f"~/labs/{'a' * 40}/x/y/x/config.json"],
            ["…/x/config.json", "…/y/x/config.json"],
        ),
    ],
)
def test_what_is_left_tells_paths_apart(texts: list[str], shown: list[str]) -> None:
    shorten = shortener(texts)
    assert [shorten(text) for text in texts] == shown
