"""What an engine is configured with, fixed for its life."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from golem_oplog.lazy_dataclass import dataclass

WASM_STACK_BYTES_MAX: Final = 1 << 20
"""
Above this a thread's own stack may end first, which is a segmentation fault.

The smallest stack that CPython gives a secondary thread on the platforms we support is 1 MiB on
musl; elsewhere it is 8 MiB or more.
"""
MEMORY_BYTES_MAX: Final = 1 << 32
TABLE_ELEMENTS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """
    Limits of every instance, and where compiled code is kept.

    Nothing here changes what a guest computes, except that it fails earlier or later.
    """

    cache_dir: Path | None = None
    """None: ``golem-host`` in the user's cache directory (XDG)."""
    cache_bytes_max: int = 4 << 30
    """Of compiled code on disk; what was used longest ago goes first."""
    memory_bytes_max: int = MEMORY_BYTES_MAX
    """
    Of all linear memories of an instance together.  A guest that wants more sees its allocation fail.

    The engine can only bound each memory, so several divide this evenly (`Extents.share`).
    """
    table_elements_max: int = TABLE_ELEMENTS_MAX
    """Of all tables of an instance together, as memory."""
    wasm_stack_bytes: int = 512 << 10
    epoch_tick_ms: int = 10
    """How soon a killed guest stops, roughly half of it."""
    freed_bytes_kept: int = 32 << 20
    """
    Memory that the process keeps per arena of its C allocator instead of giving it back; 0 leaves
    the allocator alone.  It makes bulk data cross the boundary nearly twice as fast.
    """

    def __post_init__(self) -> None:
        # An impossible combination makes the engine abort the process, so it is refused here.
        if not 64 << 10 <= self.wasm_stack_bytes <= WASM_STACK_BYTES_MAX:
            message = f"wasm_stack_bytes must lie between 65536 and {WASM_STACK_BYTES_MAX}"
            raise ValueError(message)
        if min(self.memory_bytes_max, self.table_elements_max, self.epoch_tick_ms) <= 0:
            message = "limits must be positive"
            raise ValueError(message)


SETTINGS: Final = "deterministic-1"
"""Names what `engine_settings` sets that compiled code depends on; the limits do not matter to it."""


def engine_settings(config: EngineConfig) -> dict[str, bool | int]:
    """
    The one configuration that guests run under: the same computation everywhere.

    NaNs are canonical, relaxed SIMD is deterministic, there are no threads and no shared memory.
    Component-model async is off, so a component that uses streams or futures does not even load.
    """
    return {
        "epoch_interruption": True,
        "cranelift_nan_canonicalization": True,
        "wasm_relaxed_simd_deterministic": True,
        "wasm_threads": False,
        "shared_memory": False,
        "wasm_component_model_async": False,
        "concurrency_support": False,
        "max_wasm_stack": config.wasm_stack_bytes,
    }
