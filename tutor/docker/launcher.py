"""Install the program that Docker calls for `runt`: it starts faster than the one that pip installs (`runtime.install.launcher`)."""

from __future__ import annotations

import subprocess
import sys

from tutor.errors import TutorError


def install() -> str:
    """Write the launcher, or replace it; return its path. Raises TutorError: `docker.launcher`."""
    return _launcher("install").rstrip("\n")


def uninstall() -> None:
    """Remove the launcher and its files. Raises TutorError: `docker.launcher`."""
    _launcher("uninstall")


def _launcher(command: str) -> str:
    # -I: do not import modules from the current directory.
    done = subprocess.run(
        [sys.executable, "-I", "-m", "runtime.install.launcher", command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise TutorError("docker.launcher", reason=lines[-1] if lines else "")
    return done.stdout
