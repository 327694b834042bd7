"""The runner of the step tables: order, observers, and a replaced step in a real container."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from runtime.state.sync import StepError
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import DELETE_STEPS
from runtime.steps.runner import Observer, run_steps
from runtime.steps.start import START_STEPS
from runtime.support.errors import RuntError
from tests.support.runt import REPOSITORY

if TYPE_CHECKING:
    from runtime.state.container import Container
    from tests.support.runt import Bundle, Runt

NO_CONTAINER = cast("Container", None)


class Recorder(Observer):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def before(self, step: Any, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        self.seen.append(f"before {step.__name__}")

    def after(self, step: Any, c: Container) -> None:  # noqa: ARG002 - the protocol of observers
        self.seen.append(f"after {step.__name__}")

    def failed(self, step: Any, c: Container, error: BaseException) -> None:  # noqa: ARG002
        self.seen.append(f"failed {step.__name__}")


def one(c: Container) -> None: ...


def two(c: Container) -> None: ...


def test_steps_run_in_their_order_and_the_observer_is_told_around_each() -> None:
    recorder = Recorder()
    run_steps((one, two), NO_CONTAINER, recorder)
    assert recorder.seen == ["before one", "after one", "before two", "after two"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntError("no good"), "no good (step fails)"),
        (
            FileNotFoundError(2, "No such file or directory", "/x"),
            "/x: no such file or directory (step fails)",
        ),
        (StepError("inner", "deep"), "deep (step inner)"),
    ],
)
def test_failure_names_its_step_once_and_the_rest_does_not_run(error: Exception, message: str) -> None:
    def fails(c: Container) -> None:
        raise error

    recorder = Recorder()
    with pytest.raises(StepError) as caught:
        run_steps((fails, one), NO_CONTAINER, recorder)
    assert caught.value.message == message
    assert recorder.seen == ["before fails", "failed fails"]


@pytest.mark.root
@pytest.mark.peer("busybox")
@pytest.mark.parametrize("operation", ["create", "run"])
def test_own_step_takes_its_place_and_every_step_is_observed(
    bundle: Bundle, runt: Runt, operation: str
) -> None:
    bundle.namespaces("uts").config["hostname"] = "configured"
    bundle.sh("hostname").save()
    with (bundle.path / "out").open("w") as output:
        subprocess.run(
            [
                sys.executable,
                str(REPOSITORY / "tests/support/own_step.py"),
                operation,
                runt.root,
                str(bundle.path),
                "test",
            ],
            cwd=bundle.path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=True,
        )
    if operation == "create":
        runt.ok("start", "test")
        runt.wait_until_stopped()
    assert (bundle.path / "out").read_text() == "mine\n"
    seen = (bundle.path / "steps").read_text().splitlines()
    runtime = [line.split(" ")[2] for line in seen if line.split(" ")[1] == "before" and "wait" not in line]
    tables: list[tuple[Any, ...]] = [
        RUNTIME_STEPS,
        INIT_STEPS[: INIT_STEPS.index(next(s for s in INIT_STEPS if s.__name__ == "close_descriptors"))],
    ]
    for table in tables + ([START_STEPS, DELETE_STEPS] if operation == "run" else []):
        names = [step.__name__ for step in table if "wait" not in step.__name__]
        assert [name for name in runtime if name in names] == names
