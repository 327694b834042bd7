"""One experiment: an operation, the step at which it fails, and what is left of it."""

from __future__ import annotations

import errno
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runtime.operations.create import create
from runtime.operations.delete import delete
from runtime.operations.exec import execute
from runtime.operations.start import start
from runtime.state.options import CreateOptions, ExecOptions
from runtime.state.store import Store
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import DELETE_STEPS
from runtime.steps.exec import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.steps.runner import Plan
from runtime.steps.start import START_STEPS
from runtime.support.errors import RuntError
from tests.faults.inject import Failure, Gate
from tutor import patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.state.store import Entry
    from tests.faults.world import World

_ERRORS = (errno.ENOSPC, errno.EPERM, errno.EMFILE)
_READY = [step.__name__ for step in INIT_STEPS].index("report_ready")
_FIRST_OF_START = [step.__name__ for step in INIT_STEPS].index("wait_for_start") + 1
"""From this step of init on, `start` waits for it."""


class Operation(NamedTuple):
    """An operation and one of its tables of steps; which of the steps, and which processes can be killed there."""

    name: str
    process: str
    table: tuple[Callable[..., None], ...]
    steps: range
    victims: tuple[str, ...]


def _up_to(table: tuple[Callable[..., None], ...], *, ends: bool = False) -> range:
    """Return the boundaries of a table: before each step and, unless the process `ends` as another program, after the last."""
    return range(len(table) + (not ends))


OPERATIONS = (
    Operation("create", "runtime", RUNTIME_STEPS, _up_to(RUNTIME_STEPS), ("runtime", "init")),
    Operation("create", "init", INIT_STEPS, range(_FIRST_OF_START), ("runtime", "init")),
    Operation("start", "runtime", START_STEPS, _up_to(START_STEPS), ("runtime", "init")),
    Operation("start", "init", INIT_STEPS, range(_FIRST_OF_START, len(INIT_STEPS)), ("runtime", "init")),
    Operation("exec", "runtime", EXEC_STEPS, _up_to(EXEC_STEPS), ("runtime", "init", "process")),
    Operation(
        "exec",
        "process",
        EXEC_INIT_STEPS,
        _up_to(EXEC_INIT_STEPS, ends=True),
        ("runtime", "init", "process"),
    ),
    Operation("delete", "runtime", DELETE_STEPS, _up_to(DELETE_STEPS), ("runtime", "init")),
)


class Laboratory:
    """The place of the experiments, which run one after the other; each begins and ends without a container."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = str(world.root)
        self._errors = 0

    def kill(self, operation: Operation, step: int, victim: str) -> list[str] | None:
        """Kill a process at a boundary; return what is left after `delete --force`, or None if there was none to kill."""
        before = self.world.look()
        gate = Gate(operation.table, step)
        child = self._begin(operation, gate)
        problems = []
        if not gate.wait():
            problems.append("the step has not been reached")
            target: int | None = child
        else:
            target = self._find(victim, child)
        if target is not None:
            os.kill(target, signal.SIGKILL)
        gate.open()
        if target is None:
            # The process is not there yet, or any more: another experiment has this boundary.
            self._finish(child)
            self._do(lambda: delete(self.root, self.world.id, force=True))
            self.world.left_since(before)
            return None
        status = self._finish(child)
        if status is None:
            problems.append("the runtime does not come to an end")
        if victim != "runtime" and operation.name == "create" and status:
            problems += self.world.left_since(before)
        return problems + self._clean_up(before)

    def fail(self, operation: Operation, step: int) -> list[str]:
        """Make a step fail with an error; return what differs from before the operation."""
        before = self.world.look()
        self._errors += 1
        observer = Failure(operation.table, step, _ERRORS[self._errors % len(_ERRORS)])
        running = set(self.world.processes()) if self._prepare(operation, observer) else set()
        status = self._finish(self._fork(lambda: self._operate(operation, observer)))
        if operation.table is INIT_STEPS and operation.name == "create" and step > _READY and status == 0:
            # The creation was complete before init died.
            return self._expect_status("stopped") + self._clean_up(before)
        problems = [] if status == 1 else [f"the operation ended with status {status}"]
        if operation.name == "create":
            problems += self.world.left_since(before)
        if operation.name == "exec":
            problems += [f"process {one}" for one in set(self.world.processes()) - running]
            problems += self._expect_status("running")
        if operation.name == "start" and operation.process == "runtime" and step == 0:
            problems += self._expect_status("created")
        return problems + self._clean_up(before)

    def _begin(self, operation: Operation, observer: Any) -> int:
        self._prepare(operation, observer)
        return self._fork(lambda: self._operate(operation, observer))

    def _prepare(self, operation: Operation, observer: Any) -> bool:
        """Bring the container to the state where the operation begins; return whether there is one."""
        if operation.name == "create":
            return False
        plan = Plan(observer=observer) if operation.table is INIT_STEPS else None
        assert self._do(lambda: create(self._options(), plan)) == 0, "create failed"
        if operation.name != "start":
            assert self._do(lambda: start(self._entry())) == 0, "start failed"
        return True

    def _operate(self, operation: Operation, observer: Any) -> None:
        if operation.name == "create":
            create(self._options(), Plan(observer=observer))
        elif operation.name == "start":
            start(self._entry(), Plan(observer=observer) if operation.table is START_STEPS else None)
        elif operation.name == "delete":
            delete(self.root, self.world.id, force=True, plan=Plan(observer=observer))
        else:
            options = ExecOptions(args=["sleep", "1000"], detach=True)
            execute(self._entry(), options, Plan(observer=observer))

    def _entry(self) -> Entry:
        return Store(self.root).open(self.world.id)

    def _options(self) -> CreateOptions:
        return CreateOptions(root=self.root, container_id=self.world.id, bundle=str(self.world.bundle))

    def _find(self, victim: str, child: int) -> int | None:
        """Return the process to kill: the runtime, the container's init, or the process that the runtime has made."""
        if victim == "runtime":
            return child
        store = Store(self.root)
        record = store.open(self.world.id).record if self.world.id in store.ids() else None
        if victim == "init" and record is not None and record["init"] is not None:
            pid = record["init"]["pid"]
            return pid if Path(f"/proc/{pid}/exe").exists() else None
        children = Path(f"/proc/{child}/task/{child}/children").read_text().split()
        return int(children[0]) if children else None

    def _clean_up(self, before: set[str]) -> list[str]:
        """Delete the container and return what is left; then check that its id can be used again."""
        problems = []
        if self._do(lambda: delete(self.root, self.world.id, force=True)) != 0:
            problems.append("delete --force failed")
        problems += self.world.left_since(before)
        if self._do(lambda: create(self._options())) != 0:
            problems.append("the id can't be used again")
        self._do(lambda: delete(self.root, self.world.id, force=True))
        return problems + self.world.left_since(before)

    def _expect_status(self, status: str) -> list[str]:
        """Return an error if the container does not become `status`; wait a moment for a process that ends."""
        entry = self._entry()
        deadline = time.monotonic() + patience.scaled(2)
        while (found := entry.status()) != status and time.monotonic() < deadline:
            time.sleep(0.005)
        return [] if found == status else [f"the container is {found} and not {status}"]

    def _do(self, operation: Callable[[], object]) -> int | None:
        return self._finish(self._fork(operation))

    def _fork(self, operation: Callable[[], object]) -> int:
        """Do an operation in a process of its own, as the command line would; return its pid."""
        child = os.fork()
        if child == 0:
            status = 70
            try:
                nowhere = os.open("/dev/null", os.O_RDWR)
                for stream in (0, 1, 2):
                    os.dup2(nowhere, stream)
                operation()
                status = 0
            except RuntError:
                status = 1
            finally:
                os._exit(status)
        return child

    def _finish(self, child: int) -> int | None:
        """Wait for a process that `_fork` made and, meanwhile, for orphans; return its status, None if it had to be killed."""
        signal.alarm(int(patience.scaled(15)))
        try:
            while True:
                pid, status = os.wait()
                if pid == child:
                    return os.waitstatus_to_exitcode(status)
        except TimeoutError:
            # It may have ended, and been waited for, in the moment of the alarm.
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            return None
        finally:
            signal.alarm(0)
