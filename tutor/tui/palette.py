"""The command palette (ctrl+p): the registry's commands, searched by name and by what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class CommandProvider(Provider):
    """Offers what the screen below offers (`palette_commands`): a title, what it does, and how to do it."""

    async def discover(self) -> Hits:
        """Offer everything while nothing is typed."""
        for title, text, run in self._commands():
            yield DiscoveryHit(title, run, help=text)

    async def search(self, query: str) -> Hits:
        """Offer what matches, best first."""
        matcher = self.matcher(query)
        for title, text, run in self._commands():
            score = max(matcher.match(title), matcher.match(text) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=text)

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        from tutor.tui.screens.base import TutorScreen

        if isinstance(self.screen, TutorScreen):
            yield from self.screen.palette_commands()
