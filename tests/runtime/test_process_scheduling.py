"""Scheduling, I/O priority, memory policy and personality of the program, as the kernel shows them inside the container."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runtime.kernel import scheduling
from tests.support.config_files import changed, load_text, refusal

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

INHERITED = os.nice(0)


def on_root(function: Any) -> Any:
    """Mark a test that runs containers."""
    return pytest.mark.root(pytest.mark.peer("busybox")(function))


def scheduling_of(bundle: Bundle, runt: Runt) -> tuple[int, int]:
    """Return policy and nice value of the container's program (proc(5), /proc/PID/stat, fields 41 and 19)."""
    bundle.process["args"] = ["cat", "/proc/self/stat"]
    fields = runt.run(bundle).rpartition(")")[2].split()
    return int(fields[41 - 3]), int(fields[19 - 3])


def deadline(**times: int) -> dict[str, Any]:
    """Return a `scheduler` for SCHED_DEADLINE, with times in nanoseconds."""
    return {"policy": "SCHED_DEADLINE", **times}


@on_root
@pytest.mark.parametrize(
    ("scheduler", "policy", "nice"),
    [
        ({"policy": "SCHED_BATCH", "nice": 19}, 3, 19),
        ({"policy": "SCHED_OTHER", "nice": -20}, 0, -20),
        ({"policy": "SCHED_IDLE", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, 5, INHERITED),
        (
            {"policy": "SCHED_DEADLINE", "runtime": 420_000, "deadline": 1_000_000, "period": 10_000_000},
            6,
            INHERITED,
        ),
    ],
    ids=lambda value: value.get("policy") if isinstance(value, dict) else "",
)
def test_scheduler(bundle: Bundle, runt: Runt, scheduler: dict[str, Any], policy: int, nice: int) -> None:
    bundle.process["scheduler"] = scheduler
    # Without any capability: it is set before they are dropped.
    assert scheduling_of(bundle, runt) == (policy, nice)


@on_root
def test_scheduler_that_the_kernel_refuses_is_an_error_with_the_reason(bundle: Bundle, runt: Runt) -> None:
    # Longer than /proc/sys/kernel/sched_deadline_period_max_us lets it be.
    times = {"runtime": 1_000_000, "deadline": 1 << 62, "period": 1 << 62}
    bundle.process["scheduler"] = {"policy": "SCHED_DEADLINE", **times}
    assert "error setting scheduler SCHED_DEADLINE: invalid argument" in runt.fail(bundle)
    bundle.process["scheduler"] = {
        "policy": "SCHED_DEADLINE", "runtime": 42_000, "deadline": 1_000_000, "period": 1_000_000
    }  # fmt: skip
    if len(os.sched_getaffinity(0)) > 1:
        bundle.linux["resources"] = {"cpu": {"cpus": "0"}}
        said = runt.fail(bundle)
        assert "process scheduler can't be used together with AllowedCPUs" in said
        assert "linux.resources.cpu.cpus" in said


@on_root
@pytest.mark.parametrize(
    ("io_class", "priority", "said"),
    [
        ("IOPRIO_CLASS_RT", 1, "realtime: prio 1"),
        ("IOPRIO_CLASS_BE", 7, "best-effort: prio 7"),
        # As with runc and crun, none is 0, the highest of the class.
        ("IOPRIO_CLASS_BE", None, "best-effort: prio 0"),
        ("IOPRIO_CLASS_IDLE", None, "idle"),
    ],
)
def test_io_priority(bundle: Bundle, runt: Runt, io_class: str, priority: int | None, said: str) -> None:
    given = {} if priority is None else {"priority": priority}
    bundle.process["ioPriority"] = {"class": io_class, **given}
    assert runt.run(bundle.sh("busybox ionice -p $$; busybox ionice")).split("\n")[0] == said


@on_root
@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
        ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0"),
        ({"mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}, "prefer=relative:0"),
        ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0"),
        ({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}, "weighted interleave:0"),
        ({"mode": "MPOL_LOCAL"}, "local"),
        ({"mode": "MPOL_DEFAULT"}, "default"),
    ],
    ids=lambda value: value["mode"] if isinstance(value, dict) else "",
)
def test_memory_policy(bundle: Bundle, runt: Runt, policy: dict[str, Any], shown: str) -> None:
    bundle.linux["memoryPolicy"] = policy
    bundle.process["args"] = ["cat", "/proc/self/numa_maps"]
    assert runt.run(bundle).splitlines()[0].split(" ", 1)[1].startswith(shown)


@on_root
def test_memory_node_that_is_not_there_is_an_error(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "500"}
    assert "cannot set the memory policy MPOL_BIND with the nodes 500: invalid argument" in runt.fail(bundle)


@on_root
def test_personality_shows_a_32_bit_machine(bundle: Bundle, runt: Runt) -> None:
    bundle.linux["personality"] = {"domain": "LINUX32"}
    assert runt.run(bundle.sh("uname -m; cat /proc/self/personality")).split() == ["i686", "00000008"]
    bundle.linux["personality"] = {"domain": "LINUX"}
    assert runt.run(bundle.sh("cat /proc/self/personality")).split() == ["00000000"]


@on_root
@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="on one processor there is nothing to be bound to"
)
def test_the_callers_affinity_does_not_bind_the_container(bundle: Bundle, runt: Runt) -> None:
    """As with runc since 1.3: `taskset -c 0 runt run` runs on all processors, and so does what `exec` starts."""
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everything)})
    try:
        runt.create(bundle.namespaces("pid").sh("grep Cpus_allowed_list /proc/self/status; sleep 100"))
        init = runt.state()["pid"]
        inside = runt.ok("exec", "test", "grep", "Cpus_allowed:", "/proc/self/status").split()[1]
    finally:
        os.sched_setaffinity(0, everything)
    assert os.sched_getaffinity(init) == everything
    assert int(inside.replace(",", ""), 16) == sum(1 << number for number in everything)


def test_no_processor_is_left_out_on_a_machine_with_more_than_1024(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask of the C library's cpu_set_t (CPU_SET(3)) would bind every container of such a machine to the first 1,024."""
    masks: list[bytes] = []
    monkeypatch.setattr(scheduling, "call", lambda _name, _pid, size, mask: masks.append(mask[:size]))
    scheduling.sched_setaffinity_all()
    (mask,) = masks
    assert len(mask) * 8 >= max(8192, int(Path("/sys/devices/system/cpu/kernel_max").read_text()) + 1)
    assert set(mask) == {0xFF}


@on_root
def test_exec_schedules_its_program_as_the_container_or_as_it_says_itself(
    bundle: Bundle, runt: Runt, tmp_path: Path
) -> None:
    bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 3}
    bundle.linux["personality"] = {"domain": "LINUX32"}
    last = max(os.sched_getaffinity(0))
    # The kernel leaves out what the machine does not have, also beyond the 1,024 of the C library's cpu_set_t.
    bundle.process["execCPUAffinity"] = {"initial": "0,1500", "final": f"{last},8191"}
    runt.create(bundle.namespaces("pid").sh("sleep 100"))
    script = "grep Cpus_allowed_list /proc/self/status; uname -m; cat /proc/self/stat"
    affinity, machine, stat = runt.ok("exec", "test", "sh", "-c", script).splitlines()
    fields = stat.rpartition(")")[2].split()
    assert affinity.split()[1] == str(last)
    assert machine == "i686"
    assert (fields[41 - 3], fields[19 - 3]) == ("3", "3")
    # Init itself is not meant.
    init = Path(f"/proc/{runt.state()['pid']}/status").read_text()
    assert f"Cpus_allowed_list:\t{last}\n" not in init or last == 0
    process = {
        "args": ["sh", "-c", script],
        "cwd": "/",
        "env": ["PATH=/bin"],
        "scheduler": {"policy": "SCHED_IDLE"},
        # Without processors it counts as left out.
        "execCPUAffinity": {"final": ""},
    }
    (tmp_path / "process.json").write_text(json.dumps(process))
    affinity, _, stat = runt.ok("exec", "--process", str(tmp_path / "process.json"), "test").splitlines()
    # What the file leaves out is the container's, as with runc.
    assert affinity.split()[1] == str(last)
    assert stat.rpartition(")")[2].split()[41 - 3] == "5"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("process.scheduler", {}, "process.scheduler.policy is required"),
        ("process.scheduler", {"policy": "SCHED_ISO"}, "process.scheduler.policy: Linux has reserved SCHED_ISO"),
        ("process.scheduler", {"policy": "FIFO"}, "process.scheduler.policy: expected one of SCHED_OTHER"),
        ("process.scheduler", {"policy": "SCHED_OTHER", "nice": 20}, "process.scheduler.nice: expected"),
        ("process.scheduler", {"policy": "SCHED_RR"}, "process.scheduler.priority: expected a number from 1"),
        (
            "process.scheduler",
            {"policy": "SCHED_BATCH", "priority": 1},
            "process.scheduler.priority can only be specified for SCHED_FIFO or SCHED_RR",
        ),
        (
            "process.scheduler",
            {"policy": "SCHED_RR", "priority": 1, "period": 1},
            "process.scheduler.period can only be specified for SCHED_DEADLINE",
        ),
        ("process.scheduler", {"policy": "SCHED_IDLE", "flags": ["X"]}, "process.scheduler.flags[0]: expected"),
        ("process.scheduler", deadline(deadline=2048), "process.scheduler.runtime is required for SCHED_DEADLINE"),
        ("process.scheduler", deadline(runtime=2048), "process.scheduler.deadline is required for SCHED_DEADLINE"),
        (
            "process.scheduler",
            deadline(runtime=1023, deadline=2048),
            "process.scheduler.runtime: expected at least 1024 nanoseconds",
        ),
        (
            "process.scheduler",
            deadline(runtime=4096, deadline=2048, period=8192),
            "process.scheduler.deadline: expected at least the runtime, 4096, found 2048",
        ),
        (
            "process.scheduler",
            deadline(runtime=1024, deadline=2048, period=2047),
            "process.scheduler.period: expected at least the deadline, 2048, found 2047",
        ),
        (
            "process.scheduler",
            deadline(runtime=1024, deadline=1 << 63),
            "process.scheduler.deadline: expected at most 9223372036854775807 nanoseconds",
        ),
        ("process.ioPriority", {"priority": 1}, "process.ioPriority.class is required"),
        ("process.ioPriority", {"class": "RT", "priority": 1}, "process.ioPriority.class: expected one of"),
        (
            "process.ioPriority",
            {"class": "IOPRIO_CLASS_RT", "priority": 8},
            "process.ioPriority.priority: expected a whole number from 0 to 7",
        ),
        ("process.execCPUAffinity", {"initial": "0-"}, "process.execCPUAffinity.initial: expected numbers"),
        ("process.execCPUAffinity", {"final": "3-1"}, "process.execCPUAffinity.final: the range 3-1 ends"),
        ("linux.memoryPolicy", {}, "linux.memoryPolicy.mode is required"),
        ("linux.memoryPolicy", {"mode": "BIND"}, "linux.memoryPolicy.mode: invalid memory policy mode: expected one of"),
        ("linux.memoryPolicy", {"mode": "MPOL_BIND"}, "linux.memoryPolicy.nodes: MPOL_BIND: memory policy mode requires"),
        (
            "linux.memoryPolicy",
            {"mode": "MPOL_LOCAL", "nodes": "0-7"},
            "linux.memoryPolicy.nodes: MPOL_LOCAL: memory policy mode requires 0 nodes but got 8",
        ),
        (
            "linux.memoryPolicy",
            {"mode": "MPOL_BIND", "nodes": "99999999999"},
            "linux.memoryPolicy.nodes: invalid memory policy node: numbers above 65536 are not supported",
        ),
        ("linux.memoryPolicy", {"mode": "MPOL_LOCAL", "flags": ["x"]}, "linux.memoryPolicy.flags[0]: invalid memory policy flag: expected"),
        ("linux.personality", {"domain": "UNIX"}, "linux.personality.domain: expected one of LINUX, LINUX32"),
        (
            "linux.personality",
            {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]},
            "linux.personality.flags[0]: no flags are defined",
        ),
    ],
)  # fmt: skip
def test_what_can_never_be_applied_is_refused_by_name(
    tmp_path: Path, place: str, value: object, message: str
) -> None:
    assert refusal(tmp_path, changed(place, value)).split(": ", 1)[1].startswith(message)


def test_members_about_windows_say_nothing_here(tmp_path: Path) -> None:
    config = json.loads(changed("process.commandLine", "x"))
    config["process"]["user"] = {"uid": 5, "username": "x"}
    loaded = load_text(tmp_path, json.dumps(config))["process"]
    assert loaded == {"args": ["echo"], "cwd": "/", "user": {"uid": 5, "gid": 0}}
