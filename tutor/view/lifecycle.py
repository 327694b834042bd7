"""The states of a container in their order (runtime.md, State), with the present one marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.text.glyphs import LIT, TO, TO_AND_BACK, UNLIT

if TYPE_CHECKING:
    from tutor.engines.model import Status

STATES: tuple[Status, ...] = ("creating", "created", "running", "stopped")
STATES_WITH_PAUSED: tuple[Status, ...] = ("creating", "created", "running", "paused", "stopped")


class Stage(NamedTuple):
    """One state: the arrow before it (empty at the first), its name, and whether it is the present one."""

    state: Status
    arrow: str
    present: bool

    @property
    def glyph(self) -> str:
        """The glyph before the name of the state."""
        return LIT if self.present else UNLIT


def stages(present: Status | None) -> tuple[Stage, ...]:
    """Return the states from left to right, with `paused` only while the container is paused."""
    states = STATES_WITH_PAUSED if present == "paused" else STATES
    return tuple(
        Stage(
            state,
            "" if index == 0 else TO_AND_BACK if state == "paused" else TO,
            present=state == present,
        )
        for index, state in enumerate(states)
    )
