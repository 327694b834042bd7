"""Parse what engines answer to `state` and `list` into one form: all that differs between engines is dealt with here.

With no container, runc prints `list` as `null` and crun as an empty array. crun prints no `ociVersion`, and a `rootfs` that is
relative to the bundle.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from tutor.engines.model import ContainerState, Status
from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.engines.model import EngineName

# What the engines print when there is no such container; none of them translates its messages.
_ABSENT = ("does not exist", "No such file or directory")


def means_absent(stderr: str) -> bool:
    """Return whether an engine's error message says that there is no such container."""
    return any(words in stderr for words in _ABSENT)


def parse_state(engine: EngineName, text: str) -> ContainerState:
    """Return what `state` printed.

    Raises:
        TutorError: `engines.bad_answer`, it is not what runtime.md#state asks for.
    """
    return _state(engine, _json(engine, text), text)


def parse_list(engine: EngineName, text: str) -> tuple[ContainerState, ...]:
    """Return what `list --format json` printed.

    Raises:
        TutorError: `engines.bad_answer`, it is not an array of states.
    """
    raw = _json(engine, text)
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise _bad(engine, text)
    return tuple(_state(engine, one, text) for one in raw)


def _json(engine: EngineName, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(engine, text) from error


def _state(engine: EngineName, raw: Any, text: str) -> ContainerState:
    if not isinstance(raw, dict) or raw.get("status") not in get_args(Status):
        raise _bad(engine, text)
    given = {name: value for name, value in raw.items() if value is not None}
    texts = {
        name: given.get(name, "") for name in ("id", "bundle", "ociVersion", "rootfs", "created", "owner")
    }
    pid = given.get("pid", 0)
    annotations = given.get("annotations", {})
    right = (
        all(isinstance(value, str) for value in texts.values())
        and texts["id"]
        and type(pid) is int
        and isinstance(annotations, dict)
    )
    if not right:
        raise _bad(engine, text)
    return ContainerState(
        id=texts["id"],
        status=cast("Status", raw["status"]),
        pid=0 if raw["status"] == "stopped" else pid,
        bundle=texts["bundle"],
        oci_version=texts["ociVersion"],
        rootfs=str(Path(texts["bundle"]) / texts["rootfs"]) if texts["rootfs"] else "",
        created=texts["created"],
        owner=texts["owner"],
        annotations={str(name): str(value) for name, value in annotations.items()},
    )


def _bad(engine: EngineName, text: str) -> TutorError:
    lines = text.strip().splitlines()
    return TutorError("engines.bad_answer", engine=engine, answer=lines[0][:200] if lines else "")
