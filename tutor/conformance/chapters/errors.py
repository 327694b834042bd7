"""Operations that must generate an error, and leave everything as it was: runtime.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.conformance.registry import add, check

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject

_CREATE, _START = "runtime.md#create", "runtime.md#start"
_KILL, _DELETE, _STATE = "runtime.md#kill", "runtime.md#delete", "runtime.md#query-state"
_CLAUSES = {"state": _STATE, "create": _CREATE, "start": _START, "kill": _KILL, "delete": _DELETE}


def _without_id(operation: str) -> None:
    def run(t: Subject) -> None:
        with t.bundle() as box:
            extra = (f"--bundle={box.path}",) if operation == "create" else ()
            t.refused(t.command(t.runtime.argv(operation, "", extra)), operation)

    add(
        f"errors.{operation}-without-id",
        _CLAUSES[operation],
        run,
        text="errors.without-id",
        operation=operation,
    )


def _unknown_id(operation: str) -> None:
    def run(t: Subject) -> None:
        arguments = ("KILL",) if operation == "kill" else ()
        t.refused(t.command(t.runtime.argv(operation, "no-such-container", arguments)), operation)

    add(
        f"errors.{operation}-unknown-id",
        _CLAUSES[operation],
        run,
        text="errors.unknown-id",
        operation=operation,
    )


for _operation in ("state", "create", "start", "kill", "delete"):
    _without_id(_operation)
for _operation in ("state", "start", "kill", "delete"):
    _unknown_id(_operation)


@check("errors.create-same-id", _CREATE)
def create_same_id(t: Subject) -> None:
    """An id that is in use is refused, and the container that has it is as before."""
    with t.running() as box:
        before = box.state()
        t.refused(box.engine("create"), "create")
        t.same(".status", "running", box.state().get("status"))
        t.same(".pid", before.get("pid"), box.state().get("pid"))


@check("errors.create-same-id-stopped", _CREATE)
def create_same_id_stopped(t: Subject) -> None:
    """The id of a stopped container is in use until it is deleted."""
    with t.running(":") as box:
        box.until("stopped")
        t.refused(box.engine("create"), "create")
        t.same(".status", "stopped", box.state().get("status"))


def _id(name: str, container_id: str) -> None:
    def run(t: Subject) -> None:
        with t.bundle() as box:
            argv = t.runtime.argv("create", container_id, (f"--bundle={box.path}",))
            t.refused(t.command(argv), f"create {container_id!r}")

    add(f"errors.create-id-{name}", _CREATE, run, text="errors.id", id=container_id)


_id("path", "../outside")
_id("dots", "..")
_id("slash", "a/b")


@check("errors.create-no-bundle", _CREATE)
def create_no_bundle(t: Subject) -> None:
    """A bundle that does not exist."""
    argv = t.runtime.argv("create", "check-nowhere", ("--bundle=/no/such/bundle",))
    t.refused(t.command(argv), "create")
    t.refused(t.command(t.runtime.argv("state", "check-nowhere")), "state")


@check("errors.create-no-config", "bundle.md#container-format")
def create_no_config(t: Subject) -> None:
    """A bundle without config.json."""
    with t.bundle() as box:
        (box.inside / "config.json").unlink()
        t.refused(box.engine("create"), "create")
        t.refused(box.engine("state"), "state")


@check("errors.create-no-rootfs", "config.md#root")
def create_no_rootfs(t: Subject) -> None:
    """A root directory that does not exist."""
    t.refuses({"root": {"path": "no-such-directory"}})


@check("errors.create-leaves-nothing", "runtime.md#errors")
def create_leaves_nothing(t: Subject) -> None:
    """A `create` that fails late leaves no process, no mount and no container."""
    hooks = {"createRuntime": [{"path": "{bundle}/hook"}]}
    script = "#!/bin/sh\nwhile read -r line; do :; done\nexit 1\n"
    with t.bundle(patch={"hooks": hooks}, files={"hook": script}) as box:
        before = t.mounts()
        t.refused(box.engine("create"), "create")
        t.refused(box.engine("state"), "state")
        box.until_true(lambda: t.processes() == 0)
        t.same("cgroup.procs", 0, t.processes())
        t.same("/proc/self/mountinfo", before, t.mounts())


@check("errors.create-after-error", "runtime.md#errors")
def create_after_error(t: Subject) -> None:
    """After an error the same `create`, put right, succeeds."""
    with t.bundle("exec sleep 60") as box:
        file = box.inside / "config.json"
        good = file.read_text()
        config = json.loads(good)
        config["root"]["path"] = "no-such-directory"
        file.write_text(json.dumps(config))
        t.refused(box.engine("create"), "create")
        file.write_text(good)
        t.ok(box.engine("create"), "create")


@check("errors.start-running", _START)
def start_running(t: Subject) -> None:
    """`start` of a running container is refused, and has no effect."""
    with t.running("echo x >>/told; exec sleep 60") as box:
        box.until_true(lambda: bool(box.read("rootfs/told")))
        before = box.pid()
        t.refused(box.engine("start"), "start")
        t.same(".status", "running", box.state().get("status"))
        t.same(".pid", before, box.pid())
        t.same("/told", "x", box.read("rootfs/told").strip())


@check("errors.start-stopped", _START)
def start_stopped(t: Subject) -> None:
    """`start` of a stopped container is refused, and has no effect."""
    with t.running("echo x >>/told") as box:
        box.until("stopped")
        t.refused(box.engine("start"), "start")
        t.same(".status", "stopped", box.state().get("status"))
        t.same("/told", "x", box.read("rootfs/told").strip())


@check("errors.start-without-process", _START)
def start_without_process(t: Subject) -> None:
    """`start` of a container whose configuration has no `process` is refused (or `create` refuses it)."""
    t.refuses({"process": None})


@check("errors.kill-stopped", _KILL)
def kill_stopped(t: Subject) -> None:
    """`kill` of a stopped container is refused."""
    with t.running(":") as box:
        box.until("stopped")
        t.refused(box.engine("kill", "KILL"), "kill")
        t.same(".status", "stopped", box.state().get("status"))


@check("errors.kill-unknown-signal", _KILL)
def kill_unknown_signal(t: Subject) -> None:
    """A signal that does not exist is refused, and the container runs on."""
    with t.running() as box:
        t.refused(box.engine("kill", "NOSUCHSIGNAL"), "kill")
        t.same(".status", "running", box.state().get("status"))


@check("errors.delete-created", _DELETE)
def delete_created(t: Subject) -> None:
    """`delete` of a created container, which is not stopped, is refused, and has no effect."""
    with t.created() as box:
        t.refused(box.engine("delete"), "delete")
        t.same(".status", "created", box.state().get("status"))


@check("errors.delete-running", _DELETE)
def delete_running(t: Subject) -> None:
    """`delete` of a running container is refused, and has no effect."""
    with t.running() as box:
        t.refused(box.engine("delete"), "delete")
        t.same(".status", "running", box.state().get("status"))


@check("errors.delete-twice", _DELETE)
def delete_twice(t: Subject) -> None:
    """A container that was deleted can't be deleted again."""
    with t.running(":") as box:
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        t.refused(box.engine("delete"), "delete")


def _impossible(name: str, clause: str, **changes: Any) -> None:
    def run(t: Subject) -> None:
        t.refuses(**changes)

    add(f"errors.{name}", clause, run)


# What the machine can't give is an error, and never left out in silence.
_impossible(
    "unknown-namespace",
    "config-linux.md#namespaces",
    patch={"linux": {"namespaces": [{"type": "mount"}, {"type": "nonsense"}]}},
)
_impossible(
    "unknown-sysctl", "config-linux.md#sysctl", patch={"linux": {"sysctl": {"kernel.no_such_setting": "1"}}}
)
_impossible(
    "impossible-mount",
    "config.md#mounts",
    mounts=[{"destination": "/x", "type": "nosuchfs", "source": "none"}],
)
_impossible(
    "impossible-bind",
    "config.md#mounts",
    mounts=[{"destination": "/x", "type": "bind", "source": "/no/such/source", "options": ["bind"]}],
)
_impossible(
    "impossible-join",
    "config-linux.md#namespaces",
    patch={"linux": {"namespaces": [{"type": "mount"}, {"type": "uts", "path": "/no/such/namespace"}]}},
)
