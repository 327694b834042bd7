"""The types of the members of an image's documents.

The tools for images are written in Go: they refuse a document with a member of another type, and null counts as absent.
"""

from __future__ import annotations

import re
from typing import Any

Shape = Any
"""A type; a list with the shape of its elements; an object by names, or with `*` for all; or a pattern that a string matches."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)  # RFC 3339
_WORDS = [str]
_MAP = {"*": str}
_SET: dict[str, Shape] = {"*": {}}  # an object whose names count: its values are empty objects

DESCRIPTOR: Shape = {
    **dict.fromkeys(("mediaType", "digest", "data", "artifactType"), str),
    "size": int,
    "urls": _WORDS,
    "annotations": _MAP,
    "platform": {
        **dict.fromkeys(("architecture", "os", "os.version", "variant"), str),
        "os.features": _WORDS,
    },
}
_DOCUMENT = {
    "schemaVersion": int,
    "mediaType": str,
    "artifactType": str,
    "annotations": _MAP,
    "subject": DESCRIPTOR,
}
INDEX: Shape = {**_DOCUMENT, "manifests": [DESCRIPTOR]}
MANIFEST: Shape = {**_DOCUMENT, "config": DESCRIPTOR, "layers": [DESCRIPTOR]}
CONFIG: Shape = {
    "created": _TIME,
    **dict.fromkeys(("author", "architecture", "variant", "os", "os.version"), str),
    "os.features": _WORDS,
    "config": {
        **dict.fromkeys(("User", "WorkingDir", "StopSignal"), str),
        **dict.fromkeys(("Env", "Entrypoint", "Cmd"), _WORDS),
        "ExposedPorts": _SET,
        "Volumes": _SET,
        "Labels": _MAP,
        "ArgsEscaped": bool,
    },
    "rootfs": {"type": str, "diff_ids": _WORDS},
    "history": [
        {
            "created": _TIME,
            **dict.fromkeys(("created_by", "author", "comment"), str),
            "empty_layer": bool,
        }
    ],
}
DOCKER_MANIFEST: Shape = [{"Config": str, "RepoTags": _WORDS, "Layers": _WORDS, "Parent": str}]


def misfit(value: object, shape: Shape, place: str = "") -> tuple[str, object] | None:
    """Return the place and the value of a member that is of the wrong type (`config.Env[1]`); None if there is none."""
    if value is None:
        return None
    if isinstance(shape, re.Pattern):
        return None if isinstance(value, str) and shape.fullmatch(value) else (place, value)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return place, value
        found = (misfit(item, shape[0], f"{place}[{number}]") for number, item in enumerate(value))
        return next(filter(None, found), None)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return place, value
        found = (
            misfit(value[key], shape.get(key, shape.get("*")), f"{place}.{key}" if place else str(key))
            for key in value
            if key in shape or "*" in shape
        )
        return next(filter(None, found), None)
    # In Python, but not in JSON, true is an integer.
    fits = isinstance(value, shape) and (shape is not int or not isinstance(value, bool))
    if fits and isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        fits = False
    return None if fits else (place, value)
