"""The platform of this machine, and which images of an index run on it (image-spec image-index.md, "Platform Variants")."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from tutor.lazy_dataclass import dataclass

_MACHINES = {  # uname -m -> GOARCH and the variant
    "x86_64": ("amd64", None),
    "aarch64": ("arm64", "v8"),
    "armv8l": ("arm", "v8"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i386": ("386", None),
    "i686": ("386", None),
    "loongarch64": ("loong64", None),
}
# The most capable first. An image without a variant is for all of them.
_VARIANTS = {"arm": ("v8", "v7", "v6", "v5"), "arm64": ("v8",), "amd64": ("v4", "v3", "v2", "v1")}
# The psABI of x86-64 ("Micro-Architecture Levels") in the names of /proc/cpuinfo.
_LEVELS = {
    "v2": "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3",
    "v3": "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave",
    "v4": "avx512bw avx512cd avx512dq avx512f avx512vl",
}


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform as an entry of an index names it."""

    architecture: str | None
    os: str | None
    variant: str | None

    @classmethod
    def of(cls, entry: object) -> Platform:
        """Return the platform of an entry of an index; members of another type count as absent."""
        platform = entry.get("platform") if isinstance(entry, dict) else None
        platform = platform if isinstance(platform, dict) else {}
        names = [platform.get(key) for key in ("architecture", "os", "variant")]
        return cls(*(name if isinstance(name, str) and name else None for name in names))

    def __str__(self) -> str:
        """Return the form `linux/arm64/v8`."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part) or "?"

    def rank(self, machine: Platform) -> int | None:
        """Return how well it fits a machine: 0 is best; None if it does not. One that says nothing comes last.

        Of the variants of an architecture, the highest that is not above its CPU is best.
        """
        if self.architecture is None and self.os is None:
            return 100
        if self.architecture not in (None, machine.architecture) or self.os not in (None, "linux"):
            return None
        variants = _VARIANTS.get(machine.architecture or "", ())
        own = variants.index(machine.variant) if machine.variant in variants else 0
        if self.variant is None:
            return 50
        if self.variant in variants:
            behind = variants.index(self.variant) - own
            # The first x86-64 is what an image without a variant is for: then the first of both in the index is best.
            return None if behind < 0 else 50 if self.variant == "v1" else behind
        # Above its CPU, or beside what is known: only where there is no order to compare by.
        return None if variants else 60


@functools.cache
def this_machine() -> Platform:
    """Return the platform of this machine, with the variant of its CPU."""
    architecture, variant = machine_platform()
    return Platform(architecture, "linux", _x86_level() if architecture == "amd64" else variant)


def machine_platform() -> tuple[str, str | None]:
    """Return this machine's architecture (as GOARCH) and variant; that of x86-64 is not used in configs."""
    machine = os.uname().machine
    return _MACHINES.get(machine, (machine, None))


def _x86_level() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        line = ""
    flags = set(line.split())
    level = "v1"
    for higher, names in _LEVELS.items():
        if not flags.issuperset(names.split()):
            break
        level = higher
    return level
