"""The names of images on this machine: `LAYOUT[:REF]`, `ARCHIVE[:NAME]`, and skopeo's `oci:`, `oci-archive:`, `docker-archive:`.

A colon may be in a path, and both `/` and `:` in a ref (`alpine-oci:docker.io/library/alpine:3.9`). Of what exists, the longest
path is taken; where nothing exists yet, the last directory on the way does, and the first colon after it separates (as skopeo
separates at the first of all).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tutor.images.errors import ImageError
from tutor.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

Transport = Literal["oci", "oci-archive", "docker-archive"]

_TRANSPORTS: tuple[Transport, ...] = ("oci", "oci-archive", "docker-archive")
_ELSEWHERE = re.compile(r"(docker|docker-daemon|containers-storage|dir|sif|tarball|ostree|atomic):")
# annotations.md, org.opencontainers.image.ref.name
_COMPONENT = r"[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*"
_REF = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an image is, and which of those that are there."""

    path: Path
    ref: str | None = None  # `@N` is the image number N, from 0
    transport: Transport | None = None  # None: as what is at the path


def find_image(text: str) -> Reference:
    """Return what the name of an existing image names.

    Raises:
        ImageError: `elsewhere`: it begins as skopeo's names for images that are not in a layout or an archive.
    """
    word, rest = _transport(text)
    if word is not None and (found := _existing(rest, is_layout if word == "oci" else is_file)):
        return Reference(*found, word)
    if found := _existing(text, is_layout) or _existing(text, is_file):
        return Reference(*found)
    if word is None and _ELSEWHERE.match(text) and not Path(text).exists():
        raise ImageError("images.error.elsewhere", reference=text)
    return Reference(*_new(rest), word)


def new_layout(text: str) -> Reference:
    """Return what the name of a layout to be made names: its path, and the ref that the image gets.

    Raises:
        ImageError: `elsewhere`: it is to be something other than a layout; `ref_syntax`: the ref cannot be one.
    """
    word, rest = _transport(text)
    if word not in (None, "oci") or (word is None and _ELSEWHERE.match(text)):
        raise ImageError("images.error.elsewhere", reference=text)
    path, ref = _existing(rest, is_layout) or _new(rest)
    if ref is not None and not _REF.fullmatch(ref):
        raise ImageError("images.error.ref_syntax", ref=ref)
    return Reference(path, ref, word)


def is_layout(path: Path) -> bool:
    """Tell whether a directory is an image layout, by the files `oci-layout` and `index.json` that it must have."""
    return is_file(path / "oci-layout") and is_file(path / "index.json")


def is_file(path: Path) -> bool:
    """Tell whether there is a regular file, also of a path that cannot be one."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False


def number_of(ref: str | None) -> int | None:
    """Return the number of `@N`; None if the ref is a name."""
    return int(ref[1:]) if ref and re.fullmatch(r"@[0-9]{1,9}", ref) else None


def full_name(name: str) -> str:
    """Return the name of an image as docker(1) completes it: `docker.io/library/alpine:latest` of `alpine`."""
    first, slash, rest = name.partition("/")
    domain = bool(slash) and (any(sign in first for sign in ".:") or first == "localhost")
    host, path = (first, rest) if domain else ("docker.io", name)
    host = "docker.io" if host == "index.docker.io" else host
    path = f"library/{path}" if host == "docker.io" and "/" not in path else path
    return f"{host}/{path}" if ":" in path or "@" in path else f"{host}/{path}:latest"


def _transport(text: str) -> tuple[Transport | None, str]:
    word, colon, rest = text.partition(":")
    known = next((known for known in _TRANSPORTS if colon and word == known), None)
    return known, rest if known else text


def _existing(text: str, is_it: Callable[[Path], bool]) -> tuple[Path, str | None] | None:
    path = text
    while path:
        if is_it(Path(path)):
            return Path(path), text[len(path) + 1 :] or None
        path = path.rpartition(":")[0]
    return None


def _new(text: str) -> tuple[Path, str | None]:
    """Split at the first colon behind the last `/` up to which the path is a directory."""
    ends = [index + 1 for index, sign in enumerate(text) if sign == "/"]
    start = max((end for end in ends if Path(text[:end]).is_dir()), default=0)
    name, _, ref = text[start:].partition(":")
    return Path(text[:start] + name), ref or None
