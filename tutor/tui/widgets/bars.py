"""The lines at the edges: what this is (top), which pane is shown (below it), and which keys work now (bottom)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tutor.home import shown
from tutor.text import cell_width, truncate

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import RenderResult
    from textual.events import Click

    from tutor.messages import Messages
    from tutor.observe import HostView
    from tutor.tui.keys import Key
    from tutor.view.lesson_view import LessonView


BAR_WIDTH = 10  # cells of the progress where there is no room for a dot a step


class TopLine(Widget):
    """oci-tutor, the lesson, its progress as dots, and on the right the engine and what the machine allows."""

    DEFAULT_CSS = (
        "TopLine { height: 1; background: $panel; color: $foreground; padding: 0 1; text-wrap: nowrap; }"
    )

    def __init__(self, view: LessonView, messages: Messages) -> None:
        super().__init__(id="top-line")
        self._view = view
        self._messages = messages

    def render(self) -> RenderResult:
        """Return the line; the title gives way when it is narrow."""
        m, view = self._messages, self._view
        name = Content.styled("oci-tutor", "bold $text-primary")
        engine = f"{view.engine} {view.engine_version}".strip()
        right = Content.assemble((engine, "bold $text-accent"), (f" · {self._machine()}", "$text-muted"))
        lesson = view.lesson
        if lesson is None:
            return self._spread(Content.assemble(name, f"  {m('tui.lesson.preparing')}"), right)
        if lesson.is_free_play:
            place = shown(lesson.folder)
            taken = name.cell_length + cell_width(lesson.title) + 8
            if taken + cell_width(place) + right.cell_length > self.size.width:
                right = Content.styled(view.engine, "bold $text-accent")
            place = truncate(place, max(0, self.size.width - taken - right.cell_length))
            return self._spread(Content.assemble(name, "  ", (lesson.title, "bold"), f"  {place}"), right)
        step = m("tui.lesson.step", number=view.index + 1, count=len(lesson.steps))
        dots = self._dots()
        room = (
            self.size.width - right.cell_length - cell_width(step) - dots.cell_length - name.cell_length - 8
        )
        title = f"{lesson.order} {lesson.title}"
        if room < cell_width(title):
            right = Content.styled(view.engine, "bold $text-accent")
            room = (
                self.size.width
                - right.cell_length
                - cell_width(step)
                - dots.cell_length
                - name.cell_length
                - 8
            )
        title = truncate(title, max(0, room))
        return self._spread(Content.assemble(name, "  ", (title, "bold"), "  ", dots, f"  {step}"), right)

    def _machine(self) -> str:
        m, shot = self._messages, self._view.snapshot
        words = [m("tui.machine.root" if os.geteuid() == 0 else "tui.machine.rootless")]
        if shot is not None and (version := cgroup_version(shot.host)):
            words.append(m("tui.machine.cgroup", version=version))
        return " · ".join(words)

    def _dots(self) -> Content:
        view = self._view
        steps = view.lesson.steps if view.lesson else ()
        if len(steps) > self.size.width // 4:
            done = BAR_WIDTH * len(view.passed) // max(1, len(steps))
            return Content.assemble(("━" * done, "$text-success"), ("─" * (BAR_WIDTH - done), "$text-muted"))
        return Content.assemble(
            *(
                ("◉", "bold $text-warning")
                if index == view.index
                else ("●", "$text-success")
                if step.id in view.passed
                else ("○", "$text-muted")
                for index, step in enumerate(steps)
            )
        )

    def _spread(self, left: Content, right: Content) -> Content:
        gap = self.size.width - left.cell_length - right.cell_length
        return Content.assemble(left, " " * max(1, gap), right)


def cgroup_version(host: HostView) -> str:
    """Return `v1` where any hierarchy of it is mounted (cgroups(7)), else `v2`; empty where there are no cgroups."""
    kinds = {mount.fstype for mount in host.mounts}
    return "v1" if "cgroup" in kinds else "v2" if "cgroup2" in kinds else ""


class TabLine(Widget):
    """The panes that can be brought forward, each with its key; one is lit. A click does what the key does."""

    DEFAULT_CSS = "TabLine { height: 1; text-wrap: nowrap; padding: 0 0 0 1; background: $background; }"

    class Picked(Message):
        """The learner clicked on a pane's name."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(
        self,
        label: Callable[[str], str],
        panels: tuple[str, ...],
        name: str,
        tail: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__(id=name)
        self._tail = tail
        self._label = label
        self._panels = panels
        self._lit = panels[0]

    def light(self, panel: str) -> None:
        """Light a pane's name, if it is one of these."""
        if panel in self._panels and panel != self._lit:
            self._lit = panel
            self.refresh()

    @property
    def lit(self) -> str:
        """The pane whose name is lit."""
        return self._lit

    def redraw(self) -> None:
        """Draw the labels anew: one may carry a mark now."""
        self.refresh()

    def render(self) -> RenderResult:
        """Return the names, and at the right what there is to say beside them, if it fits."""
        parts: list[str | tuple[str, str]] = []
        for panel in self._panels:
            style = (
                "bold $block-cursor-foreground on $block-cursor-background"
                if panel == self._lit
                else "$foreground"
            )
            parts += [(f" {self._label(panel)} ", style)]
        names, tail = Content.assemble(*parts), Content.styled(self._tail(), "bold $text-success")
        gap = self.size.width - names.cell_length - tail.cell_length
        return Content.assemble(names, " " * gap, tail) if gap >= 0 else names

    def on_click(self, event: Click) -> None:
        """Bring the pane under the pointer forward."""
        position = event.x - self.styles.padding.left
        for panel in self._panels:
            width = cell_width(self._label(panel)) + 2
            if 0 <= position < width:
                self.post_message(self.Picked(panel))
                return
            position -= width


class KeyBar(Widget):
    """The keys that work now, as the screen's bindings say; a click presses one."""

    DEFAULT_CSS = (
        "KeyBar { height: auto; max-height: 2; background: $panel; color: $foreground; padding: 0 1; }"
    )

    def __init__(self, messages: Messages, keys: tuple[Key, ...]) -> None:
        super().__init__(id="key-bar")
        self._messages = messages
        self._order = [key.id for key in keys]
        self._places: list[tuple[int, int, int, str]] = []

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh(layout=True))

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """The keys that are shown: binding id's last part, the key as displayed, its short text."""
        found: dict[str, tuple[str, str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            name = (binding.id or "").rpartition(".")[2]
            key = f"tui.key.{name}.short"
            if binding.show and active.enabled and name and name not in found and self._messages.has(key):
                found[name] = (name, self.app.get_key_display(binding), self._messages(key))
        return sorted(
            found.values(), key=lambda each: self._order.index(each[0]) if each[0] in self._order else 99
        )

    def render(self) -> RenderResult:
        """Return the keys on one line, or two."""
        width = self.size.width
        self._places = []
        parts: list[str | tuple[str, str]] = []
        x = y = 0
        for name, key, text in self.shown:
            size = cell_width(key) + cell_width(text) + 1
            if x and x + size > width:
                if y == 1:
                    break
                parts.append("\n")
                x, y = 0, y + 1
            parts += [(key, "bold $text-warning"), f" {text}", "  "]
            self._places.append((y, x, x + size, name))
            x += size + 2
        return Content.assemble(*parts).rstrip()

    def on_click(self, event: Click) -> None:
        """Press the key under the pointer."""
        position = event.x - self.styles.padding.left
        for y, start, end, name in self._places:
            if y == event.y and start <= position < end:
                self.run_worker(self._press(name))
                return

    async def _press(self, name: str) -> None:
        for active in self.screen.active_bindings.values():
            if (active.binding.id or "").rpartition(".")[2] == name:
                await self.app.run_action(active.binding.action, active.node)
                return
