"""Probe the programs: their paths, their versions, and whether Docker's daemon answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tutor import paths, patience
from tutor.doctor.model import Docker, Tool

SECONDS = 5.0
AGAIN = 4
"""What does not answer in time is asked once more, and has so many times longer: its file is in memory then."""
TIMEOUT = "timeout"
"""The problem of a program that did not answer in time, so that nothing is known of it."""

# Each with the arguments that print its version and have no effect: `podman info`, for example, creates folders.
VERSION_COMMANDS: dict[str, tuple[str, ...]] = {
    "runt": ("--version",),
    "runc": ("--version",),
    "crun": ("--version",),
    "busybox": (),
    "docker": ("--version",),
    "containerd": ("--version",),
    "ctr": ("--version",),
    "podman": ("--version",),
    "skopeo": ("--version",),
    "umoci": ("--version",),
    "oci-image-tool": ("--version",),
    "tmux": ("-V",),
    "strace": ("-V",),
}
_VERSION = re.compile(r"\d+(?:\.\d+)+[^\s,]*")
_DOCKER_PIDS = ("/run/docker.pid", "/var/run/docker.pid")


def look_for_tools() -> tuple[Tool, ...]:
    """Find every program, and run those that exist for their versions, a few at a time."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return tuple(pool.map(look_for, VERSION_COMMANDS))


def look_for(name: str) -> Tool:
    """Find one program on PATH (and in sbin, where runtimes are, which an ordinary user's PATH may lack)."""
    path = shutil.which(name, path=search_path())
    if path is None:
        return Tool(name, None)
    output, problem = _answer([path, *VERSION_COMMANDS[name]])
    version = _VERSION.search(output)
    return Tool(name, path, version.group() if version else "", "" if version else problem or output[:80])


def search_path() -> str:
    """Return PATH with, before it, the folder of this Python (where `runt` is) and, after it, administrators' folders."""
    return f"{Path(sys.executable).parent}:{paths.search_path()}"


def ask_docker() -> Docker:
    """Ask Docker's daemon for its version, if it is running: its socket alone could start it."""
    path = shutil.which("docker", path=search_path())
    if path is None or not (os.environ.get("DOCKER_HOST") or any(map(_alive, _DOCKER_PIDS))):
        return Docker(running=False)
    output, problem = _answer([path, "version", "--format", "{{.Server.Version}}"])
    version = _VERSION.search(output)
    return Docker(running=version is not None, version=version.group() if version else "", problem=problem)


def _alive(pid_file: str) -> bool:
    try:
        return Path(f"/proc/{int(Path(pid_file).read_text(encoding='ascii'))}").exists()
    except (OSError, ValueError):
        return False


def _answer(command: list[str]) -> tuple[str, str]:
    """Run a command, twice if it takes too long; return its output, and the reason if it failed: its last line, or why it could not run."""
    limit = patience.scaled(SECONDS)
    output, problem = _answer_within(command, limit)
    return _answer_within(command, limit * AGAIN) if problem == TIMEOUT else (output, problem)


def _answer_within(command: list[str], seconds: float) -> tuple[str, str]:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", TIMEOUT
    except OSError as error:
        return "", error.strerror or str(error)
    text = done.stdout.decode(errors="replace").strip()
    return text, text.rpartition("\n")[2] if done.returncode else ""
