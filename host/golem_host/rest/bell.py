"""What threads of the host ring and the event loop hears."""

from __future__ import annotations

import asyncio

from golem_host.rest.bounds import MARK_S
from golem_host.rest.exchange import Waits


class Bell:
    """Rung from any thread, heard by one stream; ringing twice is ringing once."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._has_rung = True
        self._heard: asyncio.Future[None] | None = None

    def ring(self) -> None:
        self._waits.notify(self._ring)

    def _ring(self) -> None:
        self._has_rung = True
        if self._heard is not None and not self._heard.done():
            self._heard.set_result(None)

    async def rung(self) -> bool:
        """Wait until it rings, or has rung since the last time; False after `MARK_S` seconds."""
        if not self._has_rung:
            self._heard = self._waits.loop.create_future()
            if not await self._waits.wait(self._heard, MARK_S):
                return False
        self._has_rung = False
        return True
