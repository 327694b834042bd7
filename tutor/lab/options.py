"""What a lab has beyond an engine: room for daemons that the lesson is about."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class LabOptions(NamedTuple):
    """How a lab differs from the usual one.

    `covers` are directories, of `roots.DAEMONS`, that a private tmpfs covers. `environment` is added to that of programs in the
    lab. `confined`: the lab's cgroup is seen there as the root of each hierarchy.
    """

    covers: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})
    confined: bool = False


PLAIN = LabOptions()
