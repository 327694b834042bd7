"""Questions on hooks: when they run, what they get, and what their failure does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tutor.engines.traits.probes.registry import probe
from tutor.engines.trial import PATH, UndecidedError

if TYPE_CHECKING:
    from tutor.engines.trial import Bundle, Done, Trial

_CALLER, _PROCESS, _WORDS = "TRAIT_OF_CALLER", "TRAIT_OF_PROCESS", "spoken-by-the-hook"


# A hook that ends without reading the state from its standard input kills crun (1.8.1, 1.21) by SIGPIPE now and then.
_SHELL = "#!/bin/sh\nwhile read -r line; do :; done\n"


def _hook(kind: str, path: str = "{bundle}/hook", **members: object) -> dict[str, object]:
    return {"hooks": {kind: [{"path": path, **members}]}}


def _create(trial: Trial, box: Bundle, cwd: str = "/") -> Done:
    argv = trial.engine.argv("create", box.id, (f"--bundle={box.path}",))
    return trial.command(argv, env={_CALLER: "1"}, cwd=cwd)


@probe("hook-environment")
def hook_environment(trial: Trial) -> str:
    """The environment of a `createRuntime` hook without `env`."""
    script = _SHELL + "env >{bundle}/noted\n"
    with trial.bundle(patch=_hook("createRuntime"), files={"hook": script}) as box:
        if not _create(trial, box).ok:
            raise UndecidedError
        return _environment(box.read("noted"))


@probe("start-container-environment")
def start_container_environment(trial: Trial) -> str:
    """The environment of a `startContainer` hook without `env`."""
    patch = {
        **_hook("startContainer", "/hook"),
        "process": {"env": [PATH, f"{_PROCESS}=1"]},
    }
    with trial.bundle(patch=patch, files={"rootfs/hook": _SHELL + "env >/noted\n"}) as box:
        if not (_create(trial, box).ok and box.engine("start").ok and box.until("stopped")):
            raise UndecidedError
        return _environment(box.read("rootfs/noted"))


def _environment(printed: str) -> str:
    if f"{_PROCESS}=" in printed:
        return "process"
    return "caller" if f"{_CALLER}=" in printed else "empty"


@probe("hook-directory")
def hook_directory(trial: Trial) -> str:
    """The working directory of a `createRuntime` hook."""
    with trial.bundle(patch=_hook("createRuntime"), files={"hook": _SHELL + "pwd >{bundle}/noted\n"}) as box:
        if not _create(trial, box, cwd="/etc").ok:
            raise UndecidedError
        return {box.path: "bundle", "/etc": "caller", "/": "root"}.get(box.read("noted").strip(), "other")


def _failed(trial: Trial) -> tuple[str, str]:
    """Return what `create` prints when a `createRuntime` hook fails, and the hook's path."""
    script = _SHELL + f"echo {_WORDS} >&2\nexit 7\n"
    with trial.bundle(patch=_hook("createRuntime"), files={"hook": script}) as box:
        done = _create(trial, box)
        if done.ok:
            raise UndecidedError
        return done.stdout + done.stderr, f"{box.path}/hook"


@probe("hook-error-kind")
def hook_error_kind(trial: Trial) -> str:
    """Does the error of a failed hook name its kind (`createRuntime`)?"""
    return _told("createruntime" in _failed(trial)[0].lower())


@probe("hook-error-path")
def hook_error_path(trial: Trial) -> str:
    """Does it name the hook's path?"""
    text, path = _failed(trial)
    return _told(path in text)


@probe("hook-error-stderr")
def hook_error_stderr(trial: Trial) -> str:
    """Does it have what the hook printed to standard error?"""
    return _told(_WORDS in _failed(trial)[0])


def _told(there: bool) -> str:
    return "told" if there else "untold"


@probe("create-runtime-status")
def create_runtime_status(trial: Trial) -> str:
    """The `status` in the state that a `createRuntime` hook reads."""
    with trial.bundle(
        patch=_hook("createRuntime"), files={"hook": "#!/bin/sh\ncat >{bundle}/noted\n"}
    ) as box:
        if not _create(trial, box).ok:
            raise UndecidedError
        try:
            status = json.loads(box.read("noted")).get("status")
        except ValueError:
            return "other"
    return status if status in ("creating", "created") else "other"


@probe("create-container-pid")
def create_container_pid(trial: Trial) -> str:
    """The `pid` in the state that a `createContainer` hook reads."""
    with trial.bundle(
        patch=_hook("createContainer"), files={"hook": "#!/bin/sh\ncat >{bundle}/noted\n"}
    ) as box:
        if not _create(trial, box).ok:
            raise UndecidedError
        try:
            pid = json.loads(box.read("noted")).get("pid", 0)
        except ValueError:
            return "other"
        return {1: "container", 0: "zero", box.pid(): "host"}.get(pid, "other")


@probe("poststart-time")
def poststart_time(trial: Trial) -> str:
    """Which operation calls `poststart`?"""
    with trial.bundle(
        "exec sleep 60", patch=_hook("poststart"), files={"hook": _SHELL + ": >{bundle}/noted\n"}
    ) as box:
        if not _create(trial, box).ok:
            raise UndecidedError
        noted = box.inside / "noted"
        if noted.exists():
            return "create"
        box.engine("start")
        return "start" if box.until_true(noted.exists) else "never"


@probe("failing-poststart")
def failing_poststart(trial: Trial) -> str:
    """What does a `poststart` hook that fails do?"""
    with trial.bundle("exec sleep 60", patch=_hook("poststart"), files={"hook": _SHELL + "exit 7\n"}) as box:
        if not _create(trial, box).ok:
            return "create-fails"
        started = box.engine("start")
        if not started.ok:
            return "start-fails"
        return "ignored" if box.state().get("status") == "running" else "stopped"


@probe("failing-start-container")
def failing_start_container(trial: Trial) -> str:
    """Does `start` fail when a `startContainer` hook does?"""
    patch = _hook("startContainer", "/hook")
    with trial.bundle(patch=patch, files={"rootfs/hook": _SHELL + "exit 7\n"}) as box:
        if not _create(trial, box).ok:
            raise UndecidedError
        return "start-succeeds" if box.engine("start").ok else "start-fails"


@probe("failing-poststop")
def failing_poststop(trial: Trial) -> str:
    """What does `delete` make of a `poststop` hook that fails?"""
    with trial.bundle(patch=_hook("poststop"), files={"hook": _SHELL + "exit 7\n"}) as box:
        if not (_create(trial, box).ok and box.engine("start").ok and box.until("stopped")):
            raise UndecidedError
        done = box.engine("delete")
    said = done.stdout + done.stderr
    if not done.ok:
        if "hook" not in said:
            raise UndecidedError(said)  # another failure
        return "fails"
    return "warns" if said.strip() else "silent"


@probe("poststop-after-failed-create")
def poststop_after_failed_create(trial: Trial) -> str:
    """Is `poststop` called when `create` fails in a `createContainer` hook?"""
    hooks = {
        "createContainer": [{"path": "{bundle}/fails"}],
        "poststop": [{"path": "{bundle}/hook"}],
    }
    files = {"fails": _SHELL + "exit 7\n", "hook": _SHELL + ": >{bundle}/noted\n"}
    with trial.bundle(patch={"hooks": hooks}, files=files) as box:
        if _create(trial, box).ok:
            raise UndecidedError
        return "called" if (box.inside / "noted").exists() else "not-called"
