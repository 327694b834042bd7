"""`runt`'s command line, which is runc's: each command loads only what it needs and calls its operation."""

from __future__ import annotations

import gc
import os
import sys

from runtime import __version__
from runtime.commands import COMMANDS, find_command, options_of
from runtime.lifecycle import interrupts
from runtime.support import log
from runtime.support.errors import RuntError, describe
from runtime.usage import UsageError, command_help, global_help, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from runtime.state.store import Entry
    from runtime.steps.runner import Plan
    from runtime.usage import Fields

    Handler = Callable[[Fields, Fields, list[str]], int]
    """A command: takes the global options, the fields that its own options fill, and its arguments; returns the exit status."""

_NEAR_CONTAINERS = ("create", "exec", "restore", "run")
"""Commands whose processes a container can see: for them the interpreter is protected from it."""
_OBSERVED = ("create", "delete", "exec", "restore", "run", "start")
"""Commands that walk a table of steps."""
_NO_SUCH_COMMAND = 3
"""runc's exit status for a command that it doesn't have."""
_EXEC_FAILED = 255
"""runc's exit status for an `exec` that fails, so that it can be told from a program's."""


def command() -> NoReturn:
    """Run the command line of this process as the program `runt`, and end the process."""
    # The process ends before there is garbage; and what is not collected is not copied for a child.
    gc.disable()
    # Not sys.exit: taking the interpreter apart takes longer than `state`.
    os._exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` and return the exit status; without `argv`, that of this process, which may start again."""
    _open_standard_streams()
    try:
        interrupts.enable()
        if argv is None:
            return _run(sys.argv[1:], protect=True)
        return _run(argv)
    except RuntError as error:
        log.error(error.message)
        return error.exit_status
    except BrokenPipeError:
        return 1
    except OSError as error:
        log.error(describe(error))
        return 1
    except interrupts.InterruptedCommandError as interrupt:
        return interrupt.exit_status
    except MemoryError:
        log.error("not enough memory")
        return 1
    except Exception as error:  # noqa: BLE001 - a fault of runt is still one message, not a traceback
        log.error(f"this is a fault in runt, please report it: {type(error).__name__}: {error}")
        return 1


def _open_standard_streams() -> None:
    """Open /dev/null as every standard stream that is closed: the next file that is opened would take its number."""
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:
            # The program gets it too, as runc's does.
            os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)


def _run(words: Sequence[str], *, protect: bool = False) -> int:
    """Read the global options, set up the log, run the command."""
    try:
        settings, rest = parse(options_of(""), words, mixed=False)
    except UsageError as error:
        _print(f"Incorrect Usage. {error.message}\n\n{_global_help()}")
        raise
    if settings["version"]:
        _print(f"runt version {_version()}\n")
        return 0
    log.configure(settings["log"], settings["log_format"], debug=settings["debug"])
    if settings["rootless"] not in ("auto", "true", "false", "1", "0"):
        raise RuntError(
            f'invalid value "{settings["rootless"]}" for --rootless: expected true, false or auto'
        )
    if not rest or settings["help"]:
        _print(_global_help())
        return 0
    name, *arguments = rest
    if name in ("help", "h"):
        return _help(arguments)
    command = find_command(name)
    if command is None:
        raise _no_such_command(name)
    options = options_of(name)
    try:
        fields, arguments = parse(options, arguments, mixed=command.mixed)
        if fields.pop("help"):
            _print(command_help(command, options))
            return 0
        command.check_count(arguments)
    except UsageError as error:
        _print(f"{error.heading}\n\n{command_help(command, options)}\n")
        raise
    if settings["observe"] and name not in _OBSERVED:
        raise RuntError(f"--observe: {name} has no steps to observe: {', '.join(_OBSERVED)} have")
    if protect and name in _NEAR_CONTAINERS:
        from runtime.install import protection

        protection.protect()
    if name == "list" and settings["root"]:
        _check_root(settings["root"])
    settings["root"] = settings["root"] or _default_root()
    return _call(name, settings, fields, arguments)


def _check_root(root: str) -> None:
    """Raise RuntError if the state directory that `--root` names does not exist."""
    try:
        os.stat(root)
    except FileNotFoundError:
        raise RuntError(f"the state directory that --root names does not exist: {root}") from None
    except PermissionError:
        # Said when it is read.
        pass


def _call(name: str, settings: Fields, fields: Fields, arguments: list[str]) -> int:
    """Call the operation; an error of `create`, `run` or `exec` begins with the command, as runc's does."""
    try:
        return _HANDLERS[name](settings, fields, arguments)
    except (RuntError, OSError) as error:
        if name not in ("create", "exec", "run"):
            raise
        message = error.message if isinstance(error, RuntError) else describe(error)
        if name == "exec":
            raise RuntError(f"exec failed: {message}", _EXEC_FAILED) from None
        raise RuntError(f"runt {name} failed: {message}") from None


def _help(arguments: list[str]) -> int:
    """`help [command]`."""
    if not arguments:
        _print(_global_help())
        return 0
    command = find_command(arguments[0])
    if command is None:
        raise _no_such_command(arguments[0])
    _print(command_help(command, options_of(command.name)))
    return 0


def _no_such_command(name: str) -> RuntError:
    return RuntError(f"No help topic for '{name}': runt --help lists the commands", _NO_SUCH_COMMAND)


def _create(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.create import create
    from runtime.state.options import CreateOptions

    create(
        CreateOptions(
            root=settings["root"],
            container_id=arguments[0],
            systemd_cgroup=settings["systemd_cgroup"],
            **fields,
        ),
        _plan(settings, "create"),
    )
    return 0


def _run_container(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.run import run
    from runtime.state.options import CreateOptions

    options = CreateOptions(
        root=settings["root"], container_id=arguments[0], systemd_cgroup=settings["systemd_cgroup"], **fields
    )
    return run(options, _plan(settings, "run"))


def _exec(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.exec import execute
    from runtime.state.options import ExecOptions

    container_id, *args = arguments
    entry = _open(settings, container_id)
    return execute(entry, ExecOptions(args=args, **fields), _plan(settings, "exec"))


def _start(settings: Fields, _fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.start import start

    start(_open(settings, arguments[0]), _plan(settings, "start"))
    return 0


def _state(settings: Fields, _fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.state import describe as state_of

    # No newline at the end: as runc.
    _print(_json(state_of(_open(settings, arguments[0])), indent=True))
    return 0


def _kill(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.kill import kill

    kill(_open(settings, arguments[0]), "".join(arguments[1:]) or "TERM", **fields)
    return 0


def _delete(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.delete import delete, delete_matching

    operation = delete_matching if fields["regex"] else delete
    operation(settings["root"], arguments[0], force=fields["force"], plan=_plan(settings, "delete"))
    return 0


def _list(settings: Fields, fields: Fields, _arguments: list[str]) -> int:
    from runtime.operations.listing import query, table

    states = query(settings["root"])
    if fields["quiet"]:
        _print("".join(f"{state['id']}\n" for state in states))
    elif fields["format"] == "table":
        _print(table(states))
    elif fields["format"] == "json":
        _print(_json(states or None) + "\n")
    else:
        raise RuntError("invalid format option")
    return 0


def _pause(settings: Fields, _fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.pause import pause

    pause(_open(settings, arguments[0]))
    return 0


def _resume(settings: Fields, _fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.pause import resume

    resume(_open(settings, arguments[0]))
    return 0


def _update(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.update import update
    from runtime.state.options import UpdateOptions

    update(_open(settings, arguments[0]), UpdateOptions(**fields))
    return 0


def _ps(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.ps import processes, table

    container_id, *options = arguments
    entry = _open(settings, container_id)
    if fields["format"] == "json":
        _print(_json(processes(entry)) + "\n")
    elif fields["format"] == "table":
        _print(table(entry, options))
    else:
        raise RuntError("invalid format option")
    return 0


def _events(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.events import events, parse_duration

    def show(event: dict[str, Any]) -> None:
        _print(_json(event) + "\n")

    interval = parse_duration(fields["interval"])
    events(_open(settings, arguments[0]), show, interval=interval, once=fields["once"])
    return 0


def _spec(_settings: Fields, fields: Fields, _arguments: list[str]) -> int:
    from runtime.operations import spec

    spec.write(**fields)
    return 0


def _features(_settings: Fields, _fields: Fields, _arguments: list[str]) -> int:
    from runtime.operations.features import features

    _print(_json(features(), indent=True) + "\n")
    return 0


def _steps(_settings: Fields, fields: Fields, _arguments: list[str]) -> int:
    from runtime.operations.steps import steps, table

    if fields["format"] not in ("json", "table"):
        raise RuntError("invalid format option")
    tables = steps()
    _print(table(tables) if fields["format"] == "table" else _json(tables, indent=True) + "\n")
    return 0


def _checkpoint(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.checkpoint import checkpoint
    from runtime.operations.criu import complete
    from runtime.state.options import CheckpointOptions

    options = CheckpointOptions(criu=settings["criu"], **fields)
    complete(options)
    checkpoint(_open(settings, arguments[0]), options)
    return 0


def _restore(settings: Fields, fields: Fields, arguments: list[str]) -> int:
    from runtime.operations.criu import complete
    from runtime.operations.restore import restore
    from runtime.state.options import RestoreOptions

    if settings["systemd_cgroup"]:
        raise RuntError(
            "--systemd-cgroup is not supported by restore in this version of runt: leave it out to have cgroupfs used"
        )
    options = RestoreOptions(
        root=settings["root"], container_id=arguments[0], criu=settings["criu"], **fields
    )
    complete(options)
    return restore(options, _plan(settings, "restore"))


_HANDLERS: dict[str, Handler] = {
    "checkpoint": _checkpoint,
    "restore": _restore,
    "create": _create,
    "delete": _delete,
    "events": _events,
    "exec": _exec,
    "features": _features,
    "kill": _kill,
    "list": _list,
    "pause": _pause,
    "ps": _ps,
    "resume": _resume,
    "run": _run_container,
    "spec": _spec,
    "start": _start,
    "state": _state,
    "steps": _steps,
    "update": _update,
}


def _plan(settings: Fields, operation: str) -> Plan | None:
    """Return the plan with the observer of `--observe`, None without one. Raises RuntError."""
    if not settings["observe"]:
        return None
    from runtime.steps.observer import SocketObserver
    from runtime.steps.runner import Plan

    return Plan(observer=SocketObserver(settings["observe"], operation))


def _open(settings: Fields, container_id: str) -> Entry:
    """Return the container, once for the whole command. Raises RuntError if there is none."""
    from runtime.state.store import Store

    return Store(settings["root"]).open(container_id)


def _default_root() -> str:
    """Return the state directory that is used without `--root`.

    As with runc it is the user's own
    - for a user other than root;
    - for root of a user namespace whose `USER` is not root: podman's rootless containers.
    """
    directory = os.environ.get("XDG_RUNTIME_DIR")
    if directory and (os.geteuid() != 0 or (os.environ.get("USER") != "root" and _in_user_namespace())):
        return f"{directory}/runt"
    return "/run/runt"


def _in_user_namespace() -> bool:
    """Tell whether this is not the host's own user namespace, in which every ID is itself (user_namespaces(7))."""
    try:
        with open("/proc/self/uid_map", encoding="utf-8") as file:
            return file.read().split() != ["0", "0", "4294967295"]
    except OSError:
        return False


def _global_help() -> str:
    return global_help(_version(), options_of(""), COMMANDS)


def _version() -> str:
    from runtime.state.store import SPEC_VERSION

    return f"{__version__}\nspec: {SPEC_VERSION}"


def _json(value: object, *, indent: bool = False) -> str:
    from runtime.support import jsontext

    return jsontext.pretty(value) if indent else jsontext.dumps(value, ascii_only=False, compact=True)


def _print(text: str) -> None:
    """Write to standard output whatever the locale is: paths need not be text."""
    data = text.encode("utf-8", "surrogateescape")
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RuntError(f"cannot write to standard output: {describe(error)}") from None
