"""What a guest can wait for of an exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from golem_host.context import InstanceContext
from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Unwatched
from golem_host.net.http.exchange import Exchange as Outside


class Awaited(Unwatched):
    """
    Ready when what it looks at has happened, or the exchange has failed or is over.

    A guest that was told so counts on it, though after a replay it may have to happen again:
    whoever acts on it calls `keep_word` first.
    """

    __slots__ = ("_exchange", "_is_told", "_look")

    def __init__(self, exchange: Exchange, look: Callable[[Outside], bool]) -> None:
        self._exchange = exchange
        self._look = look
        self._is_told = False

    def told(self) -> None:
        self._is_told = True

    def keep_word(self, context: InstanceContext) -> None:
        """Wait, where the guest was told that it need not; live only."""
        if self._is_told:
            wait_for(context, [self])

    def forget(self) -> None:
        """The guest has acted on it."""
        self._is_told = False

    def ready(self, now_ns: int) -> bool:
        return self._exchange.is_ready(self._look)

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self._exchange.upload.bells.hung(wake)

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False
