"""`restore`: restore the processes of a container that `checkpoint` saved, by criu(8)."""

from __future__ import annotations

import os

from runtime.cgroups import devices, limits
from runtime.cgroups import lifecycle as cgroups
from runtime.cgroups.group import write
from runtime.config.namespaces import find_namespace
from runtime.filesystem.paths import make_directory, make_file
from runtime.kernel import mount as mount_calls
from runtime.kernel import process as processes
from runtime.lifecycle import handshake, interrupts
from runtime.operations import criu
from runtime.operations import criu_protocol as protocol
from runtime.operations.create import read_bundle
from runtime.operations.exec import console_sockets
from runtime.operations.run import delete_if_there
from runtime.process import foreground
from runtime.state import liveness
from runtime.state.container import Container
from runtime.state.store import Store
from runtime.steps.delete import destroy
from runtime.steps.init import end_init
from runtime.steps.runner import Plan, Table
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from runtime.config.types import Config
    from runtime.state.options import RestoreOptions
    from runtime.state.store import Entry


def restore(options: RestoreOptions, plan: Plan | None = None) -> int:
    """Restore a container; return the exit status of its program, or 0 with `detach`.

    Its hooks of creation are not run again: what they did for the container is outside it, and not in the images.
    Raises RuntError; then nothing is left of it.
    """
    bundle, config = read_bundle(options, restored=True)
    near, far = console_sockets(options, config)
    criu.find(options.criu)
    if os.path.exists("/proc/self/ns/time") and not find_namespace(config, "time"):
        # criu restores the clocks in a namespace of the container's own, which `exec` has to enter.
        config["linux"].setdefault("namespaces", []).append({"type": "time"})
    entry = _build(options, bundle, config, far, plan or Plan())
    if options.detach:
        return 0
    init = entry.record["init"]
    pidfd = liveness.open_pidfd(init)
    if init is None or pidfd is None:
        raise RuntError("the restored container has ended at once")
    foreground.forward_signals(pidfd)
    interrupts.release()
    if near is not None:
        foreground.relay_terminal(near, pidfd)
    status = foreground.wait(init["pid"])
    delete_if_there(entry, plan)
    return status


def _build(options: RestoreOptions, bundle: str, config: Config, console: int | None, plan: Plan) -> Entry:
    """Restore the processes and journal them; if that fails, undo it. `console` gets the master of the terminal."""
    rootfs = os.path.realpath(os.path.join(bundle, config["root"]["path"]))
    entry = Store(options.root).reserve(options.container_id, bundle=bundle, rootfs=rootfs, config=config)
    c = Container(config, entry, options, _make_no_process, console_connection=console)
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
    places = criu.external_mounts(c.config, c.bundle, c.rootfs, c.cgroup.shown)
    places |= dict.fromkeys(c.linux.get("maskedPaths", ()), "/dev/null")
    places |= {device["path"]: device["path"] for device in c.linux.get("devices", ())}
    lists: list[tuple[int, str | bytes]] = [
        (protocol.OPTIONS["external"], f"mnt[{place}]:{source}") for place, source in places.items()
    ]
    inherited = []
    pipes = [*criu.saved_pipes(options.images)]
    for _, key, path in criu.external_namespaces(c.config):
        inherited.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        pipes.append((inherited[-1], key))
    lists += [(protocol.OPTIONS["inherit-fd"], protocol.encode([(1, key), (2, fd)])) for fd, key in pipes]
    own: dict[str, int | str | bytes] = {"root": c.rootfs, "restore-sibling": True, "evasive-devices": True}
    try:
        c.init_pid = criu.call(
            protocol.RESTORE,
            own,
            lists,
            options,
            c.config,
            prepare=lambda: _prepare(c),
            inherited=inherited,
            console=-1 if c.console_connection is None else c.console_connection,
        )
    finally:
        for fd in inherited:
            os.close(fd)


def _prepare(c: Container) -> None:
    """In the process that becomes criu: join the container's cgroup, which criu can be told to leave as it is, and make its root.

    criu needs a root that is a mount, and every place to mount on: what `create` has made may be gone from the sources of bind
    mounts. Nobody else sees these mounts.
    """
    for directory in c.entry.record["cgroups"]:
        write(f"{directory}/cgroup.procs", "0")
    processes.unshare(processes.CLONE_NEWNS)
    mount_calls.mount("", "/", "", mount_calls.MS_REC | mount_calls.MS_SLAVE)
    mount_calls.mount(c.rootfs, c.rootfs, "", mount_calls.MS_BIND | mount_calls.MS_REC)
    mount_calls.mount("", c.rootfs, "", mount_calls.MS_REC | mount_calls.MS_PRIVATE)
    root = os.open(c.rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    mounted: list[int] = []
    places = [(criu.place_of(c.rootfs, mount), mount) for mount in c.config.get("mounts", ())]
    hidden = [place for place, mount in places if mount.get("type") == "tmpfs"]
    for destination, mount in places:
        options = mount.get("options", ())
        is_below = any(destination.startswith(f"{place.rstrip('/')}/") for place in hidden)
        if mount.get("type") == "cgroup" or "remount" in options or is_below:
            # criu has saved a tmpfs with all that is in it.
            continue
        if not {"bind", "rbind"} & set(options):
            os.close(make_directory(root, destination))
            continue
        source = os.path.join(c.bundle, mount.get("source", ""))
        place = (make_directory if os.path.isdir(source) else make_file)(root, destination)
        tree = mount_calls.open_tree(mount_calls.AT_FDCWD, source, recursive=True)
        mount_calls.move_mount(tree, place)
        os.close(place)
        mounted.append(tree)
    for tree in reversed(mounted):
        mount_calls.umount2(f"/proc/self/fd/{tree}", mount_calls.MNT_DETACH)
        os.close(tree)
    os.close(root)


def journal_running(c: Container) -> None:
    """Write down that the container is complete and its program runs: it has been started before it was saved."""
    c.entry.save(ready=True, started=True)


RESTORE_STEPS = Table(
    "RESTORE_STEPS",
    "runtime",
    (
        limits.check_cgroup_limits,
        cgroups.make_cgroup,
        limits.set_cgroup_limits,
        restore_processes,
        handshake.journal_init,
        cgroups.end_placeholder,
        limits.set_time_limits,
        devices.restrict_devices,
        limits.set_oom_killer,
        handshake.write_pid_file,
        journal_running,
    ),
)
"""What `restore` does, in this order; here and not among `steps`, which know nothing of criu."""


def _make_no_process(_c: Container) -> NoReturn:
    raise AssertionError("criu makes the processes of a restored container")
