"""Calling criu(8), which saves the processes of a container to files and restores them.

criu finds by itself what is in the container. It must be told what comes from outside, under a key that is the same for both:
bind mounts, cgroups, namespaces that were joined, and pipes.
"""

from __future__ import annotations

import json
import os
import re
import signal

from runtime.kernel import mount as kernel
from runtime.kernel import process as processes
from runtime.support import files
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from runtime.config.types import Config
    from runtime.state.options import CriuOptions

DESCRIPTORS = "descriptors.json"
"""In the directory of the images: the files that init's standard streams were, as in runc's images."""

_CGROUP_MODES = ("soft", "full", "strict", "ignore")
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
    if options.cgroup_mode not in _CGROUP_MODES:
        raise RuntError("Invalid manage-cgroups-mode value")
    for name in options.empty_namespaces:
        # criu is always told so: the network is configured from outside.
        if name != "network":
            raise RuntError(f'namespace "{name}" is not supported')
    if os.path.isabs(options.parent):
        raise RuntError("--parent-path must be relative")
    if options.page_server and not all(options.page_server.rpartition(":")[::2]):
        raise RuntError("Use --page-server ADDRESS:PORT to specify page server")
    options.images = os.path.abspath(options.images or "checkpoint")
    options.work = os.path.abspath(options.work) if options.work else options.images


def _words(options: CriuOptions) -> Iterator[str]:
    """Yield criu's options."""
    yield from ("--images-dir", options.images, "--work-dir", options.work, "-v4", "--empty-ns", "net")
    yield f"--manage-cgroups={options.cgroup_mode}"
    for name, is_given in options.flags.items():
        if is_given:
            yield f"--{name}"
    for name, value in options.named.items():
        if value:
            yield from (f"--{name}", value)
    if options.parent:
        yield from ("--track-mem", "--prev-images-dir", options.parent)
    if options.page_server:
        address, _, port = options.page_server.rpartition(":")
        yield from ("--page-server", "--address", address, "--port", port)


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
    words: Sequence[str], options: CriuOptions, log: str, *, root: str = "", inherited: Sequence[int] = ()
) -> None:
    """Run criu, and wait for its end. Raises RuntError with the last error of its log that says what was wrong.

    `root` becomes a mount that only criu sees. It gets the caller's standard streams and the descriptors `inherited`. Its
    output goes to a file beside the log.
    """
    said, path = f"{options.work}/{log}.said", f"{options.work}/{log}"
    for attempt in range(_ATTEMPTS):
        pid = os.fork()
        if pid == 0:
            _become([find(options.criu), *words, *_words(options), "--log-file", log], said, root, inherited)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code == 0:
            break
        reason = _last_error(path) or _last_error(said) or f"it ended with status {code}"
        # What a page server has got can't be sent to it again.
        if attempt == _ATTEMPTS - 1 or not _CGROUP_GONE.search(reason) or options.page_server:
            raise RuntError(f"criu failed: {reason}; log file: {path}")
    if not root:
        os.unlink(said)


def external_mounts(config: Config, bundle: str, cgroups: dict[str, str]) -> dict[str, str]:
    """Return what is mounted in the container from outside: the place in it, which is also the key, and the source."""
    found = {}
    for mount in config.get("mounts", ()):
        options = mount.get("options", ())
        destination = os.path.normpath(f"/{mount['destination'].lstrip('/')}")
        if "remount" in options:
            continue
        if {"bind", "rbind"} & set(options):
            found[destination] = os.path.join(bundle, mount.get("source", ""))
        elif mount.get("type") == "cgroup":
            found |= {os.path.join(destination, name).rstrip("/"): path for name, path in cgroups.items()}
    return found


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


def _become(words: list[str], said: str, root: str, inherited: Sequence[int]) -> NoReturn:
    """In the child: become criu, in a mount namespace of its own if it needs a root to put processes into."""
    try:
        if root:
            processes.unshare(processes.CLONE_NEWNS)
            kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_SLAVE)
            kernel.mount(root, root, "", kernel.MS_BIND | kernel.MS_REC)
            kernel.mount("", root, "", kernel.MS_REC | kernel.MS_PRIVATE)
        for fd in inherited:
            os.set_inheritable(fd, True)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if not root:
            # Restored processes get the standard streams by way of criu; criu that saves them must not have them.
            fd = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(fd, 1)
            os.dup2(fd, 2)
        os.execv(words[0], words)
    except (OSError, RuntError) as error:
        os.write(2, f"Error: {error}\n".encode())
    finally:
        os._exit(127)


def _last_error(path: str) -> str:
    """Return the last error in a log of criu, without its place in criu's source."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            # The very last ones say only that it has failed, as `Dump core (pid: 12) failed with -1` and `Dumping FAILED.`
            errors = [line for line in file if "Error" in line and not _FAILED.search(line)]
    except OSError:
        return ""
    return errors[-1].partition("Error")[2].partition("): ")[2].strip() if errors else ""
