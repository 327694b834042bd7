"""An engine's commands in a lab: what they print, when, and how they end. The engine is runt; peers have their own tests."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from tests.support.engines import stage
from tests.support.lab import bundle, until, write_config
from tutor.errors import TutorError
from tutor.lab.processes import descendants

pytestmark = pytest.mark.root


def test_the_seeds_walk(tmp_path: Path) -> None:
    path = bundle(tmp_path)
    with stage(tmp_path, "runt", path) as here:
        assert here.status() == "none"
        created = here.run("create")
        assert (created.returncode, created.stdout, created.stderr) == (0, "", "")
        assert created.call.typed == "runt create box"
        assert created.call.cwd == str(path)
        state = here.runner.query_state("box")
        assert state is not None
        assert (state.status, state.bundle, state.rootfs) == ("created", str(path), str(path / "rootfs"))
        assert Path(f"/proc/{state.pid}").exists()  # pids are the host's
        assert here.printed("create") == ""
        assert here.run("start").returncode == 0
        assert here.printed("create") == "alpine\n"
        here.until_status("stopped")
        assert [one.id for one in here.runner.query_list()] == ["box"]
        assert here.run("delete").returncode == 0
        assert here.status() == "none"
        assert here.runner.query_list() == ()


def test_what_a_container_prints_comes_before_the_end_of_start(tmp_path: Path) -> None:
    """So a face shows `start`, `alpine`, and then that start has ended: the order in which one sees it on a terminal."""
    with stage(tmp_path, "runt", bundle(tmp_path)) as here:
        here.run("create")
        here.run("start")
        assert here.order() == [
            "create started",
            "create finished",
            "start started",
            "create stdout",
            "start finished",
        ]


def test_start_waits_for_a_container_that_takes_its_time_to_end(tmp_path: Path) -> None:
    """As `echo` does on a busy machine: it is not asleep, it has not had the processor yet."""
    count = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo counted"
    with stage(tmp_path, "runt", bundle(tmp_path, ["sh", "-c", count])) as here:
        here.run("create")
        here.run("start")
        assert here.order()[-2:] == ["create stdout", "start finished"]


def test_start_does_not_wait_for_a_container_that_lives_on(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path, ["sleep", "1000"])) as here:
        here.run("create")
        assert here.run("start").returncode == 0
        assert here.status() == "running"
        assert not here.runner.drain(0)
        here.run("kill", "KILL")
        assert here.runner.drain(20)
        here.until_status("stopped")


def test_both_streams_are_kept_apart(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path, ["sh", "-c", "echo out; echo err >&2"])) as here:
        here.run("create")
        here.run("start")
        assert here.runner.drain(20)
        assert (here.printed("create"), here.printed("create", "stderr")) == ("out\n", "err\n")


def test_a_character_cut_in_two_arrives_whole(tmp_path: Path) -> None:
    # The first two of three bytes, a pause long enough for them to be read alone, and the third.
    script = r"printf '\343\201'; sleep 0.3; printf '\202\n'; printf '\377'"
    with stage(tmp_path, "runt", bundle(tmp_path, ["sh", "-c", script])) as here:
        here.run("create")
        here.run("start")
        assert here.runner.drain(20)
        assert here.printed("create") == "\u3042\n\ufffd"


def test_a_failing_command_gives_its_status_and_what_it_printed(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path)) as here:
        failed = here.run("start")
        assert failed.returncode == 1
        assert "container does not exist" in failed.stderr
        assert here.printed("start", "stderr") == failed.stderr
        (here.bundle / "config.json").write_text('{"ociVersion": "1.0.0",}')
        broken = here.run("create")
        assert broken.returncode == 1
        assert "config.json" in broken.stderr
        assert here.status() == "none"


def test_a_long_answer_is_returned_whole(tmp_path: Path) -> None:
    path = bundle(tmp_path)
    annotations = {f"org.example.{number}": "x" * 200 for number in range(600)}
    write_config(path, ["true"], annotations=annotations)
    with stage(tmp_path, "runt", path) as here:
        assert here.run("create").returncode == 0
        result = here.run("state")
        assert json.loads(result.stdout)["annotations"] == annotations
        assert here.printed("state") == result.stdout
        state = here.runner.query_state("box")
        assert state is not None
        assert state.annotations == annotations


def test_a_container_that_prints_without_end_is_slowed_and_stays_killable(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path, ["yes"])) as here:
        here.run("create")
        here.run("start")
        until(lambda: here.limits() == ["slowed"])
        delivered = len(here.printed("create"))
        assert delivered < 2 * 1024 * 1024
        state = here.runner.query_state("box")
        assert state is not None
        # It does not spin: it waits in write(2) for its reader, as with a slow terminal.
        until(lambda: "pipe_write" in Path(f"/proc/{state.pid}/wchan").read_text())
        assert here.run("kill", "KILL").returncode == 0
        assert here.runner.drain(20)


def test_an_interrupt_ends_a_command_that_hangs(tmp_path: Path) -> None:
    """A createRuntime hook that never ends keeps `create` waiting: Ctrl-C must get the learner out."""
    path = bundle(tmp_path, hooks={"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]})
    with stage(tmp_path, "runt", path) as here:
        results = []
        thread = threading.Thread(target=lambda: results.append(here.run("create")))
        thread.start()
        until(lambda: "create started" in here.order())
        until(lambda: _runs_below(here.lab.keeper_pid, "sleep"))
        here.runner.interrupt()
        thread.join(20)
        assert not thread.is_alive()
        assert results[0].returncode != 0
        assert here.order()[-1] == "create finished"
        here.run("delete", "--force")
        assert here.status() == "none"


def test_an_interrupt_kills_a_command_that_ignores_sigint(tmp_path: Path) -> None:
    hook = {"path": "/bin/sh", "args": ["sh", "-c", "trap '' INT TERM; while :; do sleep 1000; done"]}
    with stage(tmp_path, "runt", bundle(tmp_path, hooks={"createRuntime": [hook]})) as here:
        results = []
        thread = threading.Thread(target=lambda: results.append(here.run("create")))
        thread.start()
        until(lambda: _runs_below(here.lab.keeper_pid, "sleep"))
        here.runner.interrupt()
        thread.join(20)
        assert not thread.is_alive()
        assert results[0].returncode != 0


def _runs_below(ancestor: int, name: str) -> bool:
    return any(_command(process.pid) == name for process in descendants(ancestor))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def test_an_interrupt_when_nothing_runs_does_nothing(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path)) as here:
        here.runner.interrupt()
        assert here.run("create").returncode == 0
        here.runner.interrupt()
        assert here.status() == "created"


def test_queries_and_a_command_at_once(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path, ["sleep", "1000"])) as here:
        stop = threading.Event()
        seen: set[str] = set()
        failures: list[Exception] = []

        def poll() -> None:
            while not stop.is_set():
                try:
                    seen.add(here.status())
                except TutorError as error:
                    failures.append(error)

        poller = threading.Thread(target=poll)
        poller.start()
        for _round in range(3):
            assert here.run("create").returncode == 0
            assert here.run("start").returncode == 0
            assert here.run("delete", "--force").returncode == 0
        stop.set()
        poller.join()
        assert failures == []
        assert seen <= {"none", "creating", "created", "running", "stopped"}
        assert [kind for kind in here.order() if kind.startswith("state")] == []  # queries are not shown


def test_a_lab_that_is_killed_ends_the_command_with_an_error(tmp_path: Path) -> None:
    path = bundle(tmp_path, hooks={"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "1000"]}]})
    with stage(tmp_path, "runt", path) as here:
        errors: list[TutorError] = []

        def create() -> None:
            try:
                here.run("create")
            except TutorError as error:
                errors.append(error)

        thread = threading.Thread(target=create)
        thread.start()
        until(lambda: _runs_below(here.lab.keeper_pid, "sleep"))
        os.kill(here.lab.keeper_pid, signal.SIGKILL)
        thread.join(20)
        assert [error.key for error in errors] == ["lab.ended"]
        with pytest.raises(TutorError) as caught:
            here.runner.query_state("box")
        assert caught.value.key == "lab.ended"


def test_a_bad_id_is_an_error_not_an_absence(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path)) as here:
        with pytest.raises(TutorError) as caught:
            here.runner.query_state("no/such")
        assert caught.value.key == "engines.query_failed"
        assert "id" in str(caught.value.values["reason"])


def test_many_containers_do_not_use_up_descriptors(tmp_path: Path) -> None:
    with stage(tmp_path, "runt", bundle(tmp_path)) as here:
        here.run("create")
        here.run("delete", "--force")
        assert here.runner.drain(20)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _round in range(3):
            here.run("create")
            here.run("delete", "--force")
        assert here.runner.drain(20)
        assert len(list(Path("/proc/self/fd").iterdir())) == before
