"""Completion of a folder's name, as a shell does it."""

from __future__ import annotations

from pathlib import Path


def folders(prefix: str) -> tuple[tuple[str, str], ...]:
    """Return the folders whose names begin with `prefix`, written as it is written; hidden ones when a dot was typed."""
    parent, slash, start = prefix.rpartition("/")
    try:
        found = sorted(
            each.name
            for each in Path(f"{parent}{slash}" or ".").expanduser().iterdir()
            if each.name.startswith(start) and (start or not each.name.startswith(".")) and each.is_dir()
        )
    except (OSError, RuntimeError):  # it can't be listed; there is no such user behind the `~`
        return ()
    return tuple((f"{parent}{slash}{name}/", "") for name in found)
