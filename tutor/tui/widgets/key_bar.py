"""The line at the bottom: which keys work now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tutor.text import cell_width

if TYPE_CHECKING:
    from textual.app import RenderResult
    from textual.events import Click
    from textual.geometry import Size

    from tutor.messages import Messages
    from tutor.tui.keys import Key


class KeyBar(Widget):
    """The keys that work now, by the bindings of the screen; a click on one does what the key does."""

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
        """The keys that are shown: the last part of the binding's id, the key as displayed, its short text."""
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

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's signature)
        """Return the number of lines in `width` cells; the widget still has the size of before when it is resized."""
        return self._lines(width)[0].plain.count("\n") + 1

    def render(self) -> RenderResult:
        """Return the keys on one line, or two."""
        content, self._places = self._lines(self.size.width)
        return content

    def _lines(self, width: int) -> tuple[Content, list[tuple[int, int, int, str]]]:
        """Return the keys, and of each its line, first and last cell, and name."""
        places: list[tuple[int, int, int, str]] = []
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
            places.append((y, x, x + size, name))
            x += size + 2
        return Content.assemble(*parts).rstrip(), places

    def on_click(self, event: Click) -> None:
        """Do what the key under the pointer does."""
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
