"""What every face shows, folded from events alone: the same record gives the same view, in the TUI and anywhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.tui import INIT, MOUNTS, mount, snapshot
from tutor.messages import LANGUAGES, Language, Messages
from tutor.observe import NAMESPACE_KINDS, NamespaceView, diff
from tutor.repl import views
from tutor.repl.layout import plain
from tutor.tui.widgets.mounts import MountsPanel
from tutor.tui.widgets.namespaces import NamespacesPanel
from tutor.view.lesson_view import LessonView
from tutor.view.lifecycle import stages
from tutor.view.mounts import counts, mount_rows
from tutor.view.namespaces import namespace_rows
from tutor.view.processes import process_rows


def test_the_present_state_is_lit_and_paused_stands_only_while_paused() -> None:
    assert "".join(f"{each.arrow}{each.glyph} {each.state}" for each in stages("created")) == (
        "○ creating ──▶ ● created ──▶ ○ running ──▶ ○ stopped"
    )
    assert [each.state for each in stages(None) if each.present] == []
    assert "".join(f"{each.arrow}{each.glyph} {each.state}" for each in stages("paused")).endswith(
        "○ running ⇄ ● paused ──▶ ○ stopped"
    )


def test_mounts_stand_below_what_they_are_mounted_on_with_what_became_of_them() -> None:
    root, proc, dev, pts = MOUNTS
    moved = replace(proc, options=("ro",))
    new = mount(709, 702, "/dev/shm", "tmpfs", "shm")
    before, now = snapshot(mounts=(root, proc, dev, pts)), snapshot(mounts=(root, moved, dev, new))
    assert now.container is not None
    rows = mount_rows(now.container.mounts, diff(before, now))
    assert [(row.mark, row.target) for row in rows] == [
        (" ", "/"),
        ("~", "  /proc"),
        (" ", "  /dev"),
        ("+", "    /dev/shm"),
        ("-", "    /dev/pts"),
    ]
    assert counts(rows) == "+1 -1 ~1"
    assert {row.mark for row in mount_rows(now.container.mounts)} == {" "}, "nothing to compare with"
    late = (root, pts, proc, dev)  # as `mountinfo` lists them after a mount was moved
    assert [row.target.strip() for row in mount_rows(late)] == ["/", "/proc", "/dev", "/dev/pts"]


def test_a_process_is_marked_by_what_it_runs_and_named_in_two_lengths() -> None:
    same, other = replace(INIT, state="R"), replace(INIT, cmdline=("/bin/sleep", "9"))
    zombie = replace(INIT, pid=29018, comm="sh", cmdline=(), state="Z", depth=1)
    before = snapshot()
    assert before.container is not None
    now = replace(before, container=replace(before.container, processes=(other, zombie)))
    assert now.container is not None
    rows = process_rows(now.container, diff(before, now))
    assert [(row.mark, row.indent, row.command, row.short_command) for row in rows] == [
        ("~", "", "/bin/sleep 9", "sleep 9"),
        ("+", "  ", "[sh]", "[sh]"),
    ]
    assert rows[1].state(Messages("en")).startswith("Z ")
    woken = replace(before, container=replace(before.container, processes=(same,)))
    assert woken.container is not None
    assert [row.mark for row in process_rows(woken.container, diff(before, woken))] == [" "]


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_faces_say_the_same_of_a_namespace_and_show_the_same_tree(language: Language) -> None:
    m = Messages(language)
    shot = snapshot(mounts=(MOUNTS[0], MOUNTS[3], MOUNTS[2]))
    assert shot.container is not None
    unreadable = NamespaceView("time", None, None, shared=False, reason="EACCES")
    seen = (*shot.container.namespaces[:-1], unreadable)
    shot = replace(shot, container=replace(shot.container, namespaces=seen))
    assert shot.container is not None
    view = LessonView("runt", snapshot=shot)
    panel = [line.plain.split() for line in NamespacesPanel(view, m).build(100)]
    table = [plain(line).split() for line in views.namespaces(shot, None, m, 100)]
    for row in namespace_rows(shot.container):
        said = [row.namespace.kind, row.glyph, m(f"view.namespace.{row.owner}"), row.inode]
        assert said in [line[:4] for line in panel]
        assert said in [line[:4] for line in table]
    assert {row.owner for row in namespace_rows(shot.container)} == {"own", "shared", "unknown"}

    indented = [row.target for row in mount_rows(shot.container.mounts)]
    assert indented == ["/", "  /dev", "    /dev/pts"]
    drawn = [line.plain for line in MountsPanel(view, m).build(100)]
    listed = [plain(line) for line in views.mounts(shot, None, m, 100)][2:]
    for target, panel_line, table_line in zip(indented, drawn, listed, strict=False):
        assert panel_line.startswith(f"  {target} ")
        assert table_line.startswith(f"{target} ")


def test_a_namespace_that_is_another_than_before_is_marked() -> None:
    before, now = snapshot(), snapshot(own=False)
    assert now.container is not None
    marks = {row.namespace.kind: row.mark for row in namespace_rows(now.container, diff(before, now))}
    assert {kind for kind in NAMESPACE_KINDS if marks[kind] == "~"} == {"mnt", "pid"}
    fresh = namespace_rows(now.container, diff(snapshot(container=False), now))
    assert {row.mark for row in fresh} == {" "}, "of a container that came, none is another"
