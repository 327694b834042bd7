"""Breakpoints: names of steps before which to stop. They are kept from one operation to the next."""

from __future__ import annotations

import itertools
import threading

from tutor.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """Stop before a step; `temporary`: once."""

    number: int
    step: str
    temporary: bool = False


class Breakpoints:
    """The breakpoints of a session, numbered from 1 as gdb does. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._all: tuple[Breakpoint, ...] = ()

    @property
    def all(self) -> tuple[Breakpoint, ...]:
        """The breakpoints, in the order in which they were set."""
        return self._all

    def add(self, step: str, *, temporary: bool = False) -> Breakpoint:
        """Stop before a step from now on; return the breakpoint, the one that is there already if there is one of this kind."""
        with self._lock:
            same = [each for each in self._all if (each.step, each.temporary) == (step, temporary)]
            if same:
                return same[0]
            made = Breakpoint(next(self._numbers), step, temporary)
            self._all = (*self._all, made)
            return made

    def delete(self, which: str = "") -> tuple[Breakpoint, ...]:
        """Delete the breakpoint with a number, those before a step, or (empty) all; return what was deleted."""
        with self._lock:
            gone = tuple(each for each in self._all if which in ("", str(each.number), each.step))
            self._all = tuple(each for each in self._all if each not in gone)
            return gone

    def hit(self, step: str) -> Breakpoint | None:
        """Return the breakpoint before a step, None if there is none; a temporary one is deleted."""
        with self._lock:
            found = next((each for each in self._all if each.step == step), None)
            if found is not None and found.temporary:
                self._all = tuple(each for each in self._all if each is not found)
            return found
