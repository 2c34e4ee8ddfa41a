"""Entries and logs for tests."""

from __future__ import annotations

from pathlib import Path

from golem_oplog.blobs import BlobStore
from golem_oplog.entries import Create, Entry, ImportedFunctionInvoked, Log, NoOp
from golem_oplog.files import Files
from golem_oplog.protocol import Oplog, SyncLevel
from golem_oplog.store import OplogStore
from golem_oplog.types import FunctionType, Prim

LOOKUP = FunctionType("test:shop/stock.{look-up}", (("item", Prim.STRING),), Prim.U32)
NOTIFY = FunctionType("test:shop/mail.{notify}", (("to", Prim.STRING),), None)


def create_entry(worker_name: str = "alice") -> Create:
    return Create(
        timestamp=1_700_000_000_000_000_000,
        component_id="00000000-0000-0000-0000-000000000001",
        worker_name=worker_name,
        component_version=0,
        args=("--fast",),
        env=(("LANG", "C"),),
        config_vars=(),
        component_size_bytes=4096,
        initial_memory_bytes=65536,
    )


def open_store(files: Files, root: Path, sync_level: SyncLevel = SyncLevel.POWER) -> OplogStore:
    """A store below ``root``, its blobs beside it."""
    blobs = BlobStore(root / "blobs", files, sync_level)
    return OplogStore(root / "workers", files, sync_level, blobs)


def call_entry(log: Oplog, number: int, size_bytes: int = 100) -> Entry:
    """A recorded host call; equal numbers and sizes give equal entries, but for function ids."""
    function = LOOKUP if number % 2 else NOTIFY
    return ImportedFunctionInvoked(
        timestamp=number,
        function=log.define(function),
        request=number.to_bytes(8, "big") * (size_bytes // 8),
        response=b"\x00",
        function_type=number % 5,
    )


def log_entry(number: int, size_bytes: int = 20) -> Entry:
    return Log(number, 0, "", f"line {number}".ljust(size_bytes).encode())


def small_entry(number: int) -> Entry:
    return NoOp(number)
