"""The state on disk: ids, records, locks, and what is left of them when a process is killed."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from runtime.operations.delete import delete
from runtime.state import liveness
from runtime.state.store import INIT_NAME, LOCKS, NoSuchContainerError, Store
from runtime.support.errors import RuntError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.config.types import Config, Process
    from runtime.state.store import Entry

CONFIG = cast("Config", {"ociVersion": "1.0.0", "annotations": {"a": "日本"}})
BAD_IDS = ["", ".", "..", "../x", "a/b", "/abs", "a b", "x" * 256, "a\n", "ü", "@locks", "a\0b"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"{tmp_path}/root")


def reserve(store: Store, container_id: str = "c") -> Entry:
    return store.reserve(container_id, bundle="/b", rootfs="/b/rootfs", config=CONFIG)


def files(store: Store) -> list[str]:
    """Return everything under the root, but for the directory of the locks itself."""
    root = Path(store.root)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.name != LOCKS)


@contextlib.contextmanager
def python(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python code in a process of its own, and kill it."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def identity(pid: int) -> Process:
    process = liveness.identify(pid)
    assert process is not None
    return process


@pytest.mark.parametrize("container_id", BAD_IDS)
def test_a_bad_id_is_refused_before_anything_is_touched(store: Store, container_id: str) -> None:
    for operation in (store.open, store.locked):
        with pytest.raises(RuntError, match=r"invalid container ID format|container id cannot be empty"):
            operation(container_id)
    with pytest.raises(RuntError):
        reserve(store, container_id)
    assert not Path(store.root).exists()


@pytest.mark.parametrize("container_id", ["a", "-x", "A_b+c,d.e-f", "...", "x" * 255])
def test_a_good_id_is_accepted(store: Store, container_id: str) -> None:
    reserve(store, container_id)
    assert store.ids() == [container_id]


def test_a_reservation_is_on_disk_with_its_creator_and_configuration(store: Store) -> None:
    reserve(store)
    again = store.open("c")
    assert again.record["creator"] == identity(os.getpid())
    assert again.record["init"] is None
    assert again.config() == CONFIG
    assert again.status() == "creating"
    assert again.state()["annotations"] == {"a": "日本"}
    assert "pid" not in again.state()


def test_a_second_reservation_fails_and_changes_nothing(store: Store) -> None:
    reserve(store)
    before = store.open("c").record
    with pytest.raises(RuntError, match="container with given ID already exists"):
        reserve(store)
    assert store.open("c").record == before


def test_removal_leaves_nothing(store: Store) -> None:
    entry = reserve(store)
    os.mkfifo(entry.fifo)
    entry.remove()
    assert files(store) == []
    with pytest.raises(NoSuchContainerError, match="container does not exist"):
        store.open("c")
    entry.remove()


def test_saving_a_deleted_container_does_not_bring_it_back(store: Store) -> None:
    entry = reserve(store)
    store.open("c").remove()
    with pytest.raises(RuntError, match="has been deleted"):
        entry.save(ready=True)
    assert files(store) == []


def test_the_record_goes_last_so_that_a_killed_removal_can_be_repeated(store: Store) -> None:
    entry = reserve(store)
    # A directory that can't be unlinked stops the removal in the middle, as kill -9 would.
    obstacle = Path(entry.dir, "directory", "not-empty")
    obstacle.mkdir(parents=True)
    with pytest.raises(OSError, match="not empty"):
        entry.remove()
    assert store.open("c").record == entry.record
    obstacle.rmdir()
    store.open("c").remove()
    assert files(store) == []


def test_a_reservation_that_was_killed_before_its_record_blocks_no_other(store: Store) -> None:
    directory = Path(store.root, "c")
    directory.mkdir(parents=True)
    for leftover in ("config.json", "state.json.new"):
        (directory / leftover).write_text("{ half")
    assert store.ids() == []
    reserve(store)
    assert files(store) == ["c", "c/config.json", "c/state.json"]


def test_a_reader_sees_the_old_record_or_the_new_one_but_never_a_part(store: Store) -> None:
    code = (
        "import sys\nfrom runtime.state.store import Store\nentry = Store(sys.argv[1]).open('c')\nprint('go', flush=True)\n"
        "n = 0\nwhile True:\n    n += 1\n    entry.save(annotations={'n': 'x' * (n % 7) * 9000})\n"
    )
    reserve(store)
    with python(code, store.root) as writer:
        assert line(writer) == "go"
        lengths = {len(store.open("c").record["annotations"].get("n", "")) for _ in range(300)}
        assert writer.poll() is None
    assert lengths <= {9000 * n for n in range(7)}
    # Killed at whatever point it was: the record is whole.
    assert store.open("c").record["id"] == "c"


def test_of_ten_reservations_at_once_exactly_one_succeeds(store: Store) -> None:
    code = (
        "import sys\nfrom runtime.state.store import Store\nfrom runtime.support.errors import RuntError\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "try:\n    Store(sys.argv[1]).reserve('c', bundle='/b', rootfs='/r', config={'ociVersion': '1.0.0'})\n"
        "except RuntError as error:\n    print(error.message)\nelse:\n    print('mine')\n"
    )
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(python(code, store.root)) for _ in range(10)]
        for process in processes:
            assert line(process) == "ready"
        outcomes = [process.communicate("go\n")[0].strip() for process in processes]
    assert sorted(outcomes) == ["container with given ID already exists"] * 9 + ["mine"]


def test_a_lock_excludes_others_and_ends_with_its_process_even_when_killed(store: Store) -> None:
    code = (
        "import sys, time\nfrom runtime.state.store import Store\n"
        "with Store(sys.argv[1]).locked('c'):\n    print('locked', flush=True)\n    sys.stdin.readline()\n"
    )
    with python(code, store.root) as first, python(code, store.root) as second:
        # Whichever has it, the other one waits: it says nothing until the first is killed.
        assert first.stdout is not None
        assert second.stdout is not None
        ready, _, _ = select.select([first.stdout, second.stdout], [], [], 10)
        assert len(ready) == 1
        holder, waiter = (first, second) if ready[0] is first.stdout else (second, first)
        assert line(holder) == "locked"
        holder.kill()
        assert line(waiter) == "locked"
        waiter.communicate("\n")
    assert files(store) == []


def test_a_lock_is_not_inherited_by_a_child_that_outlives_its_killed_parent(store: Store) -> None:
    code = (
        "import os, sys, time\nfrom runtime.state.store import Store\n"
        "with Store(sys.argv[1]).locked('c'):\n    pid = os.fork()\n"
        "    if pid == 0:\n        time.sleep(1000)\n        os._exit(0)\n"
        "    print(pid, flush=True)\n    sys.stdin.readline()\n"
    )
    with python(code, store.root) as parent:
        child = identity(int(line(parent)))
        parent.kill()
        parent.wait()
        try:
            with store.locked("c"):
                assert liveness.is_alive(child)
        finally:
            liveness.send_signal(child, signal.SIGKILL)


def test_status_follows_the_kernel_through_a_life(store: Store) -> None:
    """The process stands in for the init process: what the store reads a real process, and can't know that it is no init."""
    entry = reserve(store)
    name_itself = f"open('/proc/self/comm', 'w').write({INIT_NAME!r}); print('init', flush=True); input()"
    with python(f"{name_itself}; import os; os.execvp('sleep', ['sleep', '1000'])") as process:
        assert line(process) == "init"
        entry.save(init=identity(process.pid))
        assert entry.status() == "creating"
        entry.save(ready=True)
        assert entry.status() == "created"
        assert entry.state()["pid"] == process.pid
        # `start` releases it and is killed before it can record that.
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        while liveness.name(identity(process.pid)) == INIT_NAME:
            os.sched_yield()
        assert entry.status() == "running"
        entry.save(started=True)
        assert entry.status() == "running"
        # Killed and not yet waited for: a zombie is not running.
        process.kill()
        pidfd = os.pidfd_open(process.pid)
        assert liveness.wait_for_exit(pidfd, 10)
        os.close(pidfd)
        assert entry.status() == "stopped"
        assert "pid" not in entry.state()


def test_a_container_whose_creator_died_is_stopped(store: Store) -> None:
    code = (
        "import sys\nfrom runtime.state.store import Store\n"
        "Store(sys.argv[1]).reserve('c', bundle='/b', rootfs='/r', config={'ociVersion': '1.0.0'})\n"
        "print('reserved', flush=True)\nsys.stdin.readline()\n"
    )
    with python(code, store.root) as creator:
        assert line(creator) == "reserved"
        assert store.open("c").status() == "creating"
        creator.kill()
        creator.wait()
        assert store.open("c").status() == "stopped"


def test_a_reused_pid_is_another_process(store: Store) -> None:
    with python("input()") as process:
        real = identity(process.pid)
        stale: Process = {"pid": real["pid"], "start_time": real["start_time"] - 1}
        assert liveness.is_alive(real)
        assert not liveness.is_alive(stale)
        assert liveness.open_pidfd(stale) is None
        assert not liveness.send_signal(stale, signal.SIGKILL)
        assert process.poll() is None
        assert liveness.send_signal(real, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not liveness.send_signal(real, signal.SIGKILL)


@pytest.mark.parametrize("name", ["a) R 1 (b", "((", "x\ny", "日本語"])
def test_a_process_may_have_any_name(name: str) -> None:
    code = "import sys; open('/proc/self/comm', 'w').write(sys.argv[1]); print('named', flush=True); input()"
    with python(code, name) as process:
        assert line(process) == "named"
        assert identity(process.pid)["start_time"] >= identity(os.getpid())["start_time"]


def test_a_damaged_record_is_one_clear_message(store: Store) -> None:
    entry = reserve(store)
    Path(entry.dir, "state.json").write_text("{ half")
    with pytest.raises(RuntError, match=r"state\.json is damaged"):
        store.open("c")


def test_state_files_are_readable_by_their_owner_alone(store: Store) -> None:
    entry = reserve(store)
    assert Path(entry.dir, "state.json").stat().st_mode & 0o777 == 0o600
    assert Path(entry.dir).stat().st_mode & 0o777 == 0o711


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"id": 3}',
        b"\xff",
        b"[" * 100_000,
        b'{"id": "c", "init_process_pid": 5}',
    ],
)
def test_a_record_of_another_program_is_one_clear_message(store: Store, text: bytes) -> None:
    """Truncated, empty, or another runtime's: the same state directory may have been runc's."""
    entry = reserve(store)
    Path(entry.dir, "state.json").write_bytes(text)
    with pytest.raises(RuntError, match=r"state\.json is damaged"):
        store.open("c")
    delete(store.root, "c", force=True)
    assert files(store) == []
    reserve(store)


def test_after_a_reboot_every_container_is_stopped_and_can_be_deleted(store: Store) -> None:
    """A state directory that is not on a tmpfs: the numbers may belong to other processes now, which are left alone."""
    with python("import sys; sys.stdin.read()") as other:
        entry = reserve(store)
        stale = {"pid": other.pid, "start_time": identity(other.pid)["start_time"] + 1}
        entry.save(creator=stale, init=stale, hook=stale, ready=True, started=True)
        assert store.open("c").status() == "stopped"
        delete(store.root, "c")
        assert other.poll() is None
    assert files(store) == []
