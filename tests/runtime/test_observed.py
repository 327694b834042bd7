"""`runt --observe`: what the observer is told, what it decides, what is left when it fails a step or vanishes, who may be one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import DELETE_STEPS
from runtime.steps.exec import EXEC_INIT_STEPS, EXEC_STEPS
from runtime.steps.start import START_STEPS
from tests.support.nobody import NOBODY, RuntOfNobody, bundle_of_nobody, place_of_nobody
from tests.support.observing import Far, at, step, watch
from tests.support.runt import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]
STOPS = ["make_exec_fifo", "clone_init", "mount_filesystems", "pivot_root", "report_ready", "hand_over"]
WAYS = [("before", "abort"), ("after", "abort"), ("before", "vanish"), ("after", "vanish")]


@pytest.fixture
def far() -> Iterator[Far]:
    with Far(step) as far:
        yield far


def _names(table: Iterable[Any], last: str = "") -> list[str]:
    names = [each.__name__ for each in table]
    return names[: names.index(last) + 1] if last else names


def _left(runt: Runt) -> list[Path]:
    """Return what is left of containers: the directory of their locks stays."""
    return [path for path in runt.root.rglob("*") if path.name != "@locks"]


def _sockets(pid: int) -> list[str]:
    opened = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return [each for each in opened if each.startswith("socket:")]


@pytest.mark.parametrize("mode", [watch, step])
def test_both_processes_of_create_tell_of_every_step(runt: Runt, bundle: Bundle, far: Far, mode: Any) -> None:
    bundle.namespaces("pid", "uts").config["hostname"] = "birth"
    bundle.save()
    far.say = mode
    assert far.run(runt, "create", "-b", str(bundle.path), "test") == (0, "")
    for process, names in (
        ("runtime", _names(RUNTIME_STEPS)),
        ("init", _names(INIT_STEPS, "report_ready")),
    ):
        of = [each for each in far.packets if each["process"] == process]
        assert [each["type"] for each in of] == ["hello", "table", *["before", "after"] * len(names)]
        assert (of[0]["operation"], of[0]["bundle"]) == ("create", str(bundle.path))
        assert of[0]["container"] == of[1]["container"] == "test"
        assert far.steps("before", process) == far.steps("after", process) == names
        assert [each["position"] for each in of if each["type"] == "after"] == [*range(len(names))]
        assert all(each["nanoseconds"] > 0 for each in of if each["type"] == "after")
    pids = {each["process"]: each["pid"] for each in far.packets}
    assert pids["init"] == runt.state()["pid"]
    assert pids["runtime"] not in (0, pids["init"])
    assert not _sockets(pids["init"])


def test_a_step_tells_its_system_calls_and_its_files(runt: Runt, bundle: Bundle, far: Far) -> None:
    bundle.namespaces("uts").config["hostname"] = "birth"
    bundle.process["cwd"] = "/made/for/it"
    bundle.save()
    assert far.run(runt, "create", "-b", str(bundle.path), "test")[0] == 0
    (call,) = far.after("set_hostname")["calls"]
    assert call == {
        "function": "sethostname",
        "name": "sethostname",
        "arguments": ["birth", 5],
        "result": 0,
        "errno": "",
    }
    pivot = [each["name"] for each in far.after("pivot_root")["calls"]]
    assert "pivot_root" in pivot
    clone = far.after("clone_init")["calls"]
    assert [each["result"] for each in clone if each["name"] == "clone3"] == [runt.state()["pid"]]
    made = far.after("make_working_directory")["calls"]
    assert [each["arguments"][0] for each in made if each["name"] == "mkdir"] == ["made", "for", "it"]


def test_start_exec_and_delete_tell_of_their_tables(runt: Runt, bundle: Bundle, far: Far) -> None:
    bundle.process["args"] = ["sleep", "1000"]
    bundle.namespaces("pid")
    runt.create(bundle)
    assert far.run(runt, "start", "test") == (0, "")
    assert far.steps("after") == _names(START_STEPS)
    assert not _sockets(runt.state()["pid"])
    far.packets.clear()
    looking = "ls -l /proc/$$/fd"
    status, printed = far.run(runt, "exec", "test", "sh", "-c", looking)
    assert (status, "socket:" in printed) == (0, False)
    assert far.steps("after") == _names(EXEC_STEPS)
    assert far.steps("after", "exec") == _names(EXEC_INIT_STEPS, "report_ready")
    far.packets.clear()
    assert far.run(runt, "delete", "--force", "test") == (0, "")
    assert far.steps("after") == _names(DELETE_STEPS)


def test_run_tells_of_all_its_tables_on_one_connection(runt: Runt, bundle: Bundle, far: Far) -> None:
    bundle.sh("echo born").save()
    assert far.run(runt, "run", "-b", str(bundle.path), "test") == (0, "born\n")
    tables = [each["table"] for each in far.packets if each["type"] == "table"]
    assert tables == ["RUNTIME_STEPS", "INIT_STEPS", "START_STEPS", "DELETE_STEPS"]
    assert sum(each["type"] == "hello" for each in far.packets) == 2


@pytest.mark.parametrize("name", STOPS)
@pytest.mark.parametrize(("moment", "answer"), WAYS)
def test_a_step_of_create_that_the_observer_fails_leaves_nothing(
    runt: Runt, bundle: Bundle, far: Far, name: str, moment: str, answer: str
) -> None:
    bundle.namespaces("pid").save()
    before = Path("/proc/self/mountinfo").read_text()
    far.say = at(moment, name, answer)
    status, printed = far.run(runt, "create", "-b", str(bundle.path), "test")
    assert status == 1
    # Which one: the other process may be told to give up first.
    assert "(step " in printed
    assert ("aborted by the observer" if answer == "abort" else "the observer has gone") in printed
    assert not _left(runt)
    assert Path("/proc/self/mountinfo").read_text() == before
    for pid in {each["pid"] for each in far.packets}:
        assert not Path(f"/proc/{pid}").exists()
    if (moment, answer) == ("before", "abort"):
        # It is told that its step has failed.
        assert far.after(name)["error"] == "aborted by the observer"


@pytest.mark.parametrize("answer", ["abort", "vanish"])
@pytest.mark.parametrize(
    ("moment", "name"), [("before", "open_gate"), ("after", "end_hook"), ("after", "remove_record")]
)
def test_a_run_that_the_observer_fails_leaves_nothing(
    runt: Runt, bundle: Bundle, far: Far, moment: str, name: str, answer: str
) -> None:
    bundle.save()
    far.say = at(moment, name, answer)
    status, printed = far.run(runt, "run", "-b", str(bundle.path), "test")
    assert (status, name in printed) == (1, True)
    assert not _left(runt)


@pytest.mark.parametrize("answer", ["abort", "vanish"])
@pytest.mark.parametrize("name", ["clone_process", "enter_namespaces", "set_user", "hand_over"])
def test_an_exec_that_the_observer_fails_leaves_the_container_as_it_was(
    runt: Runt, bundle: Bundle, far: Far, name: str, answer: str
) -> None:
    bundle.process["args"] = ["sleep", "1000"]
    bundle.namespaces("pid")
    runt.create(bundle)
    runt.ok("start", "test")
    far.say = at("before", name, answer)
    status, printed = far.run(runt, "exec", "test", "touch", "/tmp/there")
    assert (status, name in printed) == (255, True)
    assert not (bundle.rootfs / "tmp/there").exists()
    assert len(runt.ok("ps", "test").splitlines()) == 2


@pytest.mark.parametrize("answer", ["abort", "vanish"])
def test_start_and_delete_that_the_observer_fails_can_be_repeated(
    runt: Runt, bundle: Bundle, far: Far, answer: str
) -> None:
    runt.create(bundle)
    far.say = at("before", "open_gate", answer)
    assert far.run(runt, "start", "test")[0] == 1
    assert runt.state()["status"] == "created"
    far.say = at("before", "remove_record", answer)
    assert far.run(runt, "delete", "--force", "test")[0] == 1
    assert runt.state()["status"] == "stopped"
    runt.ok("delete", "test")


def test_a_step_that_fails_is_told_with_its_reason(runt: Runt, bundle: Bundle, far: Far) -> None:
    bundle.process["args"] = ["nowhere"]
    bundle.save()
    assert far.run(runt, "create", "-b", str(bundle.path), "test")[0] == 1
    assert "nowhere" in far.after("find_program")["error"]
    # The runtime waits for it, and fails for the same reason.
    assert "nowhere" in far.after("wait_until_ready")["error"]


def test_an_interrupted_create_that_waits_for_its_observer_leaves_nothing(
    runt: Runt, bundle: Bundle, far: Far
) -> None:
    bundle.save()

    def interrupt(packet: dict[str, Any]) -> str:
        if packet.get("step") == "pivot_root":
            runtime = next(each["pid"] for each in far.packets if each["process"] == "runtime")
            os.kill(runtime, signal.SIGTERM)
            return ""
        return step(packet)

    far.say = interrupt
    assert far.run(runt, "create", "-b", str(bundle.path), "test")[0] == 128 + signal.SIGTERM
    assert not _left(runt)


def test_a_filter_that_allows_little_more_than_read_and_write_is_observed(
    runt: Runt, bundle: Bundle, far: Far
) -> None:
    forbidden = ["sendto", "sendmsg", "recvfrom", "recvmsg", "clock_gettime", "poll", "ppoll", "getpid"]
    bundle.process["noNewPrivileges"] = False
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": forbidden, "action": "SCMP_ACT_KILL_PROCESS"}],
    }
    bundle.save()
    assert far.run(runt, "create", "-b", str(bundle.path), "test") == (0, "")
    assert far.steps("after", "init")[-1] == "report_ready"
    assert far.after("set_umask")["nanoseconds"] > 0
    assert far.after("find_program")["nanoseconds"] == 0


def test_connections_are_passed_through_a_descriptor(runt: Runt, bundle: Bundle, far: Far) -> None:
    bundle.process["args"] = ["sleep", "1000"]
    bundle.save()
    number = far.passing.fileno()
    status, printed = far.run(
        runt, "create", "-b", str(bundle.path), "test", place=f"fd:{number}", pass_fds=[number]
    )
    assert (status, printed) == (0, "")
    assert far.steps("after") == _names(RUNTIME_STEPS)
    pid = runt.state()["pid"]
    assert {each["pid"] for each in far.packets if each["process"] == "init"} == {pid}
    assert not _sockets(pid)
    runt.ok("start", "test")
    assert not _sockets(pid)


def test_the_descriptor_is_not_one_that_the_program_gets(runt: Runt, bundle: Bundle, far: Far) -> None:
    """`--preserve-fds` that reaches as far as the observer's descriptor is refused."""
    bundle.save()
    number = far.passing.fileno()
    words = ("--observe", "fd:3", "create", "--preserve-fds", "1", "-b", str(bundle.path), "test")
    done = subprocess.run(
        ["bash", "-c", f'exec 3<&{number}; exec "$@"', "bash", *runt.command(*words)],
        cwd=REPOSITORY,
        pass_fds=[number],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "cannot preserve file descriptor 3" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/nowhere/s", "cannot connect to the observer: /nowhere/s: no such file or directory"),
        ("fd:x", "expected fd:N"),
        ("fd:1", "expected fd:N"),
        ("fd:1000", "cannot pass a connection to the observer: fd:1000: bad file descriptor"),
        ("fd:99999999999999999999", "cannot pass a connection to the observer"),
    ],
)
def test_an_observer_that_cannot_be_reached_is_named(
    runt: Runt, bundle: Bundle, place: str, said: str
) -> None:
    bundle.save()
    done = runt("--observe", place, "create", "-b", str(bundle.path), "test")
    assert done.returncode == 1
    assert said in done.stderr
    assert not _left(runt)


def test_a_command_without_steps_is_not_observed(runt: Runt) -> None:
    done = runt("--observe", "/nowhere/s", "list")
    assert (done.returncode, "list has no steps to observe" in done.stderr) == (1, True)


def test_an_observer_of_another_user_is_refused(runt: Runt, bundle: Bundle, far: Far) -> None:
    bundle.save()
    script = (
        "import os, socket, sys\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); s.listen(8)\n"
        "print('listening', flush=True); sys.stdin.read()\n"
    )
    Path(far.folder).chmod(0o777)
    path = f"{far.folder}/other"
    with subprocess.Popen(
        ["/usr/bin/python3", "-c", script, path],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"listening\n"
        done = runt("--observe", path, "create", "-b", str(bundle.path), "test")
        other.communicate()
    assert done.returncode == 1
    assert f"the observer is of user {NOBODY}" in done.stderr
    assert not _left(runt)


def test_a_rootless_container_is_observed_and_has_no_connection_when_it_is_created() -> None:
    with place_of_nobody() as place, Far(step, NOBODY) as far:
        nobody = RuntOfNobody(place)
        bundle = bundle_of_nobody(place)
        nobody.ok("spec", "--rootless", "-b", str(bundle.path))
        bundle.config = json.loads((bundle.path / "config.json").read_text())
        bundle.process.update(terminal=False, args=["sleep", "1000"])
        bundle.save()
        user: Any = {
            "user": NOBODY,
            "group": NOBODY,
            "extra_groups": [],
            "cwd": place,
            "env": {"PYTHONPATH": ""},
        }
        assert far.run(nobody, "create", "-b", str(bundle.path), "test", **user) == (0, "")
        assert far.steps("after", "init") == _names(INIT_STEPS, "report_ready")
        pid = nobody.state()["pid"]
        assert {each["pid"] for each in far.packets if each["process"] == "init"} == {pid}
        assert not _sockets(pid)
        assert far.run(nobody, "start", "test", **user) == (0, "")
        far.packets.clear()
        assert far.run(nobody, "exec", "test", "true", **user) == (0, "")
        # The process that enters the PID namespace is cloned twice (`clone_again`).
        assert far.steps("after", "exec") == _names(EXEC_INIT_STEPS, "report_ready")
        assert len({each["pid"] for each in far.packets if each["process"] == "exec"}) == 2
        nobody.clean_up()


def test_without_an_observer_nothing_of_it_is_loaded(runt: Runt, bundle: Bundle) -> None:
    bundle.save()
    words = ["--root", str(runt.root), "run", "-b", str(bundle.path), "test"]
    script = f"import sys; from runtime.cli import main; main({words!r}); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "runtime.steps.runner" in loaded
    assert "runtime.steps.observer" not in loaded
    assert "runtime.steps.calls" not in loaded
