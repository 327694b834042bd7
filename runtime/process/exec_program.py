"""The program that `exec` runs: that of `--process FILE`, or the container's own `process` changed by the command line."""

from __future__ import annotations

from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runtime.config.types import Capabilities, Config, ProcessConfig, User
    from runtime.state.options import ExecOptions

_HIGHEST_ID = 2**32 - 2
"""4294967295 means "no change" to setresuid(2) and is no user's."""


_INHERITED = (
    *("capabilities", "rlimits", "scheduler", "ioPriority", "execCPUAffinity"),
    *("apparmorProfile", "selinuxLabel"),
)
"""The members that come from the container's own process unless the file has them."""


def program_of(options: ExecOptions, config: Config) -> ProcessConfig:
    """Return the `process` that `exec` runs in a container with the configuration `config`. Raises RuntError."""
    if options.process:
        return _from_file(options.process, config["process"])
    return _from_command_line(options, config["process"])


def _from_file(path: str, own: ProcessConfig) -> ProcessConfig:
    """Return the `process` of the file; what it leaves out is taken from the container's own process, as in runc."""
    from runtime.config.load import load_process

    process = load_process(path)
    own_values: Any = own
    # An empty list of limits, an empty label or an affinity without processors counts as left out; an empty object of
    # capabilities means none.
    inherited: Any = {
        name: own_values[name]
        for name in _INHERITED
        if name in own_values
        and (process.get(name) in (None, "", []) or (name == "execCPUAffinity" and not process.get(name)))
    }
    process.update(inherited)
    if "oomScoreAdj" in own:
        # Also if the file says otherwise.
        process["oomScoreAdj"] = own["oomScoreAdj"]
    if "umask" in own["user"]:
        process["user"].setdefault("umask", own["user"]["umask"])
    return process


def _from_command_line(options: ExecOptions, own: ProcessConfig) -> ProcessConfig:
    """Return the container's own process with the program and the changes of the command line."""
    if not options.args:
        raise RuntError("exec args cannot be empty")
    process: ProcessConfig = {**own, "args": list(options.args), "terminal": options.tty}
    if options.cwd:
        if not options.cwd.startswith("/"):
            raise RuntError("Cwd must be an absolute path")
        process["cwd"] = options.cwd
    if options.env:
        for variable in options.env:
            if variable.find("=") < 1:
                raise RuntError(f"invalid --env argument: expected NAME=VALUE, found {variable!r}")
        process["env"] = [*own.get("env", ()), *options.env]
    if options.no_new_privs:
        process["noNewPrivileges"] = True
    if options.apparmor or options.process_label:
        _set_labels(process, options)
    process["user"] = _user(options, own["user"])
    if options.caps:
        process["capabilities"] = _with_capabilities(own.get("capabilities", {}), options.caps)
    return process


def _set_labels(process: ProcessConfig, options: ExecOptions) -> None:
    """Set the labels of `--apparmor` and `--process-label`. Raises RuntError where this machine has no such labels."""
    from runtime.config.machine_rules import check_labels
    from runtime.config.shape import Mismatch

    if options.apparmor:
        process["apparmorProfile"] = options.apparmor
    if options.process_label:
        process["selinuxLabel"] = options.process_label
    try:
        check_labels(process, ())
    except Mismatch as mismatch:
        raise RuntError(mismatch.text.removeprefix(": ")) from None


def _user(options: ExecOptions, own: User) -> User:
    """Return the user changed by `--user UID[:GID]` and `--additional-gids`.

    Text that is not a number is an error, and never user 0 (CVE-2026-30892).
    """
    user: User = {**own}
    if options.user:
        uid, colon, gid = options.user.partition(":")
        if colon:
            user["gid"] = _id(gid, "gid")
        user["uid"] = _id(uid, "uid")
    if options.additional_gids:
        more = [_id(gid, "additional gid") for gid in options.additional_gids]
        user["additionalGids"] = [*own.get("additionalGids", ()), *more]
    return user


def _id(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > _HIGHEST_ID:
        raise RuntError(f"bad {what}: expected a number from 0 to {_HIGHEST_ID}, found {text!r}")
    return int(text)


def _with_capabilities(own: Capabilities, names: Sequence[str]) -> Capabilities:
    """Return the sets with more capabilities in them.

    Nothing is added to the inheritable set, from which executed programs gain capabilities (CVE-2022-27650),
    and to the ambient set only what is inheritable already.
    """
    inheritable = own.get("inheritable", ())
    return {
        **own,
        "bounding": [*own.get("bounding", ()), *names],
        "effective": [*own.get("effective", ()), *names],
        "permitted": [*own.get("permitted", ()), *names],
        "ambient": [*own.get("ambient", ()), *(name for name in names if name in inheritable)],
    }
