"""What a guest can wait for of an exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.io.pollables import Unwatched
from golem_host.net.http.exchange import Exchange as Outside


class Awaited(Unwatched):
    """Ready when what it looks at has happened, or the exchange has failed or is over."""

    __slots__ = ("_exchange", "_look")

    def __init__(self, exchange: Exchange, look: Callable[[Outside], bool]) -> None:
        self._exchange = exchange
        self._look = look

    def ready(self, now_ns: int) -> bool:
        return self._exchange.is_ready(self._look)

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self._exchange.upload.bells.hung(wake)

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False
