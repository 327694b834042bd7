"""The runner: runs a table of steps, and calls an observer before and after each.

The tables are beside it: `create`, `start`, `exec` and `delete`. Each is a module of its own, because `start` and `delete` are
called often and must not load what creates a container.
"""

from __future__ import annotations

from runtime.state.sync import StepError
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Protocol, TypeVar

    from runtime.state.container import Container

    Subject = TypeVar("Subject")
    """The argument of the steps of a table: the container that is being created, or the record of one that exists."""

    Step = Callable[[Container], None]
    """A step of `create` or `exec`."""

    class Observer(Protocol):
        """Called for every step, in the process that runs the step."""

        def before(self, step: Callable[..., None], subject: Any) -> None:
            """`step` comes next. An exception raised here fails the operation as one of the step does."""
            ...

        def after(self, step: Callable[..., None], subject: Any) -> None:
            """`step` has succeeded."""
            ...


class Plan:
    """How an operation runs its tables; every operation with a table takes one.

    What undoes a failure walks the table of `delete` without the plan: an observer that fails a step must not keep what is
    there.

    Args of the constructor:
        replace: functions that take the place of steps, by the step's name. A name that is in no table of the operation
            changes nothing.
        observer: called before and after each step.
    """

    __slots__ = ("observer", "replace")

    def __init__(
        self, *, replace: Mapping[str, Callable[..., None]] | None = None, observer: Observer | None = None
    ) -> None:
        self.replace = replace or {}
        self.observer = observer

    def run(self, table: Iterable[Callable[[Subject], None]], subject: Subject) -> None:
        """Run the steps of `table` on `subject`, as `run_steps` does."""
        if self.replace:
            table = [self.replace.get(step.__name__, step) for step in table]
        run_steps(table, subject, self.observer)


def run_steps(
    steps: Iterable[Callable[[Subject], None]], subject: Subject, observer: Observer | None = None
) -> None:
    """Run `steps` in their order on `subject`, calling `observer` before and after each.

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
