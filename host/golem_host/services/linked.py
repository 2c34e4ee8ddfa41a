"""Components as instances are made from them, the ones used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, TypeAlias

from golem_host.engine import Component as Compiled
from golem_host.engine import LinkedComponent

LOADED_MAX: Final = 16
"""Compiled components kept in memory; others are loaded from the cache again in milliseconds."""

Loaded: TypeAlias = tuple[Compiled, LinkedComponent]


class LinkedComponents:
    """By the hash of their bytes; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Loaded] = OrderedDict()

    def get(self, sha256: str) -> Loaded | None:
        with self._lock:
            found = self._kept.get(sha256)
            if found is not None:
                self._kept.move_to_end(sha256)
            return found

    def put(self, compiled: Compiled, linked: LinkedComponent) -> Loaded:
        with self._lock:
            self._kept[compiled.sha256] = compiled, linked
            while len(self._kept) > LOADED_MAX:
                self._kept.popitem(last=False)
        return compiled, linked
