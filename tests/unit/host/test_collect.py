"""What a collection removes from a state directory, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem_host import ComponentNotFoundError, Host, InvalidRequestError, PromiseId
from golem_host.services.collect import Removed
from golem_host.services.unfinished import WorkerKey
from golem_host.storage.disk import disk_use
from golem_host.storage.layout import StateLayout
from golem_oplog.blobs import BlobStore
from golem_oplog.entries import ExportedFunctionCompleted
from golem_oplog.files import OsFiles
from golem_oplog.protocol import SyncLevel
from tests.support.components import clock_component
from tests.support.hosts import open_host

LARGE = b"large" * 100_000


def blob_files(root: Path) -> int:
    return sum(path.is_file() for path in (root / "blobs").rglob("*"))


def write_blob(host: Host, worker: str) -> None:
    """Make a worker whose log refers to a blob, in its writer's buffer only."""
    component = host.components.deploy(clock_component(), name="clock")
    host.workers.get_or_create(component, worker)
    runner = host.workers.runner(WorkerKey(component.name, worker))
    runner.parts.oplog.append(ExportedFunctionCompleted(1, LARGE))


def test_blobs_stay_as_long_as_a_log_refers_to_them(tmp_path: Path) -> None:
    """Also one that is still in a writer's buffer, and that of a fork; then they go."""
    with open_host(tmp_path) as host:
        write_blob(host, "a")
        assert 1 == blob_files(tmp_path)
        assert Removed() == host.collect().blobs
        host.workers.get("clock", "a").fork("b")
        host.workers.get("clock", "a").delete()
        assert Removed() == host.collect().blobs
        host.workers.get("clock", "b").delete()

        tried = host.collect(dry_run=True)
        assert 1 == blob_files(tmp_path)
        done = host.collect()

    assert tried.blobs == done.blobs
    assert (1, 0) == (done.blobs.count, blob_files(tmp_path))
    assert done.before.blobs_bytes > done.after.blobs_bytes == 0


def test_a_damaged_log_keeps_every_blob(tmp_path: Path) -> None:
    """It may refer to any of them; the reason is told, and everything else is collected."""
    with open_host(tmp_path) as host:
        host.workers.create(host.components.deploy(clock_component(), name="clock"), "a")
    next(tmp_path.glob("workers/*/*/0001.oplog")).unlink()
    BlobStore(tmp_path / "blobs", OsFiles(), SyncLevel.PROCESS).put(b"nobody's")
    (tmp_path / "components" / f"{'0' * 64}.wasm").write_bytes(b"old")

    with open_host(tmp_path) as host:
        done = host.collect()

    assert "0001.oplog" in done.kept
    assert (Removed(), Removed(1, 3)) == (done.blobs, done.components)
    assert 1 == blob_files(tmp_path)


def test_component_files_go_with_the_last_version_that_has_them(tmp_path: Path) -> None:
    """What a crash left of one goes too; other files are nobody's business."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        file = StateLayout(tmp_path).component_file(component.sha256)
        file.with_name("notes").write_bytes(b"mine")
        assert Removed() == host.collect().components
        host.components.delete("clock")
        file.with_name(f"{'0' * 64}.wasm.tmp").write_bytes(b"half")

        assert Removed(2, component.size_bytes + 4) == host.collect().components

    assert ["notes"] == [path.name for path in file.parent.iterdir()]


def test_a_component_is_forgotten_with_its_row(tmp_path: Path) -> None:
    """What calls were told of it does not outlive it."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        assert component.sha256 == host.components.by_id(component.id, 0).sha256
        host.components.delete("clock")
        with pytest.raises(ComponentNotFoundError):
            host.components.by_id(component.id, 0)
        again = host.components.deploy(clock_component(), name="clock")

        assert again.sha256 == host.components.by_id(again.id, 0).sha256


def test_promises_go_with_their_worker(tmp_path: Path) -> None:
    """Those of workers that are there stay, completed or not."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        host.workers.create(component, "a")
        kept = PromiseId(component.id, "a", 3)
        lost = [PromiseId(component.id, "b", 3), PromiseId("no-such-component", "a", 3)]
        for promise in (kept, *lost):
            host.promises.create(promise)
            host.promises.complete(promise, b"abc")

        assert Removed(2, 6) == host.collect(dry_run=True).promises
        assert Removed(2, 6) == host.collect().promises
        assert [kept] == [info.id for info in host.promises.list()]


def test_leftovers_of_half_made_logs_go(tmp_path: Path) -> None:
    """A crash came before the manifest."""
    with open_host(tmp_path) as host:
        half = tmp_path / "workers" / "clock" / "half"
        half.mkdir(parents=True)
        (half / "0001.oplog").write_bytes(b"half")

        assert Removed(1, 4) == host.collect().leftovers
    assert not half.exists()


def test_a_host_that_only_reads_collects_nothing(tmp_path: Path) -> None:
    """Somebody else may own the directory."""
    open_host(tmp_path).close()
    with Host.open(tmp_path, read_only=True) as host, pytest.raises(InvalidRequestError):
        host.collect()


def test_disk_use_counts_a_shared_file_once(tmp_path: Path) -> None:
    """By what is allocated, in the part of the state directory that has it."""
    (tmp_path / "workers").mkdir()
    file = tmp_path / "workers" / "one"
    file.write_bytes(b"x" * 4096)
    one = disk_use(tmp_path)
    file.with_name("two").hardlink_to(file)

    assert one == disk_use(tmp_path)
    assert one.workers_bytes == one.total_bytes >= 4096
    assert 0 == disk_use(tmp_path / "none").total_bytes
