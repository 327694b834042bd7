"""Ending the runtime at a step of `create`."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from runtime.steps.runner import Observer

if TYPE_CHECKING:
    from runtime.state.container import Container
    from runtime.steps.runner import Step


class Killer(Observer):
    """An observer that ends its own process, the runtime, before or after one step."""

    def __init__(self, step: str, moment: str) -> None:
        self._step, self._moment = step, moment

    def before(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        """End here if this is the step and the moment."""
        self._reached("before", step)

    def after(self, step: Step, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        """End here if this is the step and the moment."""
        self._reached("after", step)

    def _reached(self, moment: str, step: Step) -> None:
        if (moment, step.__name__) == (self._moment, self._step):
            os.kill(os.getpid(), signal.SIGKILL)
