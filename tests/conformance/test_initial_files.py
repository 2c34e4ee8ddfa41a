"""
Initial files: found by every worker, read-only where they say so, the same in forks, after replays
and updates.

Source: spec 4.4 (R32) and 2.9; ARCHITECTURE section 8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from golem_host import (
    Component,
    ConflictError,
    Host,
    InitialFile,
    InvalidRequestError,
    Worker,
)
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT

SEED = InitialFile(b"seed", "/data/seed.json", read_only=True)
NOTES = InitialFile(b"notes", "/notes.txt")
LIST = """
for folder, folders, names in sorted(os.walk("/")):
    for name in sorted(names):
        path = os.path.join(folder, name)
        said.append(f"{path}={open(path).read()}")
"""


@pytest.fixture(scope="module")
def wasm() -> Path:
    return python_guest(ROOT / "tests/support/file_worker")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state") as opened:
        yield opened


def deploy(host: Host, wasm: Path, *files: InitialFile) -> Component:
    return host.components.deploy(wasm, name="files", files=files)


def told(worker: Worker, program: str) -> list[str]:
    said = worker.invoke("run", program)
    assert isinstance(said, str)
    return said.splitlines()


def test_every_worker_finds_them_and_changes_its_own(host: Host, wasm: Path) -> None:
    """What one worker writes, no other one sees; a replay gives each its own again."""
    component = deploy(host, wasm, SEED, NOTES)
    alice, bob = (host.workers.create(component, name) for name in ("alice", "bob"))
    expected = ["/notes.txt=notes", "/data/seed.json=seed"]
    assert expected == told(alice, LIST)
    told(alice, "open('/notes.txt', 'a').write(' of alice')")
    changed = ["/notes.txt=notes of alice", "/data/seed.json=seed"]

    assert expected == told(bob, LIST)
    alice.simulate_crash()
    assert changed == told(alice, LIST)


REFUSED = {
    "write": "open(p, 'w')",
    "write in place": "open(p, 'r+')",
    "append": "open(p, 'a')",
    "truncate": "os.truncate(p, 0)",
    "remove": "os.remove(p)",
    "rename": "os.rename(p, '/other')",
    "replace": "open('/mine', 'w').close(); os.replace('/mine', p)",
    "link": "os.link(p, '/other')",
    "times": "os.utime(p, (1, 1))",
    "times through a link": "os.path.exists('/l') or os.symlink('data/seed.json', '/l'); "
    "os.utime('/l', (1, 1))",
    "write through a link": "os.path.exists('/l') or os.symlink('data/seed.json', '/l'); "
    "open('/l', 'w')",
    "rename its folder": "os.rename('/data', '/moved')",
}
LOW_LEVEL = """
root = preopens.get_directories()[0][0]
file = root.open_at(types.PathFlags(0), "data/seed.json", types.OpenFlags(0), types.DescriptorFlags.READ)
said.append(file.get_flags())
for act in (
    lambda: file.write(b"x", 0), lambda: file.set_size(0), lambda: file.write_via_stream(0),
    lambda: file.append_via_stream(),
    lambda: file.set_times(types.NewTimestamp_Now(), types.NewTimestamp_Now()),
    lambda: root.open_at(types.PathFlags(0), "data/seed.json", types.OpenFlags.CREATE,
                         types.DescriptorFlags.READ).get_flags(),
    lambda: root.open_at(types.PathFlags(0), "data/seed.json", types.OpenFlags.TRUNCATE,
                         types.DescriptorFlags.READ),
):
    try:
        said.append(act())
    except componentize_py_types.Err as error:
        said.append(error.value.name)
file.__exit__(None, None, None)
"""


def test_what_is_read_only_is_refused_by_every_way(host: Host, wasm: Path) -> None:
    """R32: by file, by path, through links, by its folder; the content is what it was."""
    worker = host.workers.create(deploy(host, wasm, SEED), "w")

    for way, act in REFUSED.items():
        assert ["PermissionError EPERM"] == told(worker, f"p = '/data/seed.json'\n{act}"), way
    assert ["seed"] == told(worker, "said.append(open('/data/seed.json').read())")
    assert [
        "DescriptorFlags.READ", "NOT_PERMITTED", "NOT_PERMITTED", "NOT_PERMITTED", "NOT_PERMITTED",
        "NOT_PERMITTED", "DescriptorFlags.READ", "NOT_PERMITTED",
    ] == told(worker, LOW_LEVEL)  # fmt: skip


def test_a_fork_has_them_as_its_source_left_them(host: Host, wasm: Path) -> None:
    """And each goes on with its own."""
    alice = host.workers.create(deploy(host, wasm, SEED, NOTES), "alice")
    told(alice, "open('/notes.txt', 'w').write('changed')")
    bob = alice.fork("bob")
    told(alice, "open('/notes.txt', 'w').write('again')")

    assert ["/notes.txt=changed", "/data/seed.json=seed"] == told(bob, LIST)
    assert ["/notes.txt=again", "/data/seed.json=seed"] == told(alice, LIST)


def test_other_files_are_another_version(host: Host, wasm: Path) -> None:
    """By path, content and access; the same ones are the version that is there."""
    variants = [(SEED,), (SEED, NOTES), (InitialFile(b"other", NOTES.path), SEED), ()]
    versions = [deploy(host, wasm, *files).version for files in variants]
    writable = deploy(host, wasm, InitialFile(b"seed", SEED.path))
    again = deploy(host, wasm, InitialFile(b"seed", "//data/./seed.json"))

    assert [0, 1, 2, 3] == versions
    assert writable == again or writable.version == again.version == 4
    assert [("/data/seed.json", 4, False)] == [
        (each.path, each.size_bytes, each.read_only) for each in again.files
    ]


def test_an_update_brings_the_files_of_its_version(host: Host, wasm: Path) -> None:
    """
    What is read-only is what the new version says; what the guest could change is its own.

    A replay sees the old files up to the update and the new ones behind it.
    """
    worker = host.workers.create(deploy(host, wasm, SEED, NOTES), "w")
    seen = "said.append(open('/data/seed.json').read())"
    told(worker, "open('/notes.txt', 'w').write('mine'); first = open('/data/seed.json').read()")
    new = InitialFile(b"new seed", SEED.path, read_only=True)
    extra = InitialFile(b"extra", "/extra.txt")
    deploy(host, wasm, new, InitialFile(b"their notes", NOTES.path), extra)

    worker.update(1)
    assert ["new seed"] == told(worker, seen)
    assert ["/extra.txt=extra", "/notes.txt=mine", "/data/seed.json=new seed"] == told(worker, LIST)
    worker.simulate_crash()
    assert ["seed", "new seed"] == told(worker, f"said.append(first)\n{seen}")
    deploy(host, wasm)
    worker.update(2)
    assert ["/extra.txt=extra", "/notes.txt=mine"] == told(worker, LIST)
    assert ["successful", "successful"] == [each.state for each in worker.metadata().updates]
    updates = [entry.index for entry in worker.oplog() if entry.kind == "pending-update"]
    worker.revert(to_index=updates[-1] - 1)
    assert "/data/seed.json=new seed" in told(worker, LIST)


def test_an_update_overwrites_nothing_of_the_guests(host: Host, wasm: Path) -> None:
    """Where a read-only file has no place, the update fails with the path, and nothing changes."""
    worker = host.workers.create(deploy(host, wasm), "w")
    told(worker, "os.mkdir('/data'); open('/data/seed.json', 'w').write('mine')")
    deploy(host, wasm, SEED)

    worker.update(1)
    assert ["/data/seed.json=mine"] == told(worker, LIST)
    (update,) = worker.metadata().updates
    assert ("failed", 0) == (update.state, worker.metadata().component_version)
    assert "/data/seed.json" in (update.details or "")


def test_contents_stay_as_long_as_a_version_has_them(
    host: Host, wasm: Path, tmp_path: Path
) -> None:
    """What is stored and never deployed goes with the next collection."""
    deploy(host, wasm, SEED)
    host.components.store_file(b"lost")
    kept = tmp_path / "state/components"

    assert 2 == len(list(kept.glob("*.file")))
    assert 1 == host.collect().components.count
    assert [b"seed"] == [path.read_bytes() for path in kept.glob("*.file")]
    host.components.delete("files")
    assert 2 == host.collect().components.count


def test_a_worker_moves_only_to_the_same_files(host: Host, wasm: Path) -> None:
    """Else its replay would see others."""
    component = deploy(host, wasm, SEED)
    worker = host.workers.create(component, "w")
    told(worker, LIST)
    exported = b"".join(worker.export())
    same = host.components.deploy(wasm, name="same", files=[SEED])
    bare = host.components.deploy(wasm, name="bare")

    assert ["/data/seed.json=seed"] == told(
        host.workers.take_in(same, "w", BytesIO(exported)), LIST
    )
    with pytest.raises(ConflictError, match="with initial files"):
        host.workers.take_in(bare, "w", BytesIO(exported))


WRONG = {
    "the root": [InitialFile(b"", "/")],
    "relative": [InitialFile(b"", "data")],
    "above": [InitialFile(b"", "/a/../b")],
    "twice": [InitialFile(b"", "/a"), InitialFile(b"x", "//a")],
    "below a file": [InitialFile(b"", "/a"), InitialFile(b"", "/a/b")],
    "a long name": [InitialFile(b"", "/" + "x" * 256)],
    "a long path": [InitialFile(b"", "/x" * 2500)],
    "nothing there": [InitialFile("/nonexistent/seed", "/a")],
    "a folder": [InitialFile("/", "/a")],
    "our separator": [InitialFile(b"", "/a::b")],
    "a NUL": [InitialFile(b"", "/a\0b")],
    "too many": [InitialFile(b"", f"/{number}") for number in range(101)],
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused(host: Host, wasm: Path, case: str) -> None:
    """In one line, and nothing is stored."""
    with pytest.raises(InvalidRequestError) as refused:
        deploy(host, wasm, *WRONG[case])

    assert "\n" not in str(refused.value)
    assert [] == host.components.all()


def test_initial_files_count_as_entries_and_not_as_bytes(tmp_path: Path, wasm: Path) -> None:
    """Their contents lie once for all; the page that is written is the worker's own."""
    config = replace(QUICK, files_entries_max=3, files_bytes_max=4096)
    with open_host(tmp_path / "state", config) as host:
        large = InitialFile(bytes(100_000), "/large")
        worker = host.workers.create(deploy(host, wasm, large, NOTES), "w")

        assert ["OSError EDQUOT"] == told(worker, "open('/a', 'w').close(); open('/b', 'w')")
        # All that wasi-libc says of a stream that failed.
        assert ["OSError EIO"] == told(
            worker, "f = open('/large', 'r+b', 0); f.write(b'x'); f.seek(9000); f.write(b'x')"
        )
        assert ["100000"] == told(worker, "said.append(os.stat('/large').st_size)")
