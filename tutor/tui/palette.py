"""The command palette (ctrl+p): the commands of the screen below it, searched by name and by what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    PaletteCommand = tuple[str, str, Callable[[], object]]
    """The title of a command, its help, and the call that runs it."""


@runtime_checkable
class OffersCommands(Protocol):
    """A screen that has commands for the palette."""

    def palette_commands(self) -> Iterator[PaletteCommand]:
        """Yield each command."""


class CommandProvider(Provider):
    """Offers the commands of the screen below."""

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

    def _commands(self) -> Iterator[PaletteCommand]:
        if isinstance(self.screen, OffersCommands):
            yield from self.screen.palette_commands()
