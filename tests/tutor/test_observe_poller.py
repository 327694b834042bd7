"""The difference between two snapshots, and the poller that publishes it: real processes, conditions, no sleeping."""

from __future__ import annotations

import os
import queue
import signal
import threading
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.observe import processes, running, until, waiting_in
from tutor import patience
from tutor.observe import Changed, Changes, Delta, Poller, Snapshot, diff, take_snapshot

if TYPE_CHECKING:
    from pathlib import Path

Published = queue.Queue[Snapshot]


def publisher() -> tuple[Published, Poller]:
    published: Published = queue.Queue()
    return published, Poller(published.put, interval=0.01)


def test_two_looks_at_a_still_process_do_not_differ() -> None:
    with running("sleep", "500") as sleeper:
        waiting_in(sleeper.pid, "sleep")
        before, after = take_snapshot(sleeper.pid), take_snapshot(sleeper.pid)
    assert after.taken > before.taken
    assert before == after
    delta = diff(before, after)
    assert not delta
    assert delta == Delta()


def test_a_container_that_comes_and_goes() -> None:
    with running("sleep", "500") as sleeper:
        waiting_in(sleeper.pid, "sleep")
        nothing, something = take_snapshot(None), take_snapshot(sleeper.pid)
    assert something.container is not None
    came, went = diff(nothing, something), diff(something, nothing)
    assert came.container == Changed(None, sleeper.pid)
    assert came.mounts.added == something.container.mounts == went.mounts.removed
    assert [each.pid for each in came.processes.added] == [sleeper.pid]
    assert came.host_mounts == Changes()
    assert went.alive == Changed(before=True, after=False)


def test_a_process_that_starts_another_program_changed() -> None:
    with running("sh", "-c", "read x; exec sleep 500", stdin=-1) as shell:
        waiting_in(shell.pid, "read_pipe")
        before = take_snapshot(shell.pid)
        assert shell.stdin is not None
        shell.stdin.write(b"\n")
        shell.stdin.flush()
        waiting_in(shell.pid, "sleep")
        delta = diff(before, take_snapshot(shell.pid))
    ((change),) = delta.processes.changed
    assert (change.before.comm, change.after.comm) == ("sh", "sleep")
    assert not delta.processes.added
    assert not delta.mounts


@pytest.mark.root
def test_mounts_that_come_change_and_go(tmp_path: Path) -> None:
    script = 'read x; mount -t tmpfs t "$1"; read x; mount -o remount,ro "$1"; read x; umount "$1"; read x'
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(tmp_path))
    with running(*command, stdin=-1) as shell:
        waiting_in(shell.pid, "read_pipe")
        looks = [take_snapshot(shell.pid)]
        assert shell.stdin is not None
        for _ in range(3):
            shell.stdin.write(b"\n")
            shell.stdin.flush()
            before = looks[-1]

            def changed(before: Snapshot = before) -> Snapshot | None:
                now = take_snapshot(shell.pid)
                return now if diff(before, now).mounts else None

            now = until(changed)
            assert now is not None
            looks.append(now)
    came, changed_, went = (diff(one, two).mounts for one, two in pairwise(looks))
    assert [mount.target for mount in came.added] == [str(tmp_path)]
    assert [(change.before.options[0], change.after.options[0]) for change in changed_.changed] == [
        ("rw", "ro")
    ]
    assert [mount.target for mount in went.removed] == [str(tmp_path)]
    assert not came.removed
    assert not went.added


def test_what_no_screen_shows_does_not_count() -> None:
    snapshot = take_snapshot(None)
    assert not diff(snapshot, replace(snapshot, taken=snapshot.taken + 1))


def test_poller_publishes_the_first_look_and_then_changes_only() -> None:
    published, poller = publisher()
    with poller, running("sh", "-c", "read x; exec sleep 500", stdin=-1) as shell:
        waiting_in(shell.pid, "read_pipe")
        poller.watch(shell.pid)
        last = first = published.get(timeout=patience.scaled(20))
        assert first.container is not None
        assert first.container.pid == shell.pid
        for _ in range(20):
            poller.poke()
        assert shell.stdin is not None
        shell.stdin.write(b"\n")
        shell.stdin.flush()
        deltas: list[Delta] = []
        while not (deltas and deltas[-1].processes.changed[0].after.comm == "sleep"):
            before, last = last, published.get(timeout=patience.scaled(20))
            deltas.append(diff(before, last))
        assert all(deltas), "a publication without a change"
        shell.kill()
        until(lambda: (last := poller.published) and last.container and not last.container.alive)


def test_poller_watches_another_process_at_once() -> None:
    published, poller = publisher()
    with poller, running("sleep", "500") as one, running("sleep", "500") as two:
        waiting_in(one.pid, "sleep")
        waiting_in(two.pid, "sleep")
        poller.watch(None)
        before = published.get(timeout=patience.scaled(20))
        assert before.container is None
        for sleeper in (one, two):
            poller.watch(sleeper.pid)
            snapshot = published.get(timeout=patience.scaled(20))
            assert snapshot.container is not None
            assert snapshot.container.pid == sleeper.pid
            change = diff(before, snapshot).container
            assert change is not None
            assert change.after == sleeper.pid
            before = snapshot


def test_poller_outlives_a_face_that_fails_and_publishes_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: queue.Queue[Snapshot] = queue.Queue()

    def publish(snapshot: Snapshot) -> None:
        calls.put(snapshot)
        if calls.qsize() < 3:
            raise ValueError("a panel is broken")

    with Poller(publish, interval=0.01) as poller:
        poller.watch(None)
        until(lambda: calls.qsize() == 3 and poller.published is not None)
    assert [record.message for record in caplog.records] == ["the poller goes on after an error"]


def test_paused_poller_is_silent_until_poked_or_resumed() -> None:
    published, poller = publisher()
    with poller, running("sleep", "500") as sleeper:
        waiting_in(sleeper.pid, "sleep")
        poller.watch(None)
        published.get(timeout=patience.scaled(20))
        poller.pause()
        poller.watch(sleeper.pid)
        alive = published.get(timeout=patience.scaled(20))
        assert alive.container is not None
        os.kill(sleeper.pid, signal.SIGKILL)
        until(lambda: [each.state for each in processes(sleeper.pid)] == ["Z"])
        # Dozens of intervals: a second poller has seen it long ago, the paused one has not.
        other_published, other = publisher()
        with other:
            other.watch(sleeper.pid)
            other_published.get(timeout=patience.scaled(20))
        assert published.empty()
        poller.poke()
        dead = published.get(timeout=patience.scaled(20))
        assert dead.container is not None
        assert diff(alive, dead).alive == Changed(before=True, after=False)
        sleeper.wait()
        poller.resume()
        assert diff(dead, published.get(timeout=patience.scaled(20))).processes.removed


def test_stop_ends_the_thread_from_anywhere() -> None:
    before = threading.active_count()
    published, poller = publisher()
    poller.stop()
    poller.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        poller.watch(None)

    inner: Poller = Poller(lambda _snapshot: inner.stop(), interval=0.01)
    inner.watch(None)
    until(lambda: threading.active_count() == before)
    assert published.empty()
