"""`checkpoint`: save the processes of a container to files, by criu(8); the container is then deleted, or goes on running."""

from __future__ import annotations

import os

from runtime.cgroups.lifecycle import directories
from runtime.operations import criu
from runtime.operations import criu_protocol as protocol
from runtime.steps.delete import destroy
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.config.types import Config
    from runtime.state.options import CheckpointOptions
    from runtime.state.store import Entry


def checkpoint(entry: Entry, options: CheckpointOptions) -> None:
    """Save a running container; then delete it, unless `leave-running` is set.

    A pre-dump saves only its memory, for a later checkpoint to build on (`--parent-path`).
    Raises RuntError; then the container goes on as before.
    """
    with entry.lock():
        entry.reload()
        status, init = entry.status(), entry.record["init"]
        if status not in ("running", "paused") or init is None:
            raise RuntError(f"Container cannot be checkpointed in {status} state")
        criu.find(options.criu)
        for directory in (options.images, options.work):
            os.makedirs(directory, 0o700, exist_ok=True)
        _check_parent(options)
        config = entry.config()
        external: list[str] = []
        if not options.pre_dump:
            external += _external(entry, config, init["pid"])
            criu.save_descriptors(init["pid"], options.images)
        criu.call(
            protocol.PRE_DUMP if options.pre_dump else protocol.DUMP,
            {"pid": init["pid"], "root": entry.record["rootfs"]},
            [(protocol.OPTIONS["external"], each) for each in external],
            options,
            config,
        )
        if not options.pre_dump and not options.flags.get("leave-running"):
            destroy(entry)


def _check_parent(options: CheckpointOptions) -> None:
    """Raise RuntError unless the images to build on are there: criu would say it in its log, or save everything again."""
    if not options.parent:
        return
    parent = os.path.normpath(f"{options.images}/{options.parent}")
    try:
        os.close(os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        raise RuntError(
            f"invalid --parent-path: {describe(error)} (it is relative to --image-path)"
        ) from None


def _external(entry: Entry, config: Config, pid: int) -> Iterator[str]:
    """Yield what the container has from outside, in criu's words."""
    rootfs, bundle = entry.record["rootfs"], entry.record["bundle"]
    places = [*criu.external_mounts(config, bundle, rootfs, directories(entry.record["cgroups"]))]
    # A masked directory is under a filesystem of its own, which is saved like any other.
    masked = config["linux"].get("maskedPaths", ())
    places += [path for path in masked if not os.path.isdir(f"/proc/{pid}/root{path}")]
    places += [device["path"] for device in config["linux"].get("devices", ())]
    for place in places:
        yield f"mnt[{place}]:{place}"
    for kind, key, path in criu.external_namespaces(config):
        yield f"{kind}[{os.stat(path).st_ino}]:{key}"
