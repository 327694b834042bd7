"""`list`: all containers of one state root."""

from __future__ import annotations

import pwd

from runtime.operations.state import describe
from runtime.state.store import NoSuchContainerError, Store
from runtime.support import log
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_COLUMNS = ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")
_MINIMAL_WIDTH = 12
_PADDING = 3


def query(root: str) -> list[dict[str, Any]]:
    """Return the state of every container, sorted by id, with `owner` as a user name (`#UID` without one).

    A container that is deleted meanwhile is left out; a record that can't be read is a warning.
    """
    store = Store(root)
    states = []
    for container_id in store.ids():
        try:
            entry = store.open(container_id)
        except NoSuchContainerError:
            continue
        except RuntError as error:
            log.warning(f"load container {container_id}: {error.message}")
            continue
        states.append(describe(entry, _user_name(entry.record["owner"])))
    return states


def table(states: Sequence[dict[str, Any]]) -> str:
    """Return the states as runc's table: columns at least 12 wide, 3 spaces between them."""
    rows = [_COLUMNS, *(tuple(str(state[column.lower()]) for column in _COLUMNS) for state in states)]
    widths = [
        max(_MINIMAL_WIDTH, *(len(row[column]) + _PADDING for row in rows))
        for column in range(len(_COLUMNS) - 1)
    ]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + row[-1] + "\n"
        for row in rows
    )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
