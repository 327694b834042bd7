"""Reading a container's record, whatever is in its place: a damaged disk's, another program's, or no file at all."""

from __future__ import annotations

import os
import stat

from runtime.support import files, jsontext
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runtime.config.types import Record

_LONGEST = 1 << 20
"""The most bytes that a record is read of: what runt writes has a thousand."""
_NOTHING = type(None)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "ociVersion": str,
    "bundle": str,
    "rootfs": str,
    "created": str,
    "owner": int,
    "annotations": dict,
    "creator": dict,
    "init": (dict, _NOTHING),
    "cgroups": list,
    "cgroups_made": list,
    "mounts": list,
    "ready": bool,
    "started": bool,
    # The first records did not have these.
    "hook": (dict, _NOTHING),
    "unit": (str, _NOTHING),
    "users_systemd": (str, _NOTHING),
    "new_keyring": (bool, _NOTHING),
    "runnable": (bool, _NOTHING),
}
"""The members of a record. Lists and `annotations` hold text, the other objects a process."""


class DamagedRecordError(RuntError):
    """What is where a container's record should be is none of runt's: the message says how, and what to do about it."""

    def __init__(self, damage: str) -> None:
        super().__init__(f"{damage} (runt delete --force removes what is left of the container)")
        self.damage = damage


def read_record(directory: str) -> Record:
    """Return the record in a state directory.

    Raises FileNotFoundError if there is none, DamagedRecordError if something else is there.
    """
    record = read_json(f"{directory}/state.json")
    if not is_record(record) or record["id"] != os.path.basename(directory):
        raise DamagedRecordError(f"{directory}/state.json is damaged: it is not a record of runt")
    checked: Record = record
    return checked


def read_json(path: str) -> Any:
    """Return the value of the JSON file `path`. Raises FileNotFoundError, DamagedRecordError, and RuntError if it can't be read."""
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
        raise RuntError(f"cannot read the record {describe(error)}") from None
    except (ValueError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is damaged: {error}") from None


def is_record(value: object) -> bool:
    """Tell whether a value is a record that runt wrote."""
    return isinstance(value, dict) and all(is_member(name, value.get(name)) for name in _TYPES)


def whole_members(value: object) -> dict[str, Any]:
    """Return the members of a damaged record that are what runt writes there."""
    if not isinstance(value, dict):
        return {}
    return {name: value[name] for name in _TYPES if name in value and is_member(name, value[name])}


def is_member(name: str, value: Any) -> bool:
    """Tell whether `value` is what runt writes as the member `name` of a record."""
    if not isinstance(value, _TYPES[name]):
        return False
    if isinstance(value, list):
        return all(isinstance(text, str) for text in value)
    if not isinstance(value, dict):
        return True
    if name == "annotations":
        return all(isinstance(text, str) for text in value.values())
    numbers = (value.get("pid"), value.get("start_time"))
    return all(isinstance(number, int) and number > 0 for number in numbers)
