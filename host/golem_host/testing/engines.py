"""
Engines that all harnesses of a process share, with what they have loaded.

A crash costs a new host; to load a component of Python's size for each would be most of that.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import ClassVar, Final

from golem_host.engine import Component, Engine, EngineConfig, LinkedComponent
from golem_host.engine.engine import Progress
from golem_host.engine.linker import Misfit, Resolve, ResolveDrop, any_type

LOADED_MAX: Final = 16
"""Components that an engine keeps, the longest unused given up first."""

_LOCK: Final = threading.Lock()
_ENGINES: Final[dict[tuple[EngineConfig, bool], KeptEngine]] = {}


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


class LinkedOnce(Component):
    """Linked by the first host for all of them: each answers imports in the same way."""

    _linked: LinkedComponent | None = None

    def link(
        self, resolve: Resolve, drop: ResolveDrop, misfit: Misfit = any_type
    ) -> LinkedComponent:
        if self._linked is None:
            self._linked = super().link(resolve, drop, misfit)
        return self._linked


class LinkingEngine(KeptEngine):
    component_type: ClassVar[type[Component]] = LinkedOnce


def shared_engine(config: EngineConfig, *, keeps_links: bool) -> KeptEngine:
    """``keeps_links`` where every host answers imports in the same way."""
    key = config, keeps_links
    with _LOCK:
        found = _ENGINES.get(key)
    if found is None:
        made = (LinkingEngine if keeps_links else KeptEngine)(config)
        with _LOCK:
            found = _ENGINES.setdefault(key, made)
    return found
