"""`runt`'s command line, which is runc's: each command loads only what it needs and calls its operation."""

from __future__ import annotations

import gc
import os
import sys

from runtime import __version__
from runtime.commands import COMMANDS, GLOBAL_OPTIONS, find_command
from runtime.lifecycle import interrupts
from runtime.support import log
from runtime.support.errors import RuntError, describe
from runtime.usage import UsageError, command_help, global_help, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from runtime.operations.create import CreateOptions
    from runtime.state.store import Entry

    Handler = Callable[[str, dict[str, Any], list[str]], int]

_NEAR_CONTAINERS = ("create", "exec", "restore", "run")
"""Commands whose processes a container can see: for them the interpreter is protected from it."""
_NO_SUCH_COMMAND = 3
"""runc's exit status for a command that it doesn't have."""
_EXEC_FAILED = 255
"""runc's exit status for an `exec` that fails, so that it can be told from a program's."""


def command() -> NoReturn:
    """Be the program `runt`: run the process's own command line, and end the process."""
    # We end before there is garbage; and what is not collected is not copied for a child.
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
    except Exception as error:  # noqa: BLE001 - a fault of ours is still one message, not a traceback
        log.error(f"this is a fault in runt, please report it: {type(error).__name__}: {error}")
        return 1


def _open_standard_streams() -> None:
    """Have /dev/null where a standard stream is closed: else the next file that is opened would take its place."""
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:
            # The program gets it too, as runc's does.
            os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)


def _run(words: Sequence[str], *, protect: bool = False) -> int:
    """Read the global options, set up the log, run the command."""
    try:
        settings, rest = parse(GLOBAL_OPTIONS, words, mixed=False)
    except UsageError as error:
        _print(f"Incorrect Usage. {error.message}\n\n{_global_help()}")
        raise
    if settings["version"]:
        _print(f"runt version {_version()}\n")
        return 0
    log.configure(str(settings["log"]), str(settings["log-format"]), debug=bool(settings["debug"]))
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
    try:
        values, arguments = parse(command.options, arguments, mixed=command.mixed)
        if values["help"]:
            _print(command_help(command))
            return 0
        command.check_count(arguments)
    except UsageError as error:
        _print(f"{error.heading}\n\n{command_help(command)}\n")
        raise
    values["systemd-cgroup"] = settings["systemd-cgroup"]
    if protect and name in _NEAR_CONTAINERS:
        from runtime.install import protection

        protection.protect()
    values["criu"] = settings["criu"]
    return _call(name, str(settings["root"]) or _default_root(), values, arguments)


def _call(name: str, root: str, values: dict[str, Any], arguments: list[str]) -> int:
    """Call the operation; what `create`, `run` and `exec` fail with begins with their name, as runc's does."""
    try:
        return _HANDLERS[name](root, values, arguments)
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
    _print(command_help(command))
    return 0


def _no_such_command(name: str) -> RuntError:
    return RuntError(f"No help topic for '{name}': runt --help lists the commands", _NO_SUCH_COMMAND)


def _create(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.create import create

    create(_create_options(root, values, arguments))
    return 0


def _run_container(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.run import run

    return run(_create_options(root, values, arguments), detach=values["detach"], keep=values["keep"])


def _create_options(root: str, values: dict[str, Any], arguments: list[str]) -> CreateOptions:
    from runtime.operations.create import CreateOptions

    return CreateOptions(
        root=root,
        container_id=arguments[0],
        bundle=values["bundle"],
        pid_file=values["pid-file"],
        pidfd_socket=values["pidfd-socket"],
        console_socket=values["console-socket"],
        no_pivot=values["no-pivot"],
        no_new_keyring=values["no-new-keyring"],
        preserve_fds=values["preserve-fds"],
        systemd_cgroup=values["systemd-cgroup"],
    )


def _exec(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.exec import ExecOptions, execute
    from runtime.process.exec_program import ProgramOptions

    container_id, *args = arguments
    program = ProgramOptions(
        args=args,
        process=values["process"],
        tty=values["tty"],
        cwd=values["cwd"],
        env=values["env"],
        user=values["user"],
        additional_gids=values["additional-gids"],
        caps=values["cap"],
        no_new_privs=values["no-new-privs"] or None,
        apparmor=values["apparmor"],
        process_label=values["process-label"],
    )
    options = ExecOptions(
        program=program,
        detach=values["detach"],
        pid_file=values["pid-file"],
        pidfd_socket=values["pidfd-socket"],
        console_socket=values["console-socket"],
        preserve_fds=values["preserve-fds"],
        ignore_paused=values["ignore-paused"],
        cgroups=values["cgroup"],
    )
    return execute(_open(root, container_id), options)


def _start(root: str, _values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.start import start

    start(_open(root, arguments[0]))
    return 0


def _state(root: str, _values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.state import describe as state_of

    # No newline at the end: as runc.
    _print(_json(state_of(_open(root, arguments[0])), indent=True))
    return 0


def _kill(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.kill import kill

    kill(_open(root, arguments[0]), "".join(arguments[1:]) or "TERM", everything=values["all"])
    return 0


def _delete(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.delete import delete

    delete(root, arguments[0], force=values["force"])
    return 0


def _list(root: str, values: dict[str, Any], _arguments: list[str]) -> int:
    from runtime.operations.listing import query, table

    states = query(root)
    if values["quiet"]:
        _print("".join(f"{state['id']}\n" for state in states))
    elif values["format"] == "table":
        _print(table(states))
    elif values["format"] == "json":
        _print(_json(states or None) + "\n")
    else:
        raise RuntError("invalid format option")
    return 0


def _pause(root: str, _values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.pause import pause

    pause(_open(root, arguments[0]))
    return 0


def _resume(root: str, _values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.pause import resume

    resume(_open(root, arguments[0]))
    return 0


def _update(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.update import update

    update(_open(root, arguments[0]), values)
    return 0


def _ps(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.ps import processes, table

    container_id, *options = arguments
    entry = _open(root, container_id)
    if values["format"] == "json":
        _print(_json(processes(entry)) + "\n")
    elif values["format"] == "table":
        _print(table(entry, options))
    else:
        raise RuntError("invalid format option")
    return 0


def _events(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.events import events

    def show(event: dict[str, Any]) -> None:
        _print(_json(event) + "\n")

    events(_open(root, arguments[0]), show, interval=values["interval"], once=values["stats"])
    return 0


def _spec(_root: str, values: dict[str, Any], _arguments: list[str]) -> int:
    from runtime.operations import spec

    spec.write(values["bundle"], rootless=values["rootless"])
    return 0


def _features(_root: str, _values: dict[str, Any], _arguments: list[str]) -> int:
    from runtime.operations.features import features

    _print(_json(features(), indent=True) + "\n")
    return 0


def _checkpoint(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.checkpoint import checkpoint
    from runtime.operations.criu import CriuOptions

    checkpoint(_open(root, arguments[0]), CriuOptions(values), pre_dump=values["pre-dump"])
    return 0


def _restore(root: str, values: dict[str, Any], arguments: list[str]) -> int:
    from runtime.operations.create import CreateOptions
    from runtime.operations.criu import CriuOptions
    from runtime.operations.restore import restore

    if values["systemd-cgroup"]:
        raise RuntError(
            "--systemd-cgroup is not supported by restore in this version of runt: leave it out to have cgroupfs used"
        )
    create_options = CreateOptions(
        root=root,
        container_id=arguments[0],
        bundle=values["bundle"],
        pid_file=values["pid-file"],
        console_socket=values["console-socket"],
    )
    return restore(create_options, CriuOptions(values), detach=values["detach"])


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
    "update": _update,
}


def _open(root: str, container_id: str) -> Entry:
    """Return the container, once for the whole command. Raises RuntError if there is none."""
    from runtime.state.store import Store

    return Store(root).open(container_id)


def _default_root() -> str:
    """Return the state directory that is used without `--root`: for users who aren't root one of their own.

    As runc, also for who is root only in a user namespace and still called otherwise: podman's rootless containers.
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
    return global_help(_version(), GLOBAL_OPTIONS, COMMANDS)


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
