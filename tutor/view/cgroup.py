"""The files of the container's own cgroup: the limits, what is used, and which changed since the step began."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tutor.messages import Messages
    from tutor.observe import CgroupFile, ContainerView, Delta
    from tutor.text.glyphs import Mark

_BYTES = ("memory.max", "memory.swap.max", "memory.current")
_UNLIMITED = 1 << 62  # version 1 says the highest multiple of the page size for "no limit"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class CgroupRow(NamedTuple):
    """One file; of a file with a key in each line, one of these. The mark is `~` if it was another as the step began."""

    file: CgroupFile
    mark: Mark

    @property
    def name(self) -> str:
        """The name of the file, and the key."""
        return f"{self.file.name} {self.file.key}".rstrip()

    def meaning(self, messages: Messages) -> str:
        """Return the value in a unit that is easy to read; empty where it is as it is."""
        file = self.file
        if file.value in ("max", "-1"):
            return messages("view.cgroup.no_limit")
        if not file.value.isdigit() or not (file.name in _BYTES or file.name.endswith("_in_bytes")):
            return ""
        if int(file.value) >= _UNLIMITED:
            return messages("view.cgroup.no_limit")
        number, unit = float(file.value), 0
        while number >= 1024 and unit < len(_UNITS) - 1:
            number, unit = number / 1024, unit + 1
        return f"{number:.4g} {_UNITS[unit]}" if unit else ""


def cgroup_rows(container: ContainerView, changes: Delta | None = None) -> list[tuple[str, list[CgroupRow]]]:
    """Return the directory of each cgroup, with its files.

    Args:
        container: what the kernel says now.
        changes: what changed since the step began; None where there is nothing to compare with.
    """
    changed = {each.after for each in changes.cgroup_files.changed} if changes is not None else set()
    rows: dict[str, list[CgroupRow]] = {}
    for file in container.cgroup_files:
        mark: Mark = "~" if file in changed else " "
        rows.setdefault(file.directory, []).append(CgroupRow(file, mark))
    return list(rows.items())
