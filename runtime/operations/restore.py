"""`restore`: restore the processes of a container that `checkpoint` saved, by criu(8)."""

from __future__ import annotations

import os

from runtime.cgroups import lifecycle as cgroups
from runtime.lifecycle import handshake, interrupts
from runtime.operations import criu
from runtime.operations.create import read_bundle
from runtime.operations.run import delete_if_there
from runtime.process import foreground
from runtime.state import liveness
from runtime.state.container import Container
from runtime.state.store import Store
from runtime.steps.delete import destroy
from runtime.steps.init import end_init
from runtime.steps.runner import Plan
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from runtime.config.types import Config
    from runtime.state.options import RestoreOptions
    from runtime.state.store import Entry
    from runtime.steps.runner import Step


def restore(options: RestoreOptions, plan: Plan | None = None) -> int:
    """Restore a container; return the exit status of its program, or 0 with `detach`.

    Its hooks of creation are not run again: what they did for the container is outside it, and not in the images.
    Raises RuntError; then nothing is left of it.
    """
    bundle, config = read_bundle(options)
    if config["process"].get("terminal"):
        raise RuntError("cannot restore a container with a terminal: process.terminal is true")
    criu.find(options.criu)
    entry = _build(options, bundle, config, plan or Plan())
    if options.detach:
        return 0
    init = entry.record["init"]
    pidfd = liveness.open_pidfd(init)
    if init is None or pidfd is None:
        raise RuntError("the restored container has ended at once")
    foreground.forward_signals(pidfd)
    interrupts.release()
    status = foreground.wait(init["pid"])
    delete_if_there(entry, plan)
    return status


def _build(options: RestoreOptions, bundle: str, config: Config, plan: Plan) -> Entry:
    """Restore the processes and journal them; if that fails, undo it."""
    rootfs = os.path.realpath(os.path.join(bundle, config["root"]["path"]))
    entry = Store(options.root).reserve(options.container_id, bundle=bundle, rootfs=rootfs, config=config)
    c = Container(config, entry, options, _make_no_process)
    try:
        plan.run(RESTORE_STEPS, c)
        interrupts.hold()
    except BaseException:
        interrupts.hold()
        end_init(c)
        c.close()
        with entry.lock():
            destroy(entry)
        raise
    c.close()
    return entry


def restore_processes(c: Container) -> None:
    """Let criu bring the processes back, init as a child of this one, with the caller's standard streams where it had pipes."""
    options: Any = c.options
    # So that, if this process is killed, they are found by their cgroup.
    c.entry.save(cgroups=c.entry.record["cgroups"])
    pid_file = f"{c.entry.dir}/restored.pid"
    words = ["restore", "--restore-detached", "--restore-sibling", "--pidfile", pid_file, "--root", c.rootfs]
    places = criu.external_mounts(c.config, c.bundle, c.cgroup.directories)
    places |= dict.fromkeys(c.linux.get("maskedPaths", ()), "/dev/null")
    places |= {device["path"]: device["path"] for device in c.linux.get("devices", ())}
    for place, source in places.items():
        words += ["--external", f"mnt[{place}]:{source}"]
    inherited = []
    for _, key, path in criu.external_namespaces(c.config):
        inherited.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        words += ["--inherit-fd", f"fd[{inherited[-1]}]:{key}"]
    for fd, name in criu.saved_pipes(options.images):
        words += ["--inherit-fd", f"fd[{fd}]:{name}"]
    try:
        criu.call(words, options, "restore.log", root=c.rootfs, inherited=inherited)
    finally:
        for fd in inherited:
            os.close(fd)
    with open(pid_file, encoding="ascii") as file:
        c.init_pid = int(file.read())


def journal_running(c: Container) -> None:
    """Write down that the container is complete and its program runs: it has been started before it was saved."""
    c.entry.save(ready=True, started=True)


RESTORE_STEPS: tuple[Step, ...] = (
    cgroups.make_cgroup,
    restore_processes,
    handshake.journal_init,
    handshake.write_pid_file,
    journal_running,
)
"""What `restore` does, in this order; here and not among `steps`, which know nothing of criu."""


def _make_no_process(_c: Container) -> NoReturn:
    raise AssertionError("criu makes the processes of a restored container")
