"""The lifecycle of a container: which operations its state allows (runtime.md, Lifecycle and Operations)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.engines.model import ContainerState

_ALLOWED: dict[str, tuple[str, ...]] = {
    "none": ("create",),
    "creating": (),
    "created": ("start", "kill"),
    "running": ("kill",),
    "paused": ("kill", "resume"),
    "stopped": ("delete",),
}


def status_of(state: ContainerState | None) -> str:
    """Return the status, `none` when there is no container."""
    return state.status if state else "none"


def allowed(state: ContainerState | None) -> tuple[str, ...]:
    """Return the operations that the specification allows in this state."""
    return _ALLOWED[status_of(state)]
