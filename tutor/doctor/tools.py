"""Ask the programs: where they are, their versions, and whether Docker's daemon answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tutor import paths
from tutor.doctor.model import Docker, Tool

SECONDS = 5
TIMEOUT = "timeout"
"""The problem of a program that did not answer within SECONDS."""

# Each with the words that make it tell its version and nothing else: `podman info`, say, would make folders.
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
    """Look for every program and ask those that are there for their versions, a few at a time."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return tuple(pool.map(look_for, VERSION_COMMANDS))


def look_for(name: str) -> Tool:
    """Look for one program on PATH (and in sbin, where runtimes live, which an ordinary user's PATH may lack)."""
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
    """Ask Docker's daemon for its version; only one that runs is asked, for a socket may start it."""
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
    """Run a command and return what it printed, and its last line if it failed or what kept it from running."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", TIMEOUT
    except OSError as error:
        return "", error.strerror or str(error)
    text = done.stdout.decode(errors="replace").strip()
    return text, text.rpartition("\n")[2] if done.returncode else ""
