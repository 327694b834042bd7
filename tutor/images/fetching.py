"""Having an image from elsewhere: from a registry by skopeo, else by Docker; or from an archive on a stick.

Both are the command lines that a person would type, and what they print is what a person sees (`told`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tutor.images.convert import convert
from tutor.images.errors import ImageError, explaining_os_errors
from tutor.text.logrus import message_of

if TYPE_CHECKING:
    from collections.abc import Callable

Source = Literal["registry", "docker", "file"]

_REGISTRY = "docker://"
_ARCHIVE = "docker-archive:"
# The machine itself: a registry there has no certificate that anybody would have signed.
_LOOPBACK = re.compile(r"docker://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?/")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try, and whether a person watches."""

    deadline: float | None  # as time.monotonic(); None: as long as it takes
    tell: Callable[[str], None] | None = (
        None  # is told each command line; what the commands print is shown then
    )

    def left(self) -> float | None:
        """Return the seconds left, never less than a moment."""
        return None if self.deadline is None else max(0.1, self.deadline - time.monotonic())


def fetch(reference: str, layout: Path, archive: Path, *, ref: str, patience: Patience) -> Source:
    """Make the layout `layout` with the image, named `ref`; where it came as an archive, that is kept as `archive`.

    `reference`: as skopeo writes it (`docker://alpine:3.9`, `docker-archive:FILE`, `oci:LAYOUT:REF` ...).

    Raises:
        ImageError: code `fetch`, with what each way said; and all of `tutor.images.convert`.
    """
    if reference.startswith(_ARCHIVE):
        source = Path(reference.removeprefix(_ARCHIVE))
        convert(source, layout, ref=ref)
        with explaining_os_errors(archive):
            shutil.copyfile(source, archive)
        return "file"
    said = _by_skopeo(reference, layout, ref, patience)
    if said is None:
        return "registry" if reference.startswith(_REGISTRY) else "file"
    shutil.rmtree(layout, ignore_errors=True)  # skopeo begins it before it knows
    reasons = [f"skopeo: {said}"]
    if reference.startswith(_REGISTRY):
        said = _by_docker(reference.removeprefix(_REGISTRY), archive, patience)
        if said is None:
            convert(archive, layout, ref=ref)
            return "docker"
        reasons.append(f"docker: {said}")
    raise ImageError("images.error.fetch", reference=reference, reason="\n".join(reasons))


def _by_skopeo(reference: str, layout: Path, ref: str, patience: Patience) -> str | None:
    """Copy the image into a layout; return what went wrong, None when nothing did."""
    insecure = ["--src-tls-verify=false"] if _LOOPBACK.match(reference) else []
    # From within the folder: a colon in its path would be taken for the beginning of the ref.
    return _run(["skopeo", "copy", *insecure, reference, f"oci:{layout.name}:{ref}"], layout.parent, patience)


def _by_docker(name: str, archive: Path, patience: Patience) -> str | None:
    """Have Docker pull and save the image; return what went wrong, None when nothing did.

    One that Docker has already is not pulled when somebody waits for a lesson.
    """
    quiet = Patience(patience.deadline)
    known = (
        patience.tell is None and _run(["docker", "image", "inspect", name], archive.parent, quiet) is None
    )
    if not known and (said := _run(["docker", "pull", name], archive.parent, patience)) is not None:
        return said
    return _run(["docker", "save", name, "--output", archive.name], archive.parent, patience)


def _run(argv: list[str], folder: Path, patience: Patience) -> str | None:
    """Run a command; return the last thing that it complained of, None when it ended well."""
    if shutil.which(argv[0]) is None:
        return os.strerror(2)
    if patience.tell:
        patience.tell(" ".join(argv))
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
    return message_of(last) or last  # how skopeo writes its errors
