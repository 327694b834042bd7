"""Reading a container's record, whatever is in its place: a damaged disk's, another program's, or no file at all."""

from __future__ import annotations

import os
import stat

from runtime.support import files, jsontext
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runtime.config.types import Record

_LONGEST = 1 << 20
"""The most bytes that a record is read of: what runt writes has a thousand."""
_REQUIRED = {
    **dict.fromkeys(("id", "ociVersion", "bundle", "rootfs", "created"), str),
    **dict.fromkeys(("ready", "started"), bool),
    "owner": int,
}
_OPTIONAL = {**dict.fromkeys(("new_keyring", "runnable"), bool), "unit": str}
"""Members that the first records did not have."""


class DamagedRecordError(RuntError):
    """What is where a container's record should be is none of runt's."""


def read_record(directory: str) -> Record:
    """Return the record in a state directory.

    Raises FileNotFoundError if there is none, DamagedRecordError if something else is there.
    """
    record = read_json(f"{directory}/state.json")
    if record_problem(record) or record["id"] != os.path.basename(directory):
        raise DamagedRecordError(
            f"{directory}/state.json is damaged: it is not a record of runt "
            "(runt delete --force removes what is left of the container)"
        )
    checked: Record = record
    return checked


def read_json(path: str) -> Any:
    """Return the value of the JSON file `path`. Raises FileNotFoundError and DamagedRecordError."""
    try:
        status = os.stat(path, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise DamagedRecordError(f"{path} is damaged: it is not a regular file")
        if status.st_size > _LONGEST and path.endswith("/state.json"):
            raise DamagedRecordError(f"{path} is damaged: it has {status.st_size} bytes")
        return jsontext.loads(files.read(path))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise DamagedRecordError(f"cannot read the record {describe(error)}") from None
    except (ValueError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is damaged: {error}") from None


def record_problem(value: object) -> str:
    """Return the first member of a record that is missing or of another type than runt writes, empty for none."""
    if not isinstance(value, dict):
        return "it"
    for name, is_right in MEMBERS.items():
        if not is_right(value.get(name)):
            return name
    return ""


def _is_process(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), int) and value[name] > 0 for name in ("pid", "start_time")
    )


def _is_process_or_none(value: object) -> bool:
    return value is None or _is_process(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _of(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _absent_or(kind: type) -> Callable[[object], bool]:
    return lambda value: value is None or isinstance(value, kind)


MEMBERS: dict[str, Callable[[object], bool]] = {
    **{name: _of(kind) for name, kind in _REQUIRED.items()},
    **{name: _absent_or(kind) for name, kind in _OPTIONAL.items()},
    **dict.fromkeys(("cgroups", "cgroups_made", "mounts"), _are_texts),
    "annotations": _is_map,
    "creator": _is_process,
    "init": _is_process_or_none,
    "hook": _is_process_or_none,
}
"""What each member of a record is like."""
