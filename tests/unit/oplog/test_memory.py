"""What a log in memory has beyond the promises of every log."""

from __future__ import annotations

import pytest

from golem_oplog.blobs import MemoryBlobs
from golem_oplog.entries import Log, NoOp
from golem_oplog.errors import MalformedEntryError
from golem_oplog.memory import MemoryOplog, MemoryOplogStore
from tests.support.oplogs import call_entry, create_entry


def test_a_log_may_begin_empty() -> None:
    """Without a first entry a log has none, and takes any."""
    log = MemoryOplog()

    assert (0, 0, []) == (log.last_index, log.committed_index, list(log.read()))
    assert 1 == log.append(NoOp(1))


def test_entries_are_read_as_a_file_would_give_them() -> None:
    """What is read is decoded from bytes: no object is shared with who appended it."""
    log = MemoryOplog()
    entry = NoOp(1)
    log.append(entry)

    assert entry == log.entry(1)
    assert entry is not log.entry(1)
    with pytest.raises(MalformedEntryError):
        log.append(Log(1, 0, "", "text"))  # type: ignore[arg-type]


def test_logs_of_one_store_share_their_blobs() -> None:
    """A fork resolves the references that it has from its source."""
    blobs = MemoryBlobs()
    store = MemoryOplogStore(blobs)
    log = store.create("a", create_entry())
    log.append(call_entry(log, 3, size_bytes=70_000))

    fork = store.fork("a", "b", 2, create_entry("b"))

    request = getattr(fork.entry(2), "request")  # noqa: B009 (one of many kinds of entry)
    assert 70_000 == len(fork.load(request))
    assert blobs.get(request) == fork.load(request)


def test_a_copy_keeps_definitions_apart() -> None:
    """What a log defines after it was copied is its own."""
    log = MemoryOplog(create_entry())
    log.append(call_entry(log, 3))
    copy = log.copy(2, create_entry("b"))

    assert log.function(0) == copy.function(0)
    assert log._definitions is not copy._definitions
