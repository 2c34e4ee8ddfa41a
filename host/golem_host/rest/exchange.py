"""What an action is given, and what it may answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote

from golem_host.errors import InvalidRequestError
from golem_host.rest.errors import HostClosingError
from golem_host.rest.shapes import read, read_query
from golem_host.trace_context import TRACE_PARENT, TRACE_STATE, TraceContext
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host.host import Host
    from golem_host.worker.request import Call

T = TypeVar("T")

JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
WASM: Final = "application/wasm"
UPLOADS: Final = frozenset({BYTES, WASM})
"""Media types of bodies that may be large."""
TEXT: Final = "text/plain; charset=utf-8"
LINES: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not JSON."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that comes bit by bit."""

    pieces: AsyncIterator[bytes]
    media_type: str


class Waits:
    """
    Everything on one event loop that waits for something of the host, without a thread.

    Ended all at once when the host closes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._open: set[asyncio.Future[None]] = set()
        self._closing = False

    def close(self) -> None:
        self._closing = True
        for future in self._open:
            if not future.done():
                future.set_exception(_closing())

    def notify(self, act: Callable[[], None]) -> None:
        """Have the loop do something; from any thread, also when it has ended."""
        try:
            self.loop.call_soon_threadsafe(act)
        except RuntimeError:
            # The server is gone, and with it everybody who waited.
            return

    async def wait(self, future: asyncio.Future[None], timeout_s: float | None) -> bool:
        """
        Until the future is done; False when the time is over before.

        Raises:
            HostClosingError: The host closes.
        """
        if self._closing:
            raise _closing()
        self._open.add(future)
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            return False
        finally:
            self._open.discard(future)
        return True


def _closing() -> HostClosingError:
    return HostClosingError(reason="the host is closing; what it has accepted goes on later")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, for the action that answers it."""

    host: Host
    waits: Waits
    pool: Executor
    path: Mapping[str, str]
    """Parameters of the path, as they were sent: percent-encoded."""
    pairs: list[tuple[str, str]]
    headers: Mapping[str, str]
    content: bytes
    document: object
    may_grant: bool
    """Whether whoever asks may give guests what is this machine's."""

    def named(self, name: str) -> str:
        """A parameter of the path."""
        try:
            return unquote(self.path[name], errors="strict")
        except UnicodeDecodeError as error:
            raise InvalidRequestError(reason=f"the path's {name} is not UTF-8") from error

    def index(self, name: str) -> int:
        """A parameter of the path that is a number."""
        text = self.named(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise InvalidRequestError(reason=f"the path's {name} is not a number: {text[:100]!r}")
        return int(text)

    def query(self, shape: type[T]) -> T:
        return read_query(shape, self.pairs)

    def body(self, shape: type[T]) -> T:
        return read(shape, self.document)

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def trace(self) -> TraceContext | None:
        """What the client is traced by."""
        return TraceContext.of_headers(
            self.headers.get(TRACE_PARENT), self.headers.get(TRACE_STATE)
        )

    async def work(self, act: Callable[[], T]) -> T:
        """Do what blocks in a thread of the pool."""
        return await self.waits.loop.run_in_executor(self.pool, act)

    async def outcome(self, call: Call, timeout_s: float | None) -> bool:
        """Wait for an invocation; False when the time is over and it is not done."""
        return await outcome(self.waits, self.pool, call, timeout_s)


async def outcome(waits: Waits, pool: Executor, call: Call, timeout_s: float | None) -> bool:
    """As `Exchange.outcome`, for others who serve."""
    done: asyncio.Future[None] = waits.loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    begun = asyncio.ensure_future(
        waits.loop.run_in_executor(pool, lambda: call.watch(lambda: waits.notify(settle)))
    )
    try:
        # Not cancelled in the middle: what has begun must be ended.
        await asyncio.shield(begun)
        return await waits.wait(done, timeout_s)
    finally:
        begun.add_done_callback(_end)


def _end(begun: asyncio.Future[Callable[[], None]]) -> None:
    if not begun.cancelled() and begun.exception() is None:
        begun.result()()
