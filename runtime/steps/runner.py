"""The runner: walks a table of steps, and tells an observer before and after each.

The tables of creation are in `steps`, those of `exec` in `exec_steps`. Those of `start` and of destruction are beside what they
do, in `operations`. These commands are called often, and must not load what creates a container.
"""

from __future__ import annotations

from runtime.state.sync import StepError
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol, TypeVar

    Subject = TypeVar("Subject")
    """What the steps of a table are about: the container that is being created, or the record of one that exists."""

    from runtime.steps.create import Step

    class Observer(Protocol):
        """Whoever wants to know: called in the process that runs the step, around each one."""

        def before(self, step: Callable[..., None], subject: Any) -> None:
            """Be told that `step` comes next. An exception from here fails the operation as one of the step would."""
            ...

        def after(self, step: Callable[..., None], subject: Any) -> None:
            """Be told that `step` has succeeded."""
            ...


class Plan:
    """Which steps each of two processes walks, and who watches.

    A step in a table can be replaced by another function of the container, one's own for instance.
    """

    __slots__ = ("init", "observer", "runtime")

    def __init__(
        self, *, runtime: tuple[Step, ...], init: tuple[Step, ...], observer: Observer | None = None
    ) -> None:
        self.runtime = runtime
        self.init = init
        self.observer = observer


def run_steps(
    steps: Iterable[Callable[[Subject], None]], subject: Subject, observer: Observer | None = None
) -> None:
    """Run `steps` in their order on `subject`, telling `observer` before and after each.

    Raises StepError for the first step that fails with an expected error.
    """
    for step in steps:
        try:
            if observer is not None:
                observer.before(step, subject)
            step(subject)
            if observer is not None:
                observer.after(step, subject)
        except StepError:
            raise
        except RuntError as error:
            raise StepError(step.__name__, error.message) from error
        except OSError as error:
            raise StepError(step.__name__, describe(error)) from error
