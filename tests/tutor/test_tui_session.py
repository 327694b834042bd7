"""The lesson screen on the real session: a real lab, a real runtime, a real container."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tui import opened, screen_text, settled
from tutor.course.course import Course
from tutor.home import Home
from tutor.messages import Messages
from tutor.session.ahead import SessionAhead
from tutor.tui.app import TutorApp
from tutor.tui.widgets.editor import ConfigPane
from tutor.tui.widgets.namespaces import NamespacesPanel
from tutor.tui.widgets.output import OutputPane
from tutor.tui.widgets.processes import ProcessesPanel
from tutor.view.lesson_view import LessonView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.engines.model import EngineName
    from tutor.session.events import Event

SEED = """\
{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": false,
    "user": {"uid": 0, "gid": 0},
    "args": ["echo", "alpine"],
    "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "cwd": "/"
  },
  "root": {"path": "rootfs"},
  "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]
}
"""


def mounts_here() -> str:
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def folded(engine: EngineName, events: Iterable[Event]) -> LessonView:
    view = LessonView(engine)
    for event in events:
        view.fold(event)
    return view


class RecordingSession(SessionAhead):
    """A lesson that is opened ahead of the app; its events are also kept in `events`."""

    events: tuple[Event, ...] = ()

    def _publish(self, event: Event) -> None:
        self.events = (*self.events, event)
        super()._publish(event)


@pytest.mark.root
@pytest.mark.parametrize("engine", ["runt", pytest.param("runc", marks=pytest.mark.peer("runc"))])
async def test_a_container_lives_and_dies_on_the_screen(tmp_path: Path, engine: EngineName) -> None:
    home = Home(tmp_path / "labs", tmp_path / "state", tmp_path / "cache")
    course = Course.load("ja")
    with RecordingSession(
        lambda session: session.open("first-container"), course=course, engine=engine, home=home
    ) as ahead:
        app = TutorApp(course, engine, Messages.load("ja"), home, ahead)
        async with app.run_test(size=(200, 50)) as pilot:
            screen = await opened(pilot)
            await pilot.press("2")
            screen.query_one(ConfigPane).area.text = SEED
            await pilot.press("f5")
            await settled(pilot, lambda: "● created" in screen_text(app))
            assert screen.query_one(ConfigPane).unsaved is False, "the edits were saved before create"
            assert f"$ {engine} create alpine-test" in screen_text(app)
            namespaces = screen.query_one(NamespacesPanel)
            await settled(pilot, lambda: any("mnt    ◆ 専用" in line for line in namespaces.plain_lines))
            assert any("net    ○ 共有" in line for line in namespaces.plain_lines)
            processes = screen.query_one(ProcessesPanel)
            await settled(pilot, lambda: "exec.fifo" in "".join(processes.plain_lines))
            await pilot.press("f6")
            await settled(pilot, lambda: "● stopped" in screen_text(app))
            await settled(pilot, lambda: " alpine" in screen.query_one(OutputPane).plain_lines)
            await pilot.press("f6")
            await settled(pilot, lambda: "✗ 終了ステータス 1" in screen_text(app))
            assert "● stopped" in screen_text(app), "a refused operation changes nothing"
            await pilot.press("f8")
            await settled(pilot, lambda: "●" not in screen_text(app).split("creating")[1].splitlines()[0])
            await settled(pilot, lambda: "今はコンテナがありません" in "".join(namespaces.plain_lines))
            # The screen draws the events and nothing else.
            await settled(pilot, lambda: screen.view == folded(engine, ahead.events))
    assert str(tmp_path) not in mounts_here()
