"""The commands `ns`, `mounts` and `ps`: a snapshot as aligned lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.observe import describe
from tutor.repl.layout import Line, indent, line, table, wrap_line
from tutor.text.glyphs import BELOW, SEVERITIES
from tutor.view.mounts import mount_rows
from tutor.view.namespaces import OWNERS, namespace_rows, owner_of, word
from tutor.view.processes import process_rows

if TYPE_CHECKING:
    from tutor.engines.model import ContainerState
    from tutor.messages import Messages
    from tutor.observe import ContainerView, Snapshot
    from tutor.view.mounts import MountRow
    from tutor.view.namespaces import NamespaceRow, Owner
    from tutor.view.processes import ProcessRow

_OWNER_STYLES: dict[Owner, str] = {"own": "own", "shared": "", "unknown": "warning"}


def namespaces(
    snapshot: Snapshot | None, state: ContainerState | None, messages: Messages, width: int
) -> list[Line]:
    """Return the namespaces of the container, its own and the shared ones, with their inodes."""
    container = _living(snapshot)
    if container is None:
        return _no_process(state, messages, width)
    header = [
        line(messages(f"repl.ns.{name}"), "heading") for name in ("kind", "whose", "inode", "host", "what")
    ]
    rows = [_namespace(row, messages) for row in namespace_rows(container)]
    return [*table(header, rows, width), *_unreadable(container, messages, width)]


def _namespace(row: NamespaceRow, messages: Messages) -> list[Line]:
    namespace = row.namespace
    owner = line(f"{row.glyph} {word(row.owner, messages)}", _OWNER_STYLES[row.owner])
    host = "-" if namespace.host_inode is None else str(namespace.host_inode)
    about = line(messages(f"observe.namespace.{namespace.kind}"))
    return [line(namespace.kind), owner, line(row.inode), line(host), about]


def mounts(
    snapshot: Snapshot | None, state: ContainerState | None, messages: Messages, width: int
) -> list[Line]:
    """Return the mount table of the container's process, and whether its mount namespace is the host's."""
    container = _living(snapshot)
    if container is None:
        return _no_process(state, messages, width)
    header = [
        line(messages(f"repl.mounts.{name}"), "heading")
        for name in ("target", "fstype", "source", "options", "propagation")
    ]
    lines = table(header, [_mount(row) for row in mount_rows(container.mounts)], width)
    namespace = container.namespace("mnt")
    if namespace is not None and namespace.known:
        owner = owner_of(namespace)
        lines += wrap_line(line(f"{OWNERS[owner]} {messages(f'repl.mounts.{owner}')}", "faint"), width)
    return [*lines, *_unreadable(container, messages, width)]


def _mount(row: MountRow) -> list[Line]:
    mount = row.mount
    source = mount.source if mount.root == "/" else f"{mount.source}[{mount.root}]"
    cells = (row.target, mount.fstype, source, ",".join(mount.options), " ".join(mount.propagation))
    return [line(cell) for cell in cells]


def processes(
    snapshot: Snapshot | None, state: ContainerState | None, messages: Messages, width: int
) -> list[Line]:
    """Return the processes of the container as a tree, each with the system call in which it waits."""
    container = snapshot.container if snapshot is not None else None
    if container is None or not container.processes:
        return _no_process(state, messages, width)
    header = [line(messages(f"repl.ps.{name}"), "heading") for name in ("pid", "ns_pid", "state", "command")]
    rows = process_rows(container)
    lines = table(header, [_process(row, messages) for row in rows], width)
    waiting = [(row.process.pid, wait) for row in rows if (wait := row.process.waits_for) is not None]
    if waiting:
        lines.append(())
    for pid, wait in waiting:
        lead = ("faint", f"{pid} {BELOW} ")
        lines += indent(wrap_line(line(describe(wait, messages)), width - len(lead[1])), lead)
    return [*lines, *_unreadable(container, messages, width)]


def _process(row: ProcessRow, messages: Messages) -> list[Line]:
    return [
        line(str(row.process.pid)),
        line(str(row.process.ns_pid)),
        line(row.state(messages)),
        line(row.indent + row.command),
    ]


def _living(snapshot: Snapshot | None) -> ContainerView | None:
    container = snapshot.container if snapshot is not None else None
    return container if container is not None and container.alive else None


def _no_process(state: ContainerState | None, messages: Messages, width: int) -> list[Line]:
    """Return why there is nothing to show: no container, or one whose process has ended."""
    key = "repl.view.no_container" if state is None else "repl.view.ended"
    return wrap_line(line(messages(key)), width)


def _unreadable(container: ContainerView, messages: Messages, width: int) -> list[Line]:
    return [
        each
        for file in container.unreadable
        for each in wrap_line(
            line(
                f"{SEVERITIES['warning']} {messages('observe.unreadable', what=file.what, reason=file.reason)}",
                "warning",
            ),
            width,
        )
    ]
