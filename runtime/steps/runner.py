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
    from typing import Any, Self, TypeVar

    from runtime.state.container import Container

    Subject = TypeVar("Subject")
    """The argument of the steps of a table: the container that is being created, or the record of one that exists."""

    Step = Callable[[Container], None]
    """A step of `create` or `exec`."""


class Table(tuple["Callable[..., None]", ...]):  # noqa: SLOT001 - a tuple can't have slots of its own
    """The steps of one process in their order, with the table's `name` and the `process` that runs it: runtime, init or exec."""

    name: str
    process: str

    def __new__(cls, name: str, process: str, steps: Iterable[Callable[..., None]]) -> Self:
        """Return a table of `steps`."""
        table = super().__new__(cls, steps)
        table.name, table.process = name, process
        return table


class Observer:
    """Called for every step, in the process that runs the step. This one does nothing: others replace what they need."""

    def begin(self, table: Table, subject: Any) -> None:
        """The steps of `table` come next. Must not raise."""

    def before(self, step: Callable[..., None], subject: Any) -> None:
        """`step` comes next. An exception raised here fails the operation as one of the step does."""

    def after(self, step: Callable[..., None], subject: Any) -> None:
        """`step` has succeeded. An exception raised here fails it nevertheless."""

    def failed(self, step: Callable[..., None], subject: Any, error: BaseException) -> None:
        """`step`, or the observer before or after it, has failed. Must not raise."""


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

    def run(self, table: Table, subject: object) -> None:
        """Run the steps of `table` on `subject`, as `run_steps` does."""
        steps: Iterable[Callable[..., None]] = table
        if self.replace:
            steps = [self.replace.get(step.__name__, step) for step in table]
        if self.observer is not None:
            self.observer.begin(table, subject)
        run_steps(steps, subject, self.observer)


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
        except BaseException as error:
            if observer is not None:
                observer.failed(step, subject, error)
            if isinstance(error, StepError):
                raise
            if isinstance(error, RuntError):
                raise StepError(step.__name__, error.message) from error
            if isinstance(error, OSError):
                raise StepError(step.__name__, describe(error)) from error
            raise
