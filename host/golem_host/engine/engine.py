"""The engine of a process: one configuration, one epoch, the compile cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from golem_host.engine.allocator import keep_freed_memory
from golem_host.engine.binary import MalformedError
from golem_host.engine.cache import CompileCache, default_directory
from golem_host.engine.component import Component, SourceFacts
from golem_host.engine.describe import describe
from golem_host.engine.limits import SETTINGS, EngineConfig, engine_settings
from golem_host.engine.memories import COUNT_MAX, Extents, memories_of, tables_of
from golem_host.engine.raw import EngineError, RawComponent, RawEngine
from golem_host.engine.refusals import invalid, refuse_header
from golem_host.engine.selftest import run_once
from golem_host.engine.ticker import Ticker
from golem_host.errors import ComponentError
from golem_oplog.closing import ClosesOnExit

Progress = Callable[[str], None]


class _Words(NamedTuple):
    """How people are told of memories, or of tables."""

    many: str
    total: str
    unit: str
    advice: str = ""


_MEMORIES: Final = _Words("memories", "bytes of memory", "bytes", ": raise memory_bytes_max")
_TABLES: Final = _Words("tables", "table elements", "elements")


class Engine(ClosesOnExit):
    """
    Loads components.  Make one per process or host; it may be used from any thread.

    Making the first one of an installation checks that the engine underneath lays out memory as this
    package expects, and raises `EngineMismatchError` where it does not.
    """

    component_type: ClassVar[type[Component]] = Component
    """What `load` makes."""

    def __init__(self, config: EngineConfig | None = None) -> None:
        self.config = config or EngineConfig()
        self.raw = RawEngine(engine_settings(self.config))
        self.ticker = Ticker(self.raw.increment_epoch, self.config.epoch_tick_ms)
        self._cache = CompileCache(
            self.config.cache_dir or default_directory(),
            settings=SETTINGS,
            bytes_max=self.config.cache_bytes_max,
        )
        if self.config.freed_bytes_kept:
            keep_freed_memory(self.config.freed_bytes_kept)
        run_once(self, self._cache)

    def load(self, wasm: bytes | Path, *, name: str, progress: Progress | None = None) -> Component:
        """
        Compile a component, or take it from the cache.

        ``progress`` gets a line of text before something that takes seconds.

        Raises:
            ComponentError: It cannot be hosted; the reason says why and what to do.
        """
        content = self._read(wasm, name)
        refuse_header(name, content)
        try:
            memories, tables = memories_of(content), tables_of(content)
        except MalformedError as error:
            raise ComponentError(component=name, reason=f"damaged or invalid: {error}") from error
        self._check(name, memories, self.config.memory_bytes_max, _MEMORIES)
        self._check(name, tables, self.config.table_elements_max, _TABLES)
        sha256 = hashlib.sha256(content).hexdigest()
        raw = self._cache.load(self.raw, sha256)
        fresh = raw is None
        if raw is None:
            raw = self._compile(content, name, progress)
        description = describe(raw, self.raw, name)
        if fresh:
            self._cache.store(sha256, raw)
        facts = SourceFacts(name, sha256, len(content), memories, tables)
        return self.component_type(self, raw, description, facts)

    def close(self) -> None:
        """Stop the ticker.  Close the instances first: none can be killed afterwards."""
        self.ticker.close()

    @staticmethod
    def _read(wasm: bytes | Path, name: str) -> bytes:
        if isinstance(wasm, bytes):
            return wasm
        try:
            return wasm.read_bytes()
        except OSError as error:
            raise ComponentError(component=name, reason=f"cannot be read: {error}") from error

    def _compile(self, content: bytes, name: str, progress: Progress | None) -> RawComponent:
        if progress is not None:
            progress(f"compiling {name} ({len(content) / 1e6:.1f} MB)")
        try:
            return RawComponent.compile(self.raw, content)
        except EngineError as error:
            raise invalid(name, str(error)) from error

    @staticmethod
    def _check(name: str, extents: Extents, maximum: int, words: _Words) -> None:
        """Refuse what an instance could not even start with."""
        total, count, share = extents.initial, extents.count, extents.share(maximum)
        reason = ""
        if count > COUNT_MAX:
            reason = f"has more than {COUNT_MAX} {words.many}"
        elif total > maximum:
            reason = f"starts with {total} {words.total}; {maximum} is the limit"
        elif (largest := max((extent.initial for extent in extents), default=0)) > share:
            reason = (
                f"has {count} {words.many} that share {maximum} {words.unit}, {share} for each, "
                f"and one starts with {largest}{words.advice}"
            )
        if reason:
            raise ComponentError(component=name, reason=reason)
