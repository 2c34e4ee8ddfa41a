"""A log that the guest does not agree with: told, kept, and left behind."""

from __future__ import annotations

from pathlib import Path

import msgpack
import pytest

from golem_host.errors import DivergenceError, PreviousInvocationFailedError
from golem_host.storage.layout import StateLayout
from golem_oplog import (
    BlobStore,
    ExportedFunctionInvoked,
    FunctionType,
    ImportedFunctionInvoked,
    OplogStore,
    OsFiles,
    SyncLevel,
)
from tests.support.hosts import QUICK, open_host
from tests.support.version_guests import version

KEY = "k"
OTHER = FunctionType("test::other::call", (), None)


def spoil(state_dir: Path) -> int:
    """Begin the last call again, with a host call that its guest never makes: the index of that."""
    layout, files = StateLayout(state_dir), OsFiles()
    blobs = BlobStore(layout.blobs, files, SyncLevel.PROCESS)
    store = OplogStore(layout.workers, files, SyncLevel.PROCESS, blobs)
    (name,) = store.list()
    with store.open(name) as log:
        begun = [e for _, e in log.read() if isinstance(e, ExportedFunctionInvoked)][-1]
        log.append(begun._replace(idempotency_key=KEY))
        nothing = msgpack.packb([])
        index = log.append(
            ImportedFunctionInvoked(begun.timestamp, log.define(OTHER), nothing, nothing, 0)
        )
        log.commit()
    return index


def test_a_divergence_is_told_once_and_can_be_left_behind(tmp_path: Path) -> None:
    """It names both calls, is no matter of retries, outlives the host, and a revert undoes it."""
    with open_host(tmp_path, QUICK) as host:
        component = host.components.deploy(version(), name="it")
        assert 1 == host.workers.create(component, "main").invoke("add", 1)
    index = spoil(tmp_path)
    with open_host(tmp_path, QUICK) as host:
        worker = host.workers.get("it", "main")
        call = worker.call(KEY)
        assert call is not None
        with pytest.raises(DivergenceError, match=r"test::other::call") as raised:
            call.result(20)

        assert index == raised.value.index
        assert "failed" == worker.metadata().status
        assert 1 == [entry.kind for entry in worker.oplog()].count("error")
    with open_host(tmp_path, QUICK) as host:
        worker = host.workers.get("it", "main")
        with pytest.raises(PreviousInvocationFailedError, match=r"test::other::call"):
            worker.invoke("add", 1)
        worker.revert(to_index=index - 1)
        worker.resume()
        call = worker.call(KEY)

        assert call is not None
        assert 2 == call.result(20)
