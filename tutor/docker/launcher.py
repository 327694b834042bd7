"""The program that Docker calls for `runt`: one that starts faster than the `runt` that pip installs (`runtime.install.launcher`)."""

from __future__ import annotations

import subprocess
import sys

from tutor.errors import TutorError


def install() -> str:
    """Make the launcher, or make it anew; return its path. Raises TutorError: `docker.launcher`."""
    return _launcher("install").rstrip("\n")


def uninstall() -> None:
    """Remove the launcher and what belongs to it. Raises TutorError: `docker.launcher`."""
    _launcher("uninstall")


def _launcher(command: str) -> str:
    # -I: what lies in the current directory is none of ours.
    done = subprocess.run(
        [sys.executable, "-I", "-m", "runtime.install.launcher", command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise TutorError("docker.launcher", reason=said[-1] if said else "")
    return done.stdout
