"""Small configuration files, loaded by `runtime.config.load`, and its error messages."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from runtime.config.load import load
from runtime.support.errors import RuntError

if TYPE_CHECKING:
    from pathlib import Path

MINIMAL: dict[str, Any] = {
    "ociVersion": "1.0.0",
    "root": {"path": "rootfs"},
    "process": {"args": ["echo"], "cwd": "/"},
}


def load_text(directory: Path, text: str | bytes) -> Any:
    """Write a text as config.json and load it."""
    path = directory / "config.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(str(path))


def refusal(directory: Path, text: str | bytes) -> str:
    """Return the error message for a refused text, without the directory."""
    with pytest.raises(RuntError) as caught:
        load_text(directory, text)
    return caught.value.message.replace(f"{directory}/", "")


def changed(place: str, value: object) -> str:
    """Return the minimal configuration with one member set."""
    config = copy.deepcopy(MINIMAL)
    *outer, last = place.split(".")
    inner = config
    for name in outer:
        inner = inner.setdefault(name, {})
    inner[last] = value
    return json.dumps(config)
