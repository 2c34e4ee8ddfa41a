"""Calls in instances of their own, as one event loop makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from golem_host.wire import Public

if TYPE_CHECKING:
    from golem_host.services.once import OneTimeCall


class Instances:
    """
    At most ``threads_max`` at the same time, each in a thread of the pool until it has ended.

    The next one waits here: what a pool has queued it keeps until its turn comes, the body of a
    request included, also when the client has long left.
    """

    def __init__(self, pool: Executor, threads_max: int) -> None:
        self._pool = pool
        self._free = asyncio.Semaphore(threads_max)

    async def run(self, prepare: Callable[[], OneTimeCall]) -> Public:
        """
        Make a call; one whose task is cancelled is given up.

        Raises:
            HostError: As `OneTimeCalls.prepare`, or as the call failed.
        """
        work = asyncio.get_running_loop().run_in_executor
        await self._free.acquire()
        # It may have to compile, and it encodes the whole request.
        thread: asyncio.Future[OneTimeCall] | asyncio.Future[Public] = work(self._pool, prepare)
        try:
            call: OneTimeCall = await asyncio.shield(thread)
            thread = work(self._pool, call.run)
            try:
                return await asyncio.shield(thread)
            except asyncio.CancelledError:
                call.stop()
                raise
        finally:
            thread.add_done_callback(self._ended)

    def _ended(self, thread: asyncio.Future[OneTimeCall] | asyncio.Future[Public]) -> None:
        self._free.release()
        retrieve(thread)


def retrieve(future: asyncio.Future[Public]) -> None:
    """Its exception is known, or concerns nobody any more."""
    if not future.cancelled():
        future.exception()
