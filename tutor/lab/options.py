"""The options of a lab: what daemons need that a lesson runs in it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class LabOptions(NamedTuple):
    """How a lab differs from the default.

    `covers` are directories, of `state_roots.COVERS`, that a private tmpfs covers. `environment` is added to that of programs in
    the lab. `confined`: the lab's cgroup appears there as the root of each hierarchy. `places` are directories with bundles in them,
    which the lab makes usable (`tutor.lab.places`). `hides` are sockets that refuse connections in the lab.
    """

    covers: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})
    confined: bool = False
    places: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


PLAIN = LabOptions()
