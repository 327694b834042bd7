"""Fixtures and checks for every test: peers are real, or the test is skipped with a reason (in CI that is a failure)."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

import pytest
from hypothesis import settings

# How long an example takes is a matter of the machine's load.
settings.register_profile("oci-tutor", deadline=None)
settings.load_profile("oci-tutor")

CI = bool(os.environ.get("CI"))
# Lessons must not fetch an image from the network, which this machine may lack; tests/peers uses its own registry.
os.environ.setdefault("OCI_TUTOR_IMAGE", "mini")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--oci-runtime runt,runc`: run the tests of callers with other runtimes, too."""
    parser.addoption(
        "--oci-runtime", default="runt", help="the runtimes that Docker & Co. are given, as `runt,runc`"
    )


@cache
def _why_no_namespaces() -> str:
    """Return why this machine cannot make a mount namespace, or nothing."""
    probe = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if probe.returncode == 0 else f"needs root with namespaces: {probe.stderr.strip()}"


def _missing(item: pytest.Item) -> str:
    reasons = [
        f"{tool} is not installed"
        for mark in item.iter_markers("peer")
        for tool in mark.args
        if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None
    ]
    if item.get_closest_marker("root") is not None and (why := _why_no_namespaces()):
        reasons.append(why)
    return ", ".join(reasons)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose peer is missing, with the reason; in CI nothing that needs a peer may be skipped."""
    why = _missing(item)
    if not why:
        return
    if CI:
        pytest.fail(f"in CI every peer must be there: {why}", pytrace=False)
    pytest.skip(why)
