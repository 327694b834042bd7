"""The probes, a module for each topic. Importing this package fills `PROBES`."""

from __future__ import annotations

from tutor.engines.traits.probes import cgroups, config, hooks, lifecycle, mounts, process
from tutor.engines.traits.probes.registry import PROBES

__all__ = ["PROBES", "cgroups", "config", "hooks", "lifecycle", "mounts", "process"]
