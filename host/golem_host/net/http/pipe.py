"""
Bytes from one thread to another, at most a window of them at a time, and who is told of them.

The thread of a guest looks whether it can go on and waits with its `Wake`; the loop's coroutines
wait with a `LoopBell`.  Both hang in the same `Bells`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol, TypeAlias

from golem_host.net.http.errors import HttpError

WINDOW_BYTES: Final = 262_144
"""What a body may be ahead of its reader, in either direction."""

Fields: TypeAlias = list[tuple[str, bytes]]
"""Names with values, in order, a name more than once if need be."""


class Settable(Protocol):
    def set(self) -> None: ...


class Bells:
    """Everybody who waits for an exchange; rung after each change of it, from any thread."""

    def __init__(self) -> None:
        self._waiting: list[Settable] = []
        self._lock = threading.Lock()

    @contextmanager
    def hung(self, bell: Settable) -> Iterator[None]:
        with self._lock:
            self._waiting.append(bell)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.remove(bell)

    def ring(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        for each in waiting:
            each.set()


class LoopBell:
    """Lets a coroutine wait for what another thread does."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def set(self) -> None:
        # The loop may have ended meanwhile, and nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until it holds; it is looked at again after each ring."""
        while True:
            self._rung.clear()
            if condition():
                return
            await self._rung.wait()


class Pipe:
    """One body on its way."""

    def __init__(self, bells: Bells) -> None:
        self._bells = bells
        self._lock = threading.Lock()
        self._data = bytearray()
        self._error: HttpError | None = None
        self.is_ended = False
        """Whether nothing more will be put in."""
        self.is_cut = False
        """Whether nothing more will be taken out."""
        self.trailers: Fields = []

    # -- who puts in --------------------------------------------------------------------------

    @property
    def room(self) -> int:
        return max(WINDOW_BYTES - len(self._data), 0)

    def put(self, data: bytes) -> None:
        """More than there is room for is taken as well: keeping to it is the caller's duty."""
        with self._lock:
            if self.is_cut or self.is_ended:
                return
            self._data += data
        self._bells.ring()

    def end(self, trailers: Fields | None = None) -> None:
        with self._lock:
            self.trailers = trailers or []
            self.is_ended = True
        self._bells.ring()

    def fail(self, error: HttpError) -> None:
        """What was put in before can still be taken out."""
        with self._lock:
            if not self.is_ended:
                self._error = error
                self.is_ended = True
        self._bells.ring()

    # -- who takes out ------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether `take` has something to say."""
        return bool(self._data) or self.is_ended or self.is_cut

    @property
    def is_at_end(self) -> bool:
        """Whether everything was taken out and it ended well."""
        return self.is_ended and not self._data and self._error is None

    def take(self, size_max: int) -> bytes | None:
        """
        What is there, empty where nothing is yet; None at the end.

        Raises:
            HttpError: It ended badly; every time.
        """
        with self._lock:
            if self._data:
                was_full = len(self._data) >= WINDOW_BYTES
                data = bytes(self._data[:size_max])
                del self._data[:size_max]
            elif self._error is not None:
                raise self._error
            else:
                return None if self.is_ended else b""
        if was_full:
            self._bells.ring()
        return data

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            self._data.clear()
        self._bells.ring()
