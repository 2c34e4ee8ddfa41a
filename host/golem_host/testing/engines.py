"""
Engines that all harnesses of a process share, with what they have loaded.

A crash costs a new host; to load a component of Python's size for each would be most of that.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import Final

from golem_host.engine import Component, Engine, EngineConfig
from golem_host.engine.engine import Progress
from golem_host.services.linked import LinkedComponents

LOADED_MAX: Final = 16
"""Components that an engine keeps, the longest unused given up first."""

_LOCK: Final = threading.Lock()
_ENGINES: Final[dict[EngineConfig, KeptEngine]] = {}
_LINKED: Final[dict[Hashable, LinkedComponents]] = {}


class KeptEngine(Engine):
    """Stays for the next host, until the process ends."""

    def __init__(self, config: EngineConfig) -> None:
        # First: making an engine loads something to try it.
        self._loaded: OrderedDict[tuple[str, str], Component] = OrderedDict()
        super().__init__(config)

    def load(self, wasm: bytes | Path, *, name: str, progress: Progress | None = None) -> Component:
        content = self._read(wasm, name)
        key = name, hashlib.sha256(content).hexdigest()
        with _LOCK:
            found = self._loaded.get(key)
            if found is not None:
                self._loaded.move_to_end(key)
                return found
        component = super().load(content, name=name, progress=progress)
        with _LOCK:
            self._loaded[key] = component
            while len(self._loaded) > LOADED_MAX:
                self._loaded.popitem(last=False)
        return component

    def close(self) -> None:
        """Nothing: others may use it."""


def shared_engine(config: EngineConfig) -> KeptEngine:
    with _LOCK:
        found = _ENGINES.get(config)
    if found is None:
        made = KeptEngine(config)
        with _LOCK:
            found = _ENGINES.setdefault(config, made)
    return found


def shared_links(key: Hashable) -> LinkedComponents:
    """``key`` is all that decides how imports are answered."""
    with _LOCK:
        return _LINKED.setdefault(key, LinkedComponents())
