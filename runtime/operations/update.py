"""`update`: change the limits of a container that exists (not in runtime.md; as in runc)."""

from __future__ import annotations

import re
import sys

from runtime.cgroups.group import Group
from runtime.cgroups.limits import apply, change, settings
from runtime.config.document import parse, read
from runtime.config.resources import RESOURCES, check_values
from runtime.config.shape import Mismatch, name_place
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runtime.config.types import Resources
    from runtime.state.options import UpdateOptions
    from runtime.state.store import Entry

_UNITS = "bkmgtp"
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([bkmgtp]?)(?:i?b)?", re.ASCII | re.IGNORECASE)


def update(entry: Entry, options: UpdateOptions) -> None:
    """Set the limits of a container that the command line, or the file that it names, gives; the others stay.

    All or nothing. Rules for devices are left out, as with runc: other programs may have added rules.
    Raises RuntError if the container has stopped, or a limit can't be set.
    """
    resources = _from_file(options.file) if options.file else _from_options(options.limits)
    for schema, what in (
        (options.l3_cache_schema, "CAT: l3 cache"),
        (options.mem_bw_schema, "MBA: memory bandwidth"),
    ):
        if schema:
            raise RuntError(f"Intel RDT/{what} schema is not enabled")
    container_id = entry.record["id"]
    with entry.lock():
        entry.reload()
        status = entry.status()
        if status not in ("created", "running", "paused"):
            raise RuntError(f"container not running: update needs one that is, {container_id} is {status}")
        group = Group(entry.record["cgroups"])
        wanted = settings(resources, group, is_version2=group.is_version2)
        if entry.record.get("unit"):
            from runtime.cgroups.systemd import change_limits

            change_limits(entry, wanted, lambda: change(wanted, group))
            # Without a quota, systemd writes its own period (cpu.max) for the one of the properties.
            apply(wanted, group)
        else:
            change(wanted, group)


def _from_file(name: str) -> Resources:
    """Return the resources that a file holds as JSON; `-` is standard input. Raises RuntError."""
    if name == "-":
        name, text = "standard input", sys.stdin.buffer.read().decode("utf-8", "replace")
    else:
        text = read(name, stream=True)
    return _checked(name, parse(name, text))


def _from_options(limits: Mapping[str, str]) -> Resources:
    """Return the resources that the options give. Raises RuntError."""
    document: dict[str, dict[str, object]] = {}
    for place, text in limits.items():
        if not text:
            continue
        section, _, member = place.partition(".")
        value: object = text
        if section == "memory":
            value = _size(place, text)
        elif member not in ("cpus", "mems"):
            value = _number(place, text)
        document.setdefault(section, {})[member] = value
    return _checked("the command line", document)


def _checked(source: str, document: object) -> Resources:
    try:
        resources: Any = RESOURCES.check(document, ())
        check_values(resources, ())
    except Mismatch as mismatch:
        place = name_place(mismatch.place) if mismatch.place else "resources"
        raise RuntError(f"{source}: {place}{mismatch.text} (config-linux.md, Control groups)") from None
    checked: Resources = resources
    return checked


def _number(place: str, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise RuntError(f'invalid value for {place}: "{text}" is not a whole number')
    return int(text)


def _size(place: str, text: str) -> int:
    """Return a size such as `64M` or `1.5g` in bytes; `-1` is no limit."""
    if text == "-1":
        return -1
    match = _SIZE.fullmatch(text)
    if match is None:
        raise RuntError(f'invalid value for {place}: "{text}" is not a size such as 64M')
    return int(float(match[1]) * 1024 ** _UNITS.index(match[2].lower() or "b"))
