"""`create`: make the container of a bundle; its program waits for `start` (runtime.md, Create)."""

from __future__ import annotations

import os

from runtime.config.load import load
from runtime.kernel import process as kernel
from runtime.lifecycle import interrupts
from runtime.process import descriptors
from runtime.state.container import Container
from runtime.state.store import Store, absolute_path
from runtime.state.sync import PeerGoneError
from runtime.steps.create import INIT_STEPS, RUNTIME_STEPS
from runtime.steps.delete import destroy
from runtime.steps.init import be_init, end_init
from runtime.steps.runner import Plan
from runtime.support import sockets
from runtime.support.errors import RuntError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Config
    from runtime.state.options import CreateOptions
    from runtime.state.store import Entry


def create(options: CreateOptions, plan: Plan | None = None) -> Entry:
    """Create a container that waits for `start`; return its entry.

    Once the container is complete interrupts are held back: see `build`.
    Raises RuntError; then nothing is left of it (runtime.md, Errors).
    """
    bundle, config = read_bundle(options)
    connection = None
    if config["process"].get("terminal"):
        if not options.console_socket:
            raise RuntError(
                "cannot allocate tty if runt will detach without setting console socket: "
                "process.terminal is true, so create needs --console-socket"
            )
        connection = sockets.connect(options.console_socket, "console socket")
    elif options.console_socket:
        raise RuntError(
            "cannot use console socket if runt will not detach or allocate tty: process.terminal is not true"
        )
    return build(options, bundle, config, connection, plan)


def read_bundle(options: CreateOptions, *, restored: bool = False) -> tuple[str, Config]:
    """Return the absolute path of the bundle and its checked configuration: see `load`. Raises RuntError."""
    bundle = absolute_path(options.bundle)
    if not os.path.isdir(bundle):
        raise RuntError(f"the bundle {bundle} is not a directory")
    return bundle, load(f"{bundle}/config.json", restored=restored)


def build(
    options: CreateOptions,
    bundle: str,
    config: Config,
    console_connection: int | None,
    plan: Plan | None = None,
) -> Entry:
    """Build the container, up to the moment when its init process waits for `start`; return its entry.

    From then on interrupts are held back: it is the caller's to be undone.
    Raises RuntError; then everything has been undone.
    """
    rootfs = os.path.realpath(os.path.join(bundle, config["root"]["path"]))
    if not os.path.isdir(rootfs):
        raise RuntError(f"root.path of config.json: {rootfs} is not a directory (config.md, Root)")
    if options.systemd_cgroup:
        from runtime.cgroups import systemd

        systemd.check(config)
    inherited_fds, listen_fds = descriptors.inherited(options.preserve_fds)
    pidfd_connection = sockets.connect(options.pidfd_socket, "pidfd socket") if options.pidfd_socket else None
    # What the caller left open is for the program at most, not for hooks.
    kernel.close_range_on_exec(3)
    entry = Store(options.root).reserve(
        options.container_id,
        bundle=bundle,
        rootfs=rootfs,
        config=config,
        new_keyring=not options.no_new_keyring,
    )
    plan = plan or Plan()
    c = Container(
        config,
        entry,
        options,
        lambda c: be_init(c, INIT_STEPS, plan),
        inherited_fds=inherited_fds,
        listen_fds=listen_fds,
        console_connection=console_connection,
        pidfd_connection=pidfd_connection,
    )
    try:
        if os.environ.get("NOTIFY_SOCKET"):
            from runtime.lifecycle import notify_socket

            notify_socket.offer(config, entry)
        plan.run(RUNTIME_STEPS, c)
        interrupts.hold()
    except BaseException as error:
        interrupts.hold()
        how = end_init(c)
        # Cleaning up needs descriptors too.
        c.close()
        with entry.lock():
            destroy(entry)
        if isinstance(error, PeerGoneError):
            raise RuntError(f"the container's init process {how} before it was ready") from None
        raise
    c.close()
    return entry
