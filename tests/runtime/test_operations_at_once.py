"""Many operations at once: on one container exactly one succeeds, of many containers none is lost, and nothing is left."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest

from runtime.operations.create import create
from runtime.operations.delete import delete
from runtime.operations.exec import execute
from runtime.operations.kill import kill
from runtime.operations.listing import query as query_all
from runtime.operations.start import start
from runtime.operations.state import describe
from runtime.state.options import CreateOptions, ExecOptions
from runtime.state.store import Store
from tests.faults.world import MARK, World
from tests.support.crowd import DONE, FAULT, REFUSED, at_once
from tests.support.runt import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from runtime.state.store import Entry
    from tests.support.runt import Bundle

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

ROUNDS = 50
MANY = 200
WORKERS = 8
"""How many processes make the containers: enough to overlap on two processors."""


class Crowd:
    """Operations on the containers of one bundle, and what they must not leave behind."""

    def __init__(self, bundle: Bundle, tmp_path: Path) -> None:
        self.name = f"crowd-{os.getpid()}"
        bundle.namespaces("pid", "network", "ipc", "uts", "cgroup")
        bundle.process.update(args=["sleep", "1000"], env=["PATH=/bin", f"{MARK}={self.name}"])
        self.bundle = str(bundle.save().path)
        self.log = tmp_path / "log"
        (tmp_path / "state/@locks").mkdir(parents=True)
        self.root = str(tmp_path / "state")
        self.world = World(tmp_path / "state", bundle.path, self.name, self.name)
        # The first container completes the image: its /dev, for instance.
        at_once(self.log, [self.create])
        self.force()
        self.before = self.world.look()

    def create(self, name: str = "") -> None:
        create(CreateOptions(root=self.root, container_id=name or self.name, bundle=self.bundle))

    def start(self, name: str = "") -> None:
        start(self._open(name))

    def kill(self, name: str = "") -> None:
        kill(self._open(name), "KILL")

    def delete(self, name: str = "") -> None:
        delete(self.root, name or self.name)

    def force(self, name: str = "") -> None:
        delete(self.root, name or self.name, force=True)

    def execute(self) -> None:
        execute(self._open(), ExecOptions(args=["true"], detach=True))

    def state(self) -> dict[str, Any]:
        return describe(self._open())

    def list_all(self) -> None:
        query_all(self.root)

    def _open(self, name: str = "") -> Entry:
        return Store(self.root).open(name or self.name)

    def ten(self, operation: Callable[[], object]) -> list[int]:
        return sorted(at_once(self.log, [operation] * 10))

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@pytest.fixture
def crowd(bundle: Bundle, tmp_path: Path) -> Iterator[Crowd]:
    crowd = Crowd(bundle, tmp_path)
    yield crowd
    for state in query_all(crowd.root):
        crowd.force(state["id"])
    assert crowd.world.left_since(crowd.before) == []


def test_of_ten_operations_at_once_exactly_one_succeeds(crowd: Crowd) -> None:
    """`runc` 1.1.5 lets two `create` succeed now and then."""
    one = [DONE] + [REFUSED] * 9
    for _ in range(ROUNDS):
        assert crowd.ten(crowd.create) == one, crowd.said()
        assert crowd.ten(crowd.start) == one, crowd.said()
        crowd.kill()
        wait_for(lambda: crowd.state()["status"] == "stopped")
        assert crowd.ten(crowd.delete) == one, crowd.said()
        assert query_all(crowd.root) == []


def test_any_operations_at_once_leave_a_container_or_none_but_no_half(crowd: Crowd) -> None:
    dice = random.Random(3)  # noqa: S311 - the same mixture each time
    for _ in range(ROUNDS):
        any_ten = [
            crowd.create,
            *dice.choices(
                [
                    *(crowd.create, crowd.start, crowd.kill, crowd.delete),
                    *(crowd.force, crowd.execute, crowd.state, crowd.list_all),
                ],
                k=9,
            ),
        ]
        outcomes = Counter(at_once(crowd.log, any_ten))
        # A `create` that loses against a forced delete is killed by it.
        assert set(outcomes) <= {DONE, REFUSED, -signal.SIGKILL}, crowd.said()
        assert outcomes[FAULT] == 0
        for state in query_all(crowd.root):
            assert state["status"] in ("created", "running", "stopped")
        crowd.force()
        assert crowd.world.left_since(crowd.before) == []


def test_of_many_containers_none_is_lost_and_none_is_left(crowd: Crowd) -> None:
    names = [f"{crowd.name}-{number}" for number in range(MANY)]

    def for_each(operations: list[Callable[[str], None]], names: list[str]) -> None:
        for name in names:
            for operation in operations:
                operation(name)

    shares = [names[number::WORKERS] for number in range(WORKERS)]
    begin = [partial(for_each, [crowd.create, crowd.start], share) for share in shares]
    assert at_once(crowd.log, begin) == [DONE] * WORKERS, crowd.said()
    states = query_all(crowd.root)
    assert [state["id"] for state in states] == sorted(names)
    assert {state["status"] for state in states} == {"running"}
    assert len({state["pid"] for state in states}) == MANY
    assert len(crowd.world.processes()) == MANY
    end = [partial(for_each, [crowd.force], share) for share in shares]
    assert at_once(crowd.log, end) == [DONE] * WORKERS, crowd.said()
    assert query_all(crowd.root) == []
