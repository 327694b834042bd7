"""Fetch an image: from a registry by skopeo, else by Docker; or from an archive on a USB stick.

The command lines are those that a person would type; `Patience.tell` shows them, and their output goes to the terminal.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Literal

from tutor.home import command_line
from tutor.images.convert import convert
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.images.reference import find_image
from tutor.lazy_dataclass import dataclass
from tutor.text.logrus import message_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Source = Literal["registry", "docker", "file"]

_REGISTRY = "docker://"
_ARCHIVE = "docker-archive:"
# A registry on this machine has no signed certificate.
_LOOPBACK = re.compile(r"docker://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?/")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try, and where to show what is done."""

    deadline: float | None  # of time.monotonic(); None: no limit
    tell: Callable[[str], None] | None = (
        None  # called with each command line; the commands' output is shown then
    )

    def left(self) -> float | None:
        """Return the seconds left, at least a fraction of one."""
        return None if self.deadline is None else max(0.1, self.deadline - time.monotonic())


def fetch(reference: str, layout: Path, archive: Path, *, ref: str, patience: Patience) -> Source:
    """Create the layout `layout` with the image, its ref `ref`; if it came as an archive, that is kept as `archive`.

    `reference`: as skopeo writes it (`docker://alpine:3.9`, `docker-archive:FILE`, `oci:LAYOUT:REF` ...).

    Raises:
        ImageError: `fetch`, with the error of each way; and those of `tutor.images.convert`.
    """
    if reference.startswith(_ARCHIVE):
        source = find_image(reference)
        convert(source.path, layout, name=source.ref, ref=ref)
        if source.ref is None:  # otherwise there are other images in it
            with explaining_os_errors(archive):
                shutil.copyfile(source.path, archive)
        return "file"
    said = _by_skopeo(reference, layout, ref, patience)
    if said is None:
        return "registry" if reference.startswith(_REGISTRY) else "file"
    shutil.rmtree(layout, ignore_errors=True)  # skopeo creates it before it knows whether there is an image
    reasons = [f"skopeo: {said}"]
    if reference.startswith(_REGISTRY):
        said = _by_docker(reference.removeprefix(_REGISTRY), archive, patience)
        if said is None:
            convert(archive, layout, ref=ref)
            return "docker"
        reasons.append(f"docker: {said}")
    raise ImageError("images.error.fetch", reference=reference, reason="\n".join(reasons))


def _by_skopeo(reference: str, layout: Path, ref: str, patience: Patience) -> str | None:
    """Copy the image into a layout; return the error, None if there was none."""
    insecure = ["--src-tls-verify=false"] if _LOOPBACK.match(reference) else []
    # With the folder as working directory: a colon in its path would be taken for the start of the ref.
    return _run(["skopeo", "copy", *insecure, reference, f"oci:{layout.name}:{ref}"], layout.parent, patience)


def _by_docker(name: str, archive: Path, patience: Patience) -> str | None:
    """Let Docker pull and save the image; return the error, None if there was none.

    While a lesson is opened, an image that Docker has already is not pulled again.
    """
    quiet = Patience(patience.deadline)
    known = (
        patience.tell is None and _run(["docker", "image", "inspect", name], archive.parent, quiet) is None
    )
    if not known and (said := _run(["docker", "pull", name], archive.parent, patience)) is not None:
        return said
    return _run(["docker", "save", name, "--output", archive.name], archive.parent, patience)


def _run(argv: list[str], folder: Path, patience: Patience) -> str | None:
    """Run a command; return its last error message, None if it succeeded."""
    if shutil.which(argv[0]) is None:
        return os.strerror(2)
    if patience.tell:
        patience.tell(command_line(argv))
    try:
        done = subprocess.run(
            argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=sys.stderr if patience.tell else subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", timeout=patience.left(), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return f"> {error.timeout:.0f} s"
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else f"exit status {done.returncode}"
    return message_of(last) or last  # the form of skopeo's errors
