"""The namespaces of a container: which of them are not the runtime's own."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.types import Config, Namespace

_FILES = {"network": "net", "mount": "mnt"}
"""The types whose file in /proc/PID/ns has another name (namespaces(7))."""


def find_namespace(config: Config, kind: str) -> Namespace | None:
    """Return the entry of `linux.namespaces` for `kind`, or None if the container shares the runtime's."""
    for namespace in config["linux"].get("namespaces", ()):
        if namespace["type"] == kind:
            return namespace
    return None


def is_private(config: Config, kind: str) -> bool:
    """Tell whether the container's namespace of type `kind` is another one than the runtime's."""
    namespace = find_namespace(config, kind)
    if namespace is None:
        return False
    if "path" not in namespace:
        return True
    try:
        return not os.path.samefile(namespace["path"], f"/proc/self/ns/{_FILES.get(kind, kind)}")
    except OSError:
        # The step that joins it reports the error.
        return True


def has_own_pid_namespace(config: Config) -> bool:
    """Tell whether the container has a new PID namespace, whose processes all end with init (pid_namespaces(7))."""
    return any(
        namespace["type"] == "pid" and "path" not in namespace
        for namespace in config["linux"].get("namespaces", ())
    )
