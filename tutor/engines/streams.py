"""Read the output of calls as it arrives: a container holds the pipes open long after its `create` has ended.

A container that prints without end is slowed down as by a slow terminal (its write(2) blocks), so that it takes neither all of the
processor nor all of the face's time; and the output delivered for one call is limited.
"""

from __future__ import annotations

import codecs
import os
import select
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tutor.engines.model import Call, Stream

Limit = Literal["slowed", "omitted"]

CHUNK = 64 * 1024  # bytes read at once; also what a pipe holds by default, pipe(7)
PAUSE = 0.02  # seconds between two reads of a stream: what is printed meanwhile becomes one chunk
HELD = 1.0  # seconds that `held` waits for a chunk that is being delivered
BURST = (
    512 * 1024
)  # bytes of a stream that are read as fast as they come; then SLOW_CHUNK bytes every SLOW_PAUSE seconds
SLOW_CHUNK, SLOW_PAUSE = 16 * 1024, 0.25
MOST_DELIVERED = 4 * 1024 * 1024  # bytes of a stream; the rest is read and dropped
MOST_KEPT = 1024 * 1024  # bytes of a stream for its CallResult


def nothing_to_read() -> int:
    """Return the descriptor of an empty file, for a standard input.

    Not /dev/null: crun 1.8.1 makes the container's user its owner, and it is the host's.
    """
    return os.memfd_create("nothing", os.MFD_CLOEXEC)


class _Source:
    def __init__(self, call: Call, stream: Stream, descriptor: int) -> None:
        self.call = call
        self.stream = stream
        self.descriptor = descriptor
        self.resume_at = 0.0
        self.total = 0
        self.ended = False
        self.limit: Limit | None = None
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")


class StreamReader:
    """Reads the streams of many calls in one thread, and delivers from it chunks of text, those of one stream in order."""

    def __init__(
        self, on_text: Callable[[Call, Stream, str], None], on_limited: Callable[[Call, Limit], None]
    ) -> None:
        self._on_text = on_text
        self._on_limited = on_limited
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._sources: list[_Source] = []
        self._unsettled: list[tuple[Call | None, threading.Event]] = []
        self._kept: dict[tuple[int, Stream], list[str]] = {}
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="engine-output", daemon=True)
        self._thread.start()

    def add(self, call: Call, stream: Stream, descriptor: int) -> None:
        """Start reading a stream; the reader owns the descriptor (a pipe's read end) from now on."""
        os.set_blocking(descriptor, False)
        with self._changed:
            self._sources.append(_Source(call, stream, descriptor))
            self._kept[call.id, stream] = []
        self._wake()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Deliver nothing meanwhile: what a container prints because of a command comes after the news that the command has started."""
        # A face that takes long for a chunk delays the command no longer than this: then the order is not certain.
        mine = self._delivering.acquire(timeout=HELD)
        try:
            yield
        finally:
            if mine:
                self._delivering.release()

    def settle(self, call: Call) -> tuple[str, str]:
        """Deliver what the call has printed so far; return it as stdout and stderr, and keep nothing of it."""
        self.flush(call)
        with self._changed:
            stdout, stderr = ("".join(self._kept.pop((call.id, name), [])) for name in ("stdout", "stderr"))
        return stdout, stderr

    def flush(self, call: Call | None = None) -> None:
        """Deliver what a call, or every call, has printed so far."""
        done = threading.Event()
        with self._changed:
            self._unsettled.append((call, done))
        self._wake()
        while not done.wait(PAUSE) and self._thread.is_alive():
            continue

    def drain(self, timeout: float) -> bool:
        """Wait until all streams are closed, at most `timeout` seconds; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._sources, timeout)

    def close(self) -> None:
        """Stop reading; a process that writes into a stream afterwards gets SIGPIPE."""
        with self._changed:
            self._stopping = True
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except OSError:
            return  # the pipe is full: the thread wakes anyway; or closed: the thread has ended

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            with self._changed:
                if self._stopping:
                    break
                unsettled, self._unsettled = self._unsettled, []
                sources = list(self._sources)
            for call, done in unsettled:
                for source in sources:
                    if call in (None, source.call) and not source.ended:
                        self._read(source, CHUNK)
                done.set()
            if not unsettled:
                self._wait_and_read(sources, now)
        for source in self._sources:
            os.close(source.descriptor)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wait_and_read(self, sources: list[_Source], now: float) -> None:
        due = {source.descriptor: source for source in sources if source.resume_at <= now}
        later = [source.resume_at - now for source in sources if source.resume_at > now]
        poller = select.poll()
        poller.register(self._wake_read, select.POLLIN)
        for descriptor in due:
            poller.register(descriptor, select.POLLIN)
        for descriptor, _events in poller.poll(min(later) * 1000 if later else None):
            if descriptor == self._wake_read:
                os.read(self._wake_read, 512)
            else:
                source = due[descriptor]
                self._read(source, CHUNK if source.total < BURST else SLOW_CHUNK)

    def _read(self, source: _Source, size: int) -> None:
        with self._delivering:
            self._read_and_deliver(source, size)

    def _read_and_deliver(self, source: _Source, size: int) -> None:
        try:
            data = os.read(source.descriptor, size)
        except BlockingIOError:
            return  # nothing there now
        except OSError:
            data = b""
        source.total += len(data)
        slow = source.total >= BURST
        source.resume_at = time.monotonic() + (SLOW_PAUSE if slow else PAUSE)
        if source.total <= MOST_DELIVERED:
            self._deliver(source, data)
        if source.total > MOST_DELIVERED:
            self._limit(source, "omitted")
        elif slow and len(data) == size:  # more was waiting: it prints faster than it is read
            self._limit(source, "slowed")
        if not data:
            with self._changed:
                os.close(source.descriptor)
                source.ended = True
                self._sources.remove(source)
                self._changed.notify_all()

    def _deliver(self, source: _Source, data: bytes) -> None:
        text = source.decoder.decode(data, final=not data)
        if not text:
            return
        kept = self._kept.get((source.call.id, source.stream))
        if kept is not None and source.total <= MOST_KEPT:
            kept.append(text)
        self._on_text(source.call, source.stream, text)

    def _limit(self, source: _Source, limit: Limit) -> None:
        if source.limit != limit:
            source.limit = limit
            self._on_limited(source.call, limit)
