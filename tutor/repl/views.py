"""The views `ns`, `mounts` and `ps`: what a snapshot says, as aligned lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.observe import describe
from tutor.repl.layout import Line, indent, line, table, wrap_line

if TYPE_CHECKING:
    from tutor.engines.model import ContainerState
    from tutor.messages import Messages
    from tutor.observe import ContainerView, Mount, NamespaceView, Process, Snapshot

OWN, SHARED, UNKNOWN = "◆", "○", "?"


def namespaces(
    snapshot: Snapshot | None, state: ContainerState | None, messages: Messages, width: int
) -> list[Line]:
    """Return the container's namespaces: its own or the host's, with inodes."""
    container = _living(snapshot)
    if container is None:
        return _nobody(state, messages, width)
    header = [
        line(messages(f"repl.ns.{name}"), "heading") for name in ("kind", "whose", "inode", "host", "what")
    ]
    rows = [_namespace(view, messages) for view in container.namespaces]
    return [*table(header, rows, width), *_unreadable(container, messages, width)]


def _namespace(view: NamespaceView, messages: Messages) -> list[Line]:
    if not view.known:
        whose = line(f"{UNKNOWN} {view.reason}", "warning")
    elif view.shared:
        whose = line(f"{SHARED} {messages('repl.ns.shared')}")
    else:
        whose = line(f"{OWN} {messages('repl.ns.own')}", "own")
    inode, host = ("-" if each is None else str(each) for each in (view.inode, view.host_inode))
    return [line(view.kind), whose, line(inode), line(host), line(messages(f"observe.namespace.{view.kind}"))]


def mounts(
    snapshot: Snapshot | None, state: ContainerState | None, messages: Messages, width: int
) -> list[Line]:
    """Return the mount table that the container's process sees, and whether it is the host's own."""
    container = _living(snapshot)
    if container is None:
        return _nobody(state, messages, width)
    header = [
        line(messages(f"repl.mounts.{name}"), "heading")
        for name in ("target", "fstype", "source", "options", "propagation")
    ]
    lines = table(header, [_mount(each) for each in container.mounts], width)
    namespace = container.namespace("mnt")
    if namespace is not None and namespace.known:
        key = "repl.mounts.shared" if namespace.shared else "repl.mounts.own"
        lines += wrap_line(line(messages(key), "faint"), width)
    return [*lines, *_unreadable(container, messages, width)]


def _mount(mount: Mount) -> list[Line]:
    source = mount.source if mount.root == "/" else f"{mount.source}[{mount.root}]"
    cells = (mount.target, mount.fstype, source, ",".join(mount.options), " ".join(mount.propagation))
    return [line(cell) for cell in cells]


def processes(
    snapshot: Snapshot | None, state: ContainerState | None, messages: Messages, width: int
) -> list[Line]:
    """Return the container's processes as a tree, each with what it waits for."""
    container = _living(snapshot)
    if container is None or not container.processes:
        return _nobody(state, messages, width)
    header = [line(messages(f"repl.ps.{name}"), "heading") for name in ("pid", "ns_pid", "state", "command")]
    lines = table(header, [_process(each, messages) for each in container.processes], width)
    waiting = [each for each in container.processes if each.waits_for is not None]
    if waiting:
        lines.append(())
    for process in waiting:
        if process.waits_for is not None:
            lead = ("faint", f"{process.pid} └ ")
            lines += indent(
                wrap_line(line(describe(process.waits_for, messages)), width - len(lead[1])), lead
            )
    return [*lines, *_unreadable(container, messages, width)]


def _process(process: Process, messages: Messages) -> list[Line]:
    command = " ".join(process.words) or f"[{process.comm}]"
    key = f"observe.state.{process.state}"
    state = f"{process.state} {messages(key)}" if messages.has(key) else process.state
    return [
        line(str(process.pid)),
        line(str(process.ns_pid)),
        line(state),
        line("  " * process.depth + command),
    ]


def _living(snapshot: Snapshot | None) -> ContainerView | None:
    container = snapshot.container if snapshot is not None else None
    return container if container is not None and container.alive else None


def _nobody(state: ContainerState | None, messages: Messages, width: int) -> list[Line]:
    """Say why there is nothing to show: no container, or one whose process has ended."""
    key = "repl.view.no_container" if state is None else "repl.view.ended"
    return wrap_line(line(messages(key)), width)


def _unreadable(container: ContainerView, messages: Messages, width: int) -> list[Line]:
    return [
        each
        for file in container.unreadable
        for each in wrap_line(
            line("△ " + messages("observe.unreadable", what=file.what, reason=file.reason), "warning"), width
        )
    ]
