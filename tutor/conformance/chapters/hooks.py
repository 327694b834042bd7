"""Hooks: when they run, where, and what their failure does: config.md#posix-platform-hooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tutor.conformance.registry import add, check

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject
    from tutor.engines.trial import Bundle

_CLAUSE = "config.md#posix-platform-hooks"
_KINDS = {
    "prestart": "config.md#prestart",
    "createRuntime": "config.md#createruntime-hooks",
    "createContainer": "config.md#createcontainer-hooks",
    "startContainer": "config.md#startcontainer-hooks",
    "poststart": "config.md#poststart",
    "poststop": "config.md#poststop",
}
_STATUS = {
    "prestart": ("creating", "created"),
    "createRuntime": ("creating", "created"),
    "createContainer": ("creating", "created"),
    "startContainer": ("created",),
    "poststart": ("running",),
    "poststop": ("stopped",),
}
"""The status in the state that a hook gets. Of the first three runtime.md says both: step 2 is over, `create` is not."""
_SHELL = "#!/bin/sh\n"
_STATE = "cat"
_DRAIN = "while read -r line; do :; done"
"""What a hook does with its standard input, so that the runtime's write does not fail."""


def _hook(kind: str, **members: Any) -> dict[str, Any]:
    """Return a hook whose file is there for the runtime and for the container: startContainer looks for it in the root."""
    inside = kind == "startContainer"
    return {"path": "/hook" if inside else "{bundle}/hook", **members}


def _file(kind: str) -> str:
    return "rootfs/hook" if kind == "startContainer" else "hook"


def _note(kind: str) -> str:
    """Return where a hook can write a note that is found again in the bundle."""
    return "/note" if kind == "startContainer" else "{bundle}/note"


def _read(box: Bundle, kind: str) -> str:
    return box.read("rootfs/note" if kind == "startContainer" else "note").strip()


def _live(t: Subject, box: Bundle) -> None:
    """Have a container live from `create` to `delete`.

    Raises:
        FailedError: an operation fails.
    """
    t.ok(box.engine("create"), "create")
    t.ok(box.engine("start"), "start")
    box.engine("kill", "KILL")
    box.until("stopped")
    t.ok(box.engine("delete"), "delete")


def _called(kind: str, clause: str) -> None:
    def run(t: Subject) -> None:
        script = f"{_SHELL}{_DRAIN}\necho called >>{_note(kind)}\n"
        with t.bundle(
            "exec sleep 60", patch={"hooks": {kind: [_hook(kind)]}}, files={_file(kind): script}
        ) as box:
            _live(t, box)
            t.same(kind, "called", _read(box, kind))

    add(f"hooks.called-{kind.lower()}", clause, run, text="hooks.called", kind=kind)


def _state(kind: str) -> None:
    def run(t: Subject) -> None:
        script = f"{_SHELL}{_STATE} >{_note(kind)}\n"
        with t.bundle(
            "exec sleep 60", patch={"hooks": {kind: [_hook(kind)]}}, files={_file(kind): script}
        ) as box:
            _live(t, box)
            try:
                state = json.loads(_read(box, kind))
            except ValueError:
                state = {}
            t.same(".id", box.id, state.get("id"))
            t.same(".bundle", box.path, state.get("bundle"))
            expected = _STATUS[kind]
            t.same(
                ".status",
                "|".join(expected),
                "|".join(expected) if state.get("status") in expected else state.get("status"),
            )

    add(f"hooks.state-{kind.lower()}", _CLAUSE, run, text="hooks.state", kind=kind)


def _order(kind: str) -> None:
    def run(t: Subject) -> None:
        script = f'{_SHELL}{_DRAIN}\necho "$1" >>{_note(kind)}\n'
        hooks = [_hook(kind, args=["hook", each]) for each in ("one", "two", "three")]
        with t.bundle("exec sleep 60", patch={"hooks": {kind: hooks}}, files={_file(kind): script}) as box:
            _live(t, box)
            t.same(kind, "one two three", " ".join(_read(box, kind).split()))

    add(f"hooks.order-{kind.lower()}", _CLAUSE, run, text="hooks.order", kind=kind)


def _environment(kind: str) -> None:
    def run(t: Subject) -> None:
        script = f'{_SHELL}{_DRAIN}\necho "$0|$1|$ONE" >{_note(kind)}\n'
        hook = _hook(kind, args=["name", "two words"], env=["PATH=/usr/bin:/bin", "ONE=1"])
        with t.bundle("exec sleep 60", patch={"hooks": {kind: [hook]}}, files={_file(kind): script}) as box:
            _live(t, box)
            # The kernel gives a script its own path in place of args[0].
            t.same("$1|$ONE", "two words|1", _read(box, kind).partition("|")[2])

    add(f"hooks.environment-{kind.lower()}", _CLAUSE, run, text="hooks.environment", kind=kind)


for _kind, _its_clause in _KINDS.items():
    _called(_kind, _its_clause)
for _kind in _KINDS:
    _state(_kind)
for _kind in _KINDS:
    _order(_kind)
for _kind in _KINDS:
    _environment(_kind)


def _fails(kind: str, operation: str) -> None:
    """Add a check that a failing hook fails its operation, and that the container is destroyed: it is not running afterwards."""

    def run(t: Subject) -> None:
        script = f"{_SHELL}{_DRAIN}\nexit 1\n"
        with t.bundle(
            "exec sleep 60", patch={"hooks": {kind: [_hook(kind)]}}, files={_file(kind): script}
        ) as box:
            done = box.engine("create")
            if operation == "start":
                t.ok(done, "create")
                done = box.engine("start")
            t.refused(done, operation)
            box.until_true(lambda: box.state().get("status") not in ("created", "running"))
            status = box.state().get("status", "")
            t.same(".status", "|stopped", "|stopped" if status in ("", "stopped") else status)

    since = "1.3.0" if kind == "poststart" else "1.0.0"
    name = f"hooks.failing-{kind.lower()}"
    add(name, "runtime.md#lifecycle", run, text="hooks.failing", since=since, kind=kind, operation=operation)


for _kind in ("prestart", "createRuntime", "createContainer"):
    _fails(_kind, "create")
for _kind in ("startContainer", "poststart"):
    _fails(_kind, "start")


@check("hooks.failing-poststop", "runtime.md#lifecycle")
def failing_poststop(t: Subject) -> None:
    """A poststop hook that fails is warned of; those after it run, and the container is deleted."""
    files = {
        "bad": f"{_SHELL}{_DRAIN}\nexit 1\n",
        "hook": f"{_SHELL}{_DRAIN}\necho called >{{bundle}}/note\n",
    }
    hooks = {"poststop": [{"path": "{bundle}/bad"}, {"path": "{bundle}/hook"}]}
    with t.bundle(":", patch={"hooks": hooks}, files=files) as box:
        t.ok(box.engine("create"), "create")
        t.ok(box.engine("start"), "start")
        box.until("stopped")
        t.ok(box.engine("delete"), "delete")
        t.same("poststop", "called", box.read("note").strip())
        t.refused(box.engine("state"), "state")


def _before(first: str, later: str) -> None:
    def run(t: Subject) -> None:
        files = {
            "hook": f'{_SHELL}{_DRAIN}\necho "$1" >>{{bundle}}/note\n',
            "rootfs/hook": f'{_SHELL}{_DRAIN}\necho "$1" >>/shared/note\n',
        }
        hooks = {kind: [_hook(kind, args=["hook", kind])] for kind in (first, later)}
        mount = {"destination": "/shared", "type": "bind", "source": "{bundle}", "options": ["rbind"]}
        with t.bundle("exec sleep 60", patch={"hooks": hooks}, files=files, mounts=[mount]) as box:
            _live(t, box)
            t.same("hooks", f"{first} {later}", " ".join(box.read("note").split()))

    name = f"hooks.{first.lower()}-before-{later.lower()}"
    add(name, "config.md#summary", run, text="hooks.before", first=first, later=later)


_before("prestart", "createRuntime")
_before("createRuntime", "createContainer")
_before("createContainer", "startContainer")
_before("startContainer", "poststart")
_before("poststart", "poststop")


def _moment(kind: str, operation: str) -> None:
    """Add a check that a hook runs in one operation, and not in the one before."""

    def run(t: Subject) -> None:
        script = f"{_SHELL}{_DRAIN}\necho called >>{_note(kind)}\n"
        with t.bundle(
            "exec sleep 60", patch={"hooks": {kind: [_hook(kind)]}}, files={_file(kind): script}
        ) as box:
            noted = {}
            for each, arguments in (("create", ()), ("start", ()), ("kill", ("KILL",)), ("delete", ())):
                if each == "delete":
                    box.until("stopped")
                t.ok(box.engine(each, *arguments), each)
                noted[each] = _read(box, kind)
            t.same(kind, operation, next((each for each, note in noted.items() if note), ""))

    add(
        f"hooks.moment-{kind.lower()}",
        "config.md#summary",
        run,
        text="hooks.moment",
        kind=kind,
        operation=operation,
    )


for _kind, _operation in (("createRuntime", "create"), ("createContainer", "create"), ("startContainer", "start"),
    ("poststart", "start"), ("poststop", "delete")):  # fmt: skip
    _moment(_kind, _operation)


def _namespace(kind: str, where: str) -> None:
    """Add a check of the namespace that a hook runs in: the runtime's or the container's."""

    def run(t: Subject) -> None:
        script = f"{_SHELL}{_DRAIN}\nreadlink /proc/self/ns/mnt >{_note(kind)}\n"
        with t.bundle(
            "exec sleep 60", patch={"hooks": {kind: [_hook(kind)]}}, files={_file(kind): script}
        ) as box:
            t.ok(box.engine("create"), "create")
            t.ok(box.engine("start"), "start")
            box.until_true(lambda: bool(_read(box, kind)))
            pids = {"runtime": t.lab.keeper_pid, "container": box.pid()}
            found = _read(box, kind)
            names = [name for name, pid in pids.items() if _link(pid) == found]
            t.same("/proc/self/ns/mnt", where, " ".join(names))

    add(
        f"hooks.namespace-{kind.lower()}",
        "config.md#summary",
        run,
        text=f"hooks.namespace-{where}",
        kind=kind,
    )


def _link(pid: int) -> str:
    from pathlib import Path

    return str(Path(f"/proc/{pid}/ns/mnt").readlink())


for _kind, _where in (("createRuntime", "runtime"), ("createContainer", "container"), ("startContainer", "container"),
    ("poststart", "runtime")):  # fmt: skip
    _namespace(_kind, _where)


@check("hooks.timeout", _CLAUSE)
def timeout(t: Subject) -> None:
    """A hook that runs longer than its `timeout` is ended, and has failed."""
    hook = {"path": "{bundle}/hook", "timeout": 1}
    with t.bundle(
        patch={"hooks": {"createRuntime": [hook]}}, files={"hook": f"{_SHELL}exec sleep 15\n"}
    ) as box:
        t.refused(box.engine("create"), "create")


@check("hooks.path-relative", _CLAUSE)
def path_relative(t: Subject) -> None:
    """The path of a hook is absolute: a relative one is an error."""
    t.refuses({"hooks": {"createRuntime": [{"path": "hook"}]}}, files={"hook": f"{_SHELL}{_DRAIN}\n"})


@check("hooks.path-missing", _CLAUSE)
def path_missing(t: Subject) -> None:
    """A hook that does not exist is an error."""
    t.refuses({"hooks": {"createRuntime": [{"path": "/no/such/hook"}]}})
