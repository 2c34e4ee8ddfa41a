"""An event that a thread can wait for together with sockets."""

from __future__ import annotations

import math
import os
import select
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

READABLE: Final = select.POLLIN
WRITABLE: Final = select.POLLOUT

Watched: TypeAlias = tuple[int, int]
"""A file descriptor, and `READABLE` or `WRITABLE` or both."""


class Wake(threading.Event):
    """Set by any thread; waited for and closed by the one that runs the guest."""

    def __init__(self) -> None:
        super().__init__()
        self._pipe_lock = threading.Lock()
        # Made by the first wait for sockets: few guests have any.
        self._pipe: tuple[int, int] | None = None
        self.until_ns: int | None = None
        """Unix time for which its thread waits just now."""

    def set(self) -> None:
        super().set()
        if self._pipe is not None:
            with self._pipe_lock:
                if self._pipe is not None:
                    _write_one(self._pipe[1])

    def clear(self) -> None:
        super().clear()
        # In this order: whoever sets it in between is seen by the next wait.
        if self._pipe is not None:
            _drain(self._pipe[0])

    @contextmanager
    def waiting_until(self, unix_ns: int | None) -> Iterator[None]:
        """A wait that a time will end: others may want to know which."""
        self.until_ns = unix_ns
        try:
            yield
        finally:
            self.until_ns = None

    def wait_with(self, watched: Sequence[Watched], timeout_s: float | None) -> None:
        """Wait until the event is set or one of the descriptors can be used; may return early."""
        if not watched:
            self.wait(timeout_s)
            return
        if self._pipe is None:
            with self._pipe_lock:
                self._pipe = reader, _ = os.pipe()
                os.set_blocking(self._pipe[0], False)
                os.set_blocking(self._pipe[1], False)
        reader = self._pipe[0]
        # After the pipe is there: from here on every `set` writes to it.
        if self.is_set():
            return
        poll = select.poll()
        poll.register(reader, READABLE)
        for descriptor, events in _merged(watched).items():
            poll.register(descriptor, events)
        poll.poll(None if timeout_s is None else max(0, math.ceil(timeout_s * 1000)))

    def close(self) -> None:
        """Give the pipe back; the event itself still works."""
        with self._pipe_lock:
            if self._pipe is not None:
                for end in self._pipe:
                    os.close(end)
                self._pipe = None


def is_ready(watched: Watched) -> bool:
    """Whether it can be used now, or has failed."""
    poll = select.poll()
    poll.register(*watched)
    return bool(poll.poll(0))


def _merged(watched: Sequence[Watched]) -> dict[int, int]:
    """A descriptor can be registered only once."""
    merged: dict[int, int] = {}
    for descriptor, events in watched:
        merged[descriptor] = merged.get(descriptor, 0) | events
    return merged


def _write_one(descriptor: int) -> None:
    with suppress(BlockingIOError):  # The pipe is full of earlier ones.
        os.write(descriptor, b"\0")


def _drain(descriptor: int) -> None:
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
