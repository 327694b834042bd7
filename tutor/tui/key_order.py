"""Keys take effect in their order, however many arrive together.

Textual hands a key to the widget with the focus and goes on to the next one. A letter is typed there and then, but the key of a
binding goes up through all parents before it runs (8.2.8): in a burst, as SSH brings them, Backspace comes after the letters typed
behind it. So a key waits here until everything that the one before it caused has been handled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from textual.app import App
from textual.events import Key, Paste
from textual.message import Message

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.events import Event
    from textual.message_pump import MessagePump

R = TypeVar("R")

_MOST_ROUNDS = 5  # a key's effects pass a few queues one after the other; a screen that gets events all the time is never idle
_LOOK_AFTER = 0.5  # seconds: a widget that has been removed answers no more
_LONGEST = 10  # looks; what takes longer must not make the keyboard dead


class Typed(Message, bubble=False):
    """Keys and pastes that have arrived together."""

    def __init__(self, events: list[Key | Paste]) -> None:
        super().__init__()
        self.events = events


class Passed(Message):
    """Goes the way of a key, behind it: from the widget with the focus up to the app."""


class OrderedKeys(App[R]):
    """An app whose keys take effect in their order."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self._typed: deque[Key | Paste] = deque()
        self._key_at: MessagePump | None = None  # the widget that the present key was given to
        self._rounds = 0
        self._lookout: asyncio.TimerHandle | None = None

    def takes(self, event: Key | Paste) -> bool:  # noqa: ARG002  (for subclasses)
        """Tell whether a key or a paste is to have an effect now; False drops it."""
        return True

    async def on_event(self, event: Event) -> None:
        """Take a key or a paste in its turn; anything else at once."""
        if isinstance(event, Key | Paste) and not event.is_forwarded:
            self._typed.append(event)
            await self._take_typed()
        else:
            await super().on_event(event)

    async def on_typed(self, message: Typed) -> None:
        """Take keys and pastes, each in its turn."""
        self._typed += message.events
        await self._take_typed()

    async def _take_typed(self) -> None:
        while self._typed and self._key_at is None:
            event = self._typed.popleft()
            if not self.takes(event):
                continue
            at = self.focused or self.screen
            await super().on_event(event)
            self._rounds = 0
            self._follow(at if event.is_forwarded else self.focused or self.screen)

    def _follow(self, at: MessagePump) -> None:
        """Send a message behind the key: when it arrives, the key has."""
        self._rounds += 1
        if at.post_message(Passed()):
            self._key_at = at
            self._lookout = asyncio.get_running_loop().call_later(_LOOK_AFTER, self._look, at, 1)
        else:
            self._key_at = None

    async def on_passed(self, message: Passed) -> None:
        """Go on with the next key, or wait for what the present one has caused: its messages are behind it in the queues."""
        message.stop()
        at = self._key_at
        if at is None:
            return
        if self._lookout is not None:
            self._lookout.cancel()
        self._key_at = None
        if self._rounds < _MOST_ROUNDS and any(each.message_queue_size for each in _way(at)):
            self._follow(at)
        if self._key_at is None:
            await self._take_typed()

    def _look(self, at: MessagePump, times: int) -> None:
        """Wait on while the widget is there; else go on, for nothing will come from it."""
        if self._key_at is not at:
            return
        if times < _LONGEST and at.is_attached and at.is_running:
            self._lookout = asyncio.get_running_loop().call_later(_LOOK_AFTER, self._look, at, times + 1)
        else:
            self.post_message(Passed())


def _way(at: MessagePump) -> list[MessagePump]:
    """Return a widget and all above it, but for the app."""
    way: list[MessagePump] = []
    node: MessagePump | None = at
    while node is not None and not isinstance(node, App):
        way.append(node)
        node = node._parent
    return way
