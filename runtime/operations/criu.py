"""Calling criu(8), which saves the processes of a container to files and restores them.

criu finds by itself what is in the container. It must be told what comes from outside, under a key that is the same for both:
bind mounts, cgroups, namespaces that were joined, and pipes.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal

from runtime.filesystem.paths import open_in_root, path_in_root
from runtime.kernel import process as processes
from runtime.operations import criu_protocol as protocol
from runtime.support import files, sockets
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn

    from runtime.config.types import Config, Mount
    from runtime.state.options import CriuOptions

    Value = protocol.Value
    Field = tuple[int, Value]

DESCRIPTORS = "descriptors.json"
"""In the directory of the images: the files that init's standard streams were, as in runc's images."""

_CONFIG_FILE = "/etc/criu/runc.conf"
"""Options of the machine's administrator for containers, as runc and crun take them."""
_CGROUP_GONE = re.compile(r"^cg: .*: No such (file or directory|device)$")
"""What criu says if a cgroup is removed while it reads a hierarchy: where the container is in the root cgroup, it reads those of all
other containers, too (criu/cgroup.c: add_cgroup)."""
_ATTEMPTS = 5
_FAILED = re.compile(r"FAILED|failed with -\d+$")
_NAMESPACE_KEYS = {"network": ("net", "extRootNetNS"), "pid": ("pid", "extRootPidNS")}


def complete(options: CriuOptions) -> None:
    """Fill in what the command line leaves out. Raises RuntError, in runc's words, for what can't be done."""
    if options.lazy_pages:
        raise RuntError("--lazy-pages is not supported by this version of runt")
    options.cgroup_mode = options.cgroup_mode or "soft"
    if options.cgroup_mode not in protocol.CGROUP_MODES:
        raise RuntError("Invalid manage-cgroups-mode value")
    for name in options.empty_namespaces:
        # criu is always told so: the network is configured from outside.
        if name != "network":
            raise RuntError(f'namespace "{name}" is not supported')
    if os.path.isabs(options.parent):
        raise RuntError("--parent-path must be relative")
    address, _, port = options.page_server.rpartition(":")
    if options.page_server and not address:
        raise RuntError("Use --page-server ADDRESS:PORT to specify page server")
    if options.page_server and not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise RuntError(f'Invalid port number of --page-server: "{port}"')
    options.images = os.path.abspath(options.images or "checkpoint")
    options.work = os.path.abspath(options.work) if options.work else options.images


def _common(options: CriuOptions, annotations: Mapping[str, str], images: int, work: int) -> Iterator[Field]:
    """Yield what criu is told in each request."""
    # criu's own names of the levels: 4 is "debug".
    wanted: dict[str, Value] = {
        "images-dir-fd": images,
        "work-dir-fd": work,
        "log-level": 4,
        "empty-ns": processes.CLONE_NEWNET,
        "manage-cgroups-mode": protocol.CGROUP_MODES[options.cgroup_mode],
        "notify-scripts": True,
        # The master of a terminal is in the hands of the caller.
        "orphan-pts-master": True,
        # criu reads it if it is there. As with runc and crun, the annotation names another one, or none.
        "config-file": annotations.get("org.criu.config", _CONFIG_FILE),
        **options.named,
        **options.flags,
    }
    if options.parent:
        wanted |= {"track-mem": True, "parent-img": options.parent}
    if options.page_server:
        address, _, port = options.page_server.rpartition(":")
        wanted["page-server"] = protocol.encode([(1, address), (2, int(port))])
    yield from field_of(wanted)


def field_of(wanted: Mapping[str, Value]) -> Iterator[Field]:
    """Yield options by their numbers, those that are set."""
    for name, value in wanted.items():
        if value not in ("", False) or name == "manage-cgroups-mode":
            yield protocol.OPTIONS[name], value


def find(program: str) -> str:
    """Return the path of criu, which is given by its name or its path (`--criu`). Raises RuntError if it is not there."""
    if "/" in program:
        if not os.access(program, os.X_OK):
            raise RuntError(
                f"checkpoint and restore need criu: --criu {program} is no program that can be executed"
            )
        return program
    path = files.find_program(program, "/usr/sbin", "/usr/local/sbin")
    if path is not None:
        return path
    raise RuntError("checkpoint and restore need criu, which is not installed (Debian: apt install criu)")


def call(
    kind: int,
    own: Mapping[str, Value],
    lists: Iterable[Field],
    options: CriuOptions,
    config: Config,
    *,
    prepare: Callable[[], None] | None = None,
    inherited: Sequence[int] = (),
    console: int = -1,
) -> int:
    """Have criu do what `kind` asks for; return the process ID of a restored init process.

    `own` are options of this request, `lists` those that can be there several times. criu that restores gets the caller's
    standard streams and the descriptors `inherited`, after `prepare` has been called in its process; the output of others
    goes to a file beside the log. The master of a restored terminal is sent to the socket `console`.
    Raises RuntError with the last error of its log that says what was wrong.
    """
    log = "restore.log" if kind == protocol.RESTORE else "dump.log"
    said = f"{options.work}/{log}.said"
    images, work = _open_directories(options)
    fields = [
        *_common(options, config.get("annotations", {}), images, work),
        *field_of({**own, "log-file": log}),
        *lists,
    ]
    try:
        for attempt in itertools.count(1):
            answer = _ask(
                kind,
                fields,
                lambda theirs: _become(options, (images, work), said, prepare, inherited, theirs),
                console,
            )
            if isinstance(answer, int):
                if prepare is None:
                    os.unlink(said)
                return answer
            path = _log_of(options.work, log)
            reason = _last_error(path) or _last_error(said) or answer.strip() or "it gave no reason"
            # What a page server has got can't be sent to it again.
            if attempt == _ATTEMPTS or not _CGROUP_GONE.search(reason) or options.page_server:
                raise RuntError(f"criu failed: {reason}; log file: {path}")
        raise AssertionError("unreachable")
    finally:
        os.close(images)
        os.close(work)


def _ask(kind: int, fields: Sequence[Field], become: Callable[[int], NoReturn], console: int) -> int | str:
    """Run criu by `become`, which gets a socket, for one request; return as `ask` does."""
    near, far = sockets.pair()
    pid = os.fork()
    if pid == 0:
        become(far)
    os.close(far)
    connection = sockets.receive_descriptor(near)
    os.close(near)

    def notified(name: str, descriptor: int) -> None:
        if name == "orphan-pts-master" and console >= 0:
            sockets.send_descriptor(console, descriptor, name)

    try:
        return protocol.ask(connection, kind, fields, notified) if connection >= 0 else ""
    finally:
        # After a pre-dump criu waits for more; it ends with the connection.
        os.waitpid(pid, 0)


def _open_directories(options: CriuOptions) -> tuple[int, int]:
    """Return descriptors of the directories of the images and of the log."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    return os.open(options.images, flags), os.open(options.work, flags)


def external_mounts(config: Config, bundle: str, rootfs: str, cgroups: dict[str, str]) -> dict[str, str]:
    """Return what is mounted in the container from outside: the place in it, which is also the key, and the source."""
    found = {}
    for mount in config.get("mounts", ()):
        options = mount.get("options", ())
        destination = place_of(rootfs, mount)
        if "remount" in options:
            continue
        if {"bind", "rbind"} & set(options):
            found[destination] = os.path.join(bundle, mount.get("source", ""))
        elif mount.get("type") == "cgroup":
            found |= {os.path.join(destination, name).rstrip("/"): path for name, path in cgroups.items()}
    return found


def place_of(rootfs: str, mount: Mount) -> str:
    """Return where a mount is in the root, along the symbolic links of the image, as far as they exist there."""
    destination = mount["destination"]
    if destination.startswith(f"{rootfs}/"):
        # As `mounts` takes it.
        destination = destination[len(rootfs) :]
    path, rest = os.path.normpath(f"/{destination.lstrip('/')}"), ""
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        while path != "/":
            try:
                fd = open_in_root(root, path)
            except OSError:
                path, name = os.path.split(path)
                rest = f"/{name}{rest}"
                continue
            path = path_in_root(root, fd)
            os.close(fd)
            break
    finally:
        os.close(root)
    return f"{path.rstrip('/')}{rest}" or "/"


def external_namespaces(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield the namespaces that were joined: criu's name of the type, the key, and the path."""
    for namespace in config["linux"].get("namespaces", ()):
        if "path" in namespace and namespace["type"] in _NAMESPACE_KEYS:
            yield (*_NAMESPACE_KEYS[namespace["type"]], namespace["path"])


def save_descriptors(pid: int, directory: str) -> None:
    """Record which files the standard streams of a process are."""
    names = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)]
    with open(f"{directory}/{DESCRIPTORS}", "w", encoding="ascii") as file:
        json.dump(names, file)


def saved_pipes(directory: str) -> Iterator[tuple[int, str]]:
    """Yield those of the saved standard streams that were pipes, whose other end is outside."""
    try:
        with open(f"{directory}/{DESCRIPTORS}", encoding="ascii") as file:
            names = json.load(file)
    except (OSError, ValueError) as error:
        reason = describe(error) if isinstance(error, OSError) else "is damaged"
        raise RuntError(f"{directory} is no checkpoint of a container: {DESCRIPTORS}: {reason}") from None
    for fd, name in enumerate(names):
        if name.startswith("pipe:"):
            yield fd, name


def _become(
    options: CriuOptions,
    directories: tuple[int, int],
    said: str,
    prepare: Callable[[], None] | None,
    inherited: Sequence[int],
    runtime: int,
) -> NoReturn:
    """In the child: become criu, and send the socket that it listens to through `runtime`.

    criu opens the directories by the process that has made its socket, and works in them: so this process makes it, in the
    mount namespace that is criu's.
    """
    import _socket

    try:
        if prepare is not None:
            prepare()
        near, far = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        for fd, directory in zip(directories, _open_directories(options), strict=True):
            os.dup2(directory, fd)
        for fd in (*inherited, far.fileno()):
            os.set_inheritable(fd, True)
        program = find(options.criu)
        sockets.send_descriptor(runtime, near.fileno(), "criu")
        near.close()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if prepare is None:
            # Restored processes get the standard streams by way of criu; criu that saves them must not have them.
            fd = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(fd, 1)
            os.dup2(fd, 2)
        os.execv(program, [program, "swrk", str(far.fileno())])
    except (OSError, RuntError) as error:
        reason = describe(error) if isinstance(error, OSError) else error.message
        with open(said, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"Error (runt): {reason}\n")
    finally:
        os._exit(127)


def _log_of(directory: str, name: str) -> str:
    """Return criu's log: a configuration file of criu's may have given it another name."""
    path = f"{directory}/{name}"
    others = [f"{directory}/{other}" for other in os.listdir(directory) if other.endswith(".log")]
    return path if os.path.exists(path) or not others else max(others, key=os.path.getmtime)


def _last_error(path: str) -> str:
    """Return the last error in a log of criu, without its place in criu's source."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            # The very last ones say only that it has failed, as `Dump core (pid: 12) failed with -1` and `Dumping FAILED.`
            errors = [line for line in file if "Error" in line and not _FAILED.search(line)]
    except OSError:
        return ""
    return errors[-1].partition("Error")[2].partition("): ")[2].strip() if errors else ""
