"""The commands `ns`, `mounts`, `ps` and `cgroup`: the snapshot of a view as aligned lines, with what changed since the step began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.observe import describe
from tutor.repl.layout import Line, indent, line, table, wrap_line
from tutor.text.glyphs import BELOW, SEVERITIES
from tutor.view.cgroup import cgroup_rows
from tutor.view.mounts import mount_rows
from tutor.view.namespaces import OWNERS, namespace_rows, owner_of, word
from tutor.view.processes import process_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.messages import Messages
    from tutor.observe import ContainerView
    from tutor.text.glyphs import Mark
    from tutor.view.cgroup import CgroupRow
    from tutor.view.lesson_view import LessonView
    from tutor.view.mounts import MountRow
    from tutor.view.namespaces import NamespaceRow, Owner
    from tutor.view.processes import ProcessRow

MARK_STYLES: dict[Mark, str] = {"+": "good", "-": "bad", "~": "warning", " ": ""}
_OWNER_STYLES: dict[Owner, str] = {"own": "own", "shared": "", "unknown": "warning"}


def namespaces(view: LessonView, messages: Messages, width: int) -> list[Line]:
    """Return the namespaces of the container, its own and the shared ones, with their inodes."""
    container = _living(view)
    if container is None:
        return _no_process(view, messages, width)
    rows = namespace_rows(container, view.changes)
    header = _header("ns", ("kind", "whose", "inode", "host", "what"), messages)
    lines = table(header, [_namespace(row, messages) for row in rows], width)
    return [*lines, *_legend(rows, messages, width), *_unreadable(container, messages, width)]


def _namespace(row: NamespaceRow, messages: Messages) -> list[Line]:
    namespace = row.namespace
    owner = line(f"{row.glyph} {word(row.owner, messages)}", _OWNER_STYLES[row.owner])
    host = "-" if namespace.host_inode is None else str(namespace.host_inode)
    about = line(messages(f"observe.namespace.{namespace.kind}"))
    return [_marked(row.mark, namespace.kind), owner, line(row.inode), line(host), about]


def mounts(view: LessonView, messages: Messages, width: int) -> list[Line]:
    """Return the mount table of the container's process, and whether its mount namespace is the host's."""
    container = _living(view)
    if container is None:
        return _no_process(view, messages, width)
    rows = mount_rows(container.mounts, view.changes)
    header = _header("mounts", ("target", "fstype", "source", "options", "propagation"), messages)
    lines = [*table(header, [_mount(row) for row in rows], width), *_legend(rows, messages, width)]
    namespace = container.namespace("mnt")
    if namespace is not None and namespace.known:
        owner = owner_of(namespace)
        lines += wrap_line(line(f"{OWNERS[owner]} {messages(f'repl.mounts.{owner}')}", "faint"), width)
    return [*lines, *_unreadable(container, messages, width)]


def _mount(row: MountRow) -> list[Line]:
    mount = row.mount
    source = mount.source if mount.root == "/" else f"{mount.source}[{mount.root}]"
    cells = (mount.fstype, source, ",".join(mount.options), " ".join(mount.propagation))
    return [_marked(row.mark, row.target), *(line(cell) for cell in cells)]


def processes(view: LessonView, messages: Messages, width: int) -> list[Line]:
    """Return the processes of the container as a tree, each with the system call in which it waits."""
    if view.predicting:
        return wrap_line(line(messages("view.processes.predict_first")), width)
    container = view.container
    if container is None or not container.processes:
        return _no_process(view, messages, width)
    rows = process_rows(container, view.changes)
    header = _header("ps", ("pid", "ns_pid", "state", "command"), messages)
    lines = [
        *table(header, [_process(row, messages) for row in rows], width),
        *_legend(rows, messages, width),
    ]
    waiting = [(row.process.pid, wait) for row in rows if (wait := row.process.waits_for) is not None]
    if waiting:
        lines.append(())
    for pid, wait in waiting:
        lead = ("faint", f"{pid} {BELOW} ")
        lines += indent(wrap_line(line(describe(wait, messages)), width - len(lead[1])), lead)
    return [*lines, *_unreadable(container, messages, width)]


def _process(row: ProcessRow, messages: Messages) -> list[Line]:
    return [
        _marked(row.mark, str(row.process.pid)),
        line(str(row.process.ns_pid)),
        line(row.state(messages)),
        line(row.indent + row.command),
    ]


def cgroup(view: LessonView, messages: Messages, width: int) -> list[Line]:
    """Return the files of the container's cgroup, below the directory of each hierarchy."""
    container = _living(view)
    if container is None:
        return _no_process(view, messages, width)
    cgroups = cgroup_rows(container, view.changes)
    if not cgroups:
        return wrap_line(line(messages("view.cgroup.none")), width)
    lines: list[Line] = []
    for directory, rows in cgroups:
        lines += [line(directory, "heading"), *table((), [_cgroup(row, messages) for row in rows], width)]
    marked = [row for _, rows in cgroups for row in rows]
    return [*lines, *_legend(marked, messages, width), *_unreadable(container, messages, width)]


def _cgroup(row: CgroupRow, messages: Messages) -> list[Line]:
    return [_marked(row.mark, row.name), line(row.file.value), line(row.meaning(messages), "faint")]


def _header(table_name: str, names: tuple[str, ...], messages: Messages) -> list[Line]:
    first, *others = (line(messages(f"repl.{table_name}.{name}"), "heading") for name in names)
    return [(("", "  "), *first), *others]


def _marked(mark: Mark, text: str) -> Line:
    """Return the first cell of a row: its change since the step began, and a text."""
    return ((MARK_STYLES[mark], f"{mark} "), ("", text))


def _legend(
    rows: Sequence[NamespaceRow | MountRow | ProcessRow | CgroupRow], messages: Messages, width: int
) -> list[Line]:
    """Return what the marks mean; nothing where there is none."""
    if all(row.mark == " " for row in rows):
        return []
    return wrap_line(line(messages("repl.view.marks"), "faint"), width)


def _living(view: LessonView) -> ContainerView | None:
    container = view.container
    return container if container is not None and container.alive else None


def _no_process(view: LessonView, messages: Messages, width: int) -> list[Line]:
    """Return why there is nothing to show."""
    return wrap_line(line(messages(f"repl.view.{view.absence}")), width)


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
