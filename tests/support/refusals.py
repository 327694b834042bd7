"""What `runt` refuses before it does anything, with the place and the line of its code, beside what `explain` finds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.config.document import parse
from runtime.config.load import _check
from runtime.config.shape import Mismatch
from runtime.support.errors import RuntError
from tutor.configfile.document import child

if TYPE_CHECKING:
    from types import TracebackType

    from tests.support.mutated_config import Mutation
    from tutor.explain.model import Finding


@dataclass(frozen=True)
class Refusal:
    """The JSON pointer, the words, and where in runt's code they come from: the file's name and the line."""

    pointer: str
    text: str
    raised: tuple[str, int]


def refusal(text: str) -> Refusal | None:
    """Return why `runtime.config.load` refuses a text; None if it does not."""
    try:
        _check(parse("config.json", text))
    except Mismatch as mismatch:
        pointer = ""
        for part in mismatch.place:
            pointer = child(pointer, part)
        return Refusal(pointer, mismatch.text, _raised(mismatch.__traceback__))
    except RuntError as error:
        return Refusal("", error.message, _raised(error.__traceback__))
    return None


def _raised(at: TracebackType | None) -> tuple[str, int]:
    assert at is not None
    while at.tb_next is not None:
        at = at.tb_next
    return Path(at.tb_frame.f_code.co_filename).stem, at.tb_lineno


def is_near(finding: Finding, *places: str) -> bool:
    """Tell whether a finding is an error at one of these places, below it, or at the object around it."""
    pointer = finding.pointer
    if finding.severity != "error" or pointer is None:
        return False
    return any(
        pointer == place or pointer.startswith(f"{place}/") or place.startswith(f"{pointer}/")
        for place in places
    )


def told(mutation: Mutation, refused: Refusal | None, found: list[Finding]) -> str:
    """Return what is wrong with what `explain` found for a mistake that was refused; empty if all is well."""
    if refused is None or any(is_near(each, refused.pointer, mutation.pointer) for each in found):
        return ""
    seen = [(each.severity, each.id, each.pointer) for each in found]
    return f"{mutation.name}: {refused.pointer}{refused.text}; found: {seen}"


def is_harmless(mutation: Mutation) -> bool:
    """Tell whether a configuration stays in its root filesystem, its mount namespace and its cgroup."""
    config = json.loads(mutation.text)
    linux, root = config.get("linux"), config.get("root")
    return (
        isinstance(linux, dict)
        and isinstance(root, dict)
        and root.get("path") in ("rootfs", "nowhere", "config.json", "/nowhere")
        and isinstance(linux.get("namespaces"), list)
        and {"type": "mount"} in linux["namespaces"]
        and not linux.get("cgroupsPath")
    )
