"""The state of a container, and the operations that change it: runtime.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tutor.conformance.registry import add, check

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject
    from tutor.engines.trial import Bundle

_STATE, _CREATE, _START = "runtime.md#state", "runtime.md#create", "runtime.md#start"
_KILL, _DELETE, _LIFECYCLE = "runtime.md#kill", "runtime.md#delete", "runtime.md#lifecycle"
_TELL = "echo ran >/told; exec sleep 60"
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_FOREVER = "while :; do sleep 0.05; done"


@check("lifecycle.state-version", _STATE)
def state_version(t: Subject) -> None:
    """`ociVersion` of the state is a version in SemVer's form."""
    with t.created() as box:
        version = box.state().get("ociVersion")
        form = bool(isinstance(version, str) and _VERSION.fullmatch(version))
        t.same(".ociVersion", "X.Y.Z", "X.Y.Z" if form else version)


@check("lifecycle.state-id", _STATE)
def state_id(t: Subject) -> None:
    """`id` of the state is the one that was given."""
    with t.created() as box:
        t.same(".id", box.id, box.state().get("id"))


@check("lifecycle.state-bundle", _STATE)
def state_bundle(t: Subject) -> None:
    """`bundle` of the state is an absolute path, also when it was given as a relative one."""
    with t.bundle("exec sleep 60") as box:
        argv = t.runtime.argv("create", box.id, ("--bundle=.",))
        t.ok(t.command(argv, cwd=box.path), "create")
        t.same(".bundle", box.path, box.state().get("bundle"))


@check("lifecycle.state-pid-created", _STATE)
def state_pid_created(t: Subject) -> None:
    """`pid` of the state of a created container is a process."""
    with t.created() as box:
        t.same(".pid", "/proc/PID", _process(box))


@check("lifecycle.state-pid-running", _STATE)
def state_pid_running(t: Subject) -> None:
    """`pid` of the state of a running container is the process of its program."""
    with t.running("exec sleep 12345") as box:
        box.until_true(lambda: "12345" in _cmdline(box))
        t.same(".pid", "sleep 12345", _cmdline(box))


def _process(box: Bundle) -> str:
    return "/proc/PID" if box.pid() > 0 and Path(f"/proc/{box.pid()}").exists() else str(box.pid())


def _cmdline(box: Bundle) -> str:
    try:
        return Path(f"/proc/{box.pid()}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


@check("lifecycle.status-created", _STATE)
def status_created(t: Subject) -> None:
    """After `create` the status is `created`."""
    with t.created() as box:
        t.same(".status", "created", box.state().get("status"))


@check("lifecycle.status-running", _STATE)
def status_running(t: Subject) -> None:
    """After `start` the status is `running`."""
    with t.running() as box:
        t.same(".status", "running", box.state().get("status"))


@check("lifecycle.status-stopped", _STATE)
def status_stopped(t: Subject) -> None:
    """After the end of the program the status is `stopped`."""
    with t.running(":") as box:
        box.until("stopped")
        t.same(".status", "stopped", box.state().get("status"))


@check("lifecycle.state-annotations", _STATE)
def state_annotations(t: Subject) -> None:
    """The annotations of the configuration are in the state."""
    annotations = {"org.example.one": "1", "org.example.two": "\u4e8c"}
    with t.created(patch={"annotations": annotations}) as box:
        found = box.state().get("annotations")
        kept = {name: value for name, value in (found or {}).items() if name in annotations}
        t.same(".annotations", annotations, kept)


@check("lifecycle.state-json", "runtime.md#query-state")
def state_json(t: Subject) -> None:
    """`state` prints one JSON object on standard output, and nothing else."""
    with t.created() as box:
        done = box.engine("state")
        try:
            found = type(json.loads(done.stdout)).__name__
        except ValueError:
            found = done.stdout[:60]
        t.same("state", "dict", found)


@check("lifecycle.create-does-not-run", _LIFECYCLE)
def create_does_not_run(t: Subject) -> None:
    """`create` does not run the program."""
    with t.created(_TELL, files={"rootfs/.keep": ""}) as box:
        t.same("/told", "", box.read("rootfs/told").strip())
        t.ok(box.engine("start"), "start")
        box.until_true(lambda: bool(box.read("rootfs/told")))
        t.same("/told", "ran", box.read("rootfs/told").strip())


@check("lifecycle.create-config-later", _CREATE)
def create_config_later(t: Subject) -> None:
    """What is written to config.json after `create` has no effect."""
    with t.created("echo before >/told; exec sleep 60") as box:
        file = box.inside / "config.json"
        file.write_text(file.read_text().replace("echo before", "echo after"))
        t.ok(box.engine("start"), "start")
        box.until_true(lambda: bool(box.read("rootfs/told")))
        t.same("/told", "before", box.read("rootfs/told").strip())


@check("lifecycle.create-config-gone", _CREATE)
def create_config_gone(t: Subject) -> None:
    """Without config.json, which was deleted after `create`, the container is started and deleted all the same."""
    with t.created(_TELL) as box:
        (box.inside / "config.json").unlink()
        t.ok(box.engine("start"), "start")
        box.until_true(lambda: bool(box.read("rootfs/told")))
        t.same("/told", "ran", box.read("rootfs/told").strip())
        t.ok(box.engine("kill", "KILL"), "kill")
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")


@check("lifecycle.create-namespaces", _CREATE)
def create_namespaces(t: Subject) -> None:
    """The namespaces are there after `create`, not only after `start`."""
    with t.created() as box:
        kinds = ("mnt", "pid", "ipc", "uts")
        own = [kind for kind in kinds if _namespace(box.pid(), kind) != _namespace(t.lab.keeper_pid, kind)]
        t.same("/proc/PID/ns", " ".join(kinds), " ".join(own))


def _namespace(pid: int, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError:
        return ""


@check("lifecycle.start-runs", _START)
def start_runs(t: Subject) -> None:
    """`start` runs the program with its arguments."""
    args = ["/bin/sh", "-c", 'printf "%s|" "$@" >/told; exec sleep 60', "sh", "one two", "", "\u4e09"]
    with t.running(patch={"process": {"args": args}}) as box:
        box.until_true(lambda: bool(box.read("rootfs/told")))
        t.same('"$@"', "one two||\u4e09|", box.read("rootfs/told"))


@check("lifecycle.pid-stays", _LIFECYCLE)
def pid_stays(t: Subject) -> None:
    """The process of `create` and that of the program are one: `start` makes no other."""
    with t.created() as box:
        before = box.pid()
        t.ok(box.engine("start"), "start")
        box.until_true(lambda: "sleep" in _cmdline(box))
        t.same(".pid", before, box.pid())


def _signal(signal: str, name: str) -> None:
    def run(t: Subject) -> None:
        script = f"trap 'echo got >/told; exit' {name}; echo ready >/ready; {_FOREVER}"
        with t.running(script) as box:
            box.until_true(lambda: bool(box.read("rootfs/ready")))
            t.ok(box.engine("kill", signal), "kill")
            box.until_true(lambda: bool(box.read("rootfs/told")))
            t.same(f"trap {name}", "got", box.read("rootfs/told").strip())

    add(f"lifecycle.kill-{signal.lower()}", _KILL, run, text="lifecycle.kill-signal", signal=signal)


for _given, _name in (
    ("TERM", "TERM"),
    ("SIGTERM", "TERM"),
    ("15", "TERM"),
    ("HUP", "HUP"),
    ("USR1", "USR1"),
):
    _signal(_given, _name)


@check("lifecycle.kill-kill", _KILL)
def kill_kill(t: Subject) -> None:
    """KILL ends the process of a running container."""
    with t.running(f"trap '' TERM HUP INT; {_FOREVER}") as box:
        t.ok(box.engine("kill", "KILL"), "kill")
        box.until("stopped")
        t.same(".status", "stopped", box.state().get("status"))


@check("lifecycle.kill-created", _KILL)
def kill_created(t: Subject) -> None:
    """A created container takes signals: KILL ends it."""
    with t.created() as box:
        t.ok(box.engine("kill", "KILL"), "kill")
        box.until("stopped")
        t.same(".status", "stopped", box.state().get("status"))


@check("lifecycle.kill-only-the-process", _KILL)
def kill_only_the_process(t: Subject) -> None:
    """The signal goes to the container's process, not to its children."""
    child = f"(trap 'echo child >>/told' USR1; {_FOREVER}) &"
    script = f"{child} trap 'echo parent >>/told' USR1; echo ready >/ready; {_FOREVER}"
    with t.running(script) as box:
        box.until_true(lambda: bool(box.read("rootfs/ready")))
        t.ok(box.engine("kill", "USR1"), "kill")
        box.until_true(lambda: bool(box.read("rootfs/told")))
        t.same("/told", "parent", box.read("rootfs/told").strip())


@check("lifecycle.delete-stopped", _DELETE)
def delete_stopped(t: Subject) -> None:
    """A stopped container is deleted: `state` no longer knows it."""
    with t.running(":") as box:
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        t.refused(box.engine("state"), "state")


@check("lifecycle.delete-id-free", _DELETE)
def delete_id_free(t: Subject) -> None:
    """The id of a deleted container can be used again."""
    with t.running(":") as box:
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        t.ok(box.engine("create"), "create")
        t.same(".status", "created", box.state().get("status"))


@check("lifecycle.delete-mounts", _DELETE)
def delete_mounts(t: Subject) -> None:
    """Nothing that `create` mounted is left outside of the container, at no time."""
    before = t.mounts()
    with t.running(":") as box:
        box.until("stopped")
        t.same("/proc/self/mountinfo (stopped)", before, t.mounts())
        t.ok(box.engine("delete"), "delete")
    t.same("/proc/self/mountinfo (deleted)", before, t.mounts())


@check("lifecycle.delete-processes", _DELETE)
def delete_processes(t: Subject) -> None:
    """No process is left: neither of the container nor of the runtime."""
    with t.running("sleep 60 & sleep 60 & wait") as box:
        t.ok(box.engine("kill", "KILL"), "kill")
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        box.until_true(lambda: t.processes() == 0)
        t.same("cgroup.procs", 0, t.processes())


@check("lifecycle.delete-cgroup", _DELETE)
def delete_cgroup(t: Subject) -> None:
    """The cgroups that `create` made are gone."""
    before = _cgroups(t)
    with t.created(patch={"linux": {"cgroupsPath": "/conformance-deleted"}}) as box:
        t.ok(box.engine("kill", "KILL"), "kill")
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        t.same("/sys/fs/cgroup", before, _cgroups(t))


def _cgroups(t: Subject) -> list[str]:
    return sorted(
        str(path.relative_to(directory))
        for directory in t.lab.cgroups
        for path in Path(directory).rglob("*")
        if path.is_dir() and path.name.startswith("conformance-")
    )


@check("lifecycle.delete-keeps-foreign", _DELETE)
def delete_keeps_foreign(t: Subject) -> None:
    """What `create` did not make is not deleted: the bundle, and what was bound into the container."""
    mount = {"destination": "/mnt", "type": "bind", "source": "{bundle}/shared", "options": ["rbind"]}
    with t.bundle("echo kept >/mnt/file", files={"shared/.keep": ""}, mounts=[mount]) as box:
        t.ok(box.engine("create"), "create")
        t.ok(box.engine("start"), "start")
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        t.same("shared/file", "kept", box.read("shared/file").strip())
        t.same("config.json", True, (box.inside / "config.json").exists())
        t.same("rootfs", True, (box.inside / "rootfs").is_dir())


@check("lifecycle.scope", "runtime.md#scope-of-a-container")
def scope(t: Subject) -> None:
    """Two containers do not know of each other: the end of one leaves the other running."""
    with t.running() as first:
        with t.running() as second:
            t.ok(second.engine("kill", "KILL"), "kill")
            second.until("stopped")
            t.ok(second.engine("delete"), "delete")
        t.same(".status", "running", first.state().get("status"))
