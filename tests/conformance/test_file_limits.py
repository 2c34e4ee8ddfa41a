"""
Private files at their bounds: quotas, odd paths, open files without end, a disk that is full.

Source: ARCHITECTURE section 6 (a hostile guest harms itself only).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import Host, InvocationFailedError, RetryPolicy, Worker
from golem_host.files.errors import DiskFullError
from golem_host.files.pages import PAGE_BYTES, TemporaryBacking
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT

BYTES_MAX = 64 * PAGE_BYTES
ENTRIES_MAX = 50
LOOPS = 100_000 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 11_000
LIMITED = replace(
    QUICK,
    files_bytes_max=BYTES_MAX,
    files_entries_max=ENTRIES_MAX,
    retry_policy=RetryPolicy(max_attempts=2, min_delay_ns=1_000_000, max_delay_ns=1_000_000),
)


@pytest.fixture(scope="module")
def wasm() -> Path:
    return python_guest(ROOT / "tests/support/file_worker")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state", LIMITED) as opened:
        yield opened


@pytest.fixture
def worker(host: Host, wasm: Path) -> Worker:
    return host.workers.create(host.components.deploy(wasm, name="files"), "w")


def told(worker: Worker, program: str) -> list[str]:
    said = worker.invoke("run", program)
    assert isinstance(said, str)
    return said.splitlines()


BY_DESCRIPTOR = """
def put(name, size, offset=0):
    root = preopens.get_directories()[0][0]
    with root, root.open_at(
        types.PathFlags(0), name, types.OpenFlags.CREATE, types.DescriptorFlags.WRITE
    ) as file:
        try:
            said.append(file.write(b"x" * size, offset))
        except componentize_py_types.Err as error:
            said.append(error.value.name)
"""


def test_contents_have_a_quota(worker: Worker) -> None:
    """To the page; what is given back can be used again, and a replay is refused the same."""
    half = BYTES_MAX // 2
    told(worker, BY_DESCRIPTOR)

    assert [str(half), str(half), "QUOTA"] == told(
        worker, f"put('a', {half}); put('b', {half}); put('c', 1)"
    )
    assert ["1"] == told(worker, "put('a', 1)")
    assert [str(half - PAGE_BYTES), "QUOTA"] == told(
        worker, f"os.truncate('/a', {PAGE_BYTES}); put('c', {half - PAGE_BYTES}); put('d', 1)"
    )
    assert ["OSError EDQUOT"] == told(worker, "os.symlink('x' * 100, '/long')")
    worker.simulate_crash()
    assert ["QUOTA", str(half)] == told(worker, f"put('e', 1); os.remove('/b'); put('e', {half})")
    assert ["1", str((1 << 40) + 1)] == told(
        worker,
        f"os.remove('/e'); put('far', 1, {1 << 40}); said.append(os.stat('/far').st_size)",
    )


def test_open_files_count_until_they_are_closed(worker: Worker) -> None:
    """Also without a name."""
    told(worker, BY_DESCRIPTOR)
    told(worker, f"put('a', {BYTES_MAX}); open_file = open('/a', 'rb'); os.remove('/a')")

    assert ["QUOTA"] == told(worker, "put('b', 1)")
    assert ["1"] == told(worker, "open_file.close(); put('b', 1)")


def test_names_have_a_quota(worker: Worker) -> None:
    """Files, directories, links of both kinds; what is removed can be made again."""
    made = [
        "open(f'/f{n}', 'w').close()",
        "os.mkdir(f'/d{n}')",
        "os.symlink('x', f'/s{n}')",
        "os.link('/f0', f'/l{n}')",
    ]
    for act in made:
        program = f"for n in range(1000):\n    {act}"
        assert ["OSError EDQUOT"] == told(worker, program)
        count = "said.append(sum(len(a) + len(b) for _, a, b in os.walk('/')))"
        assert [str(ENTRIES_MAX)] == told(worker, count)
        told(worker, "for name in sorted(os.listdir('/'))[-10:]: "
             "os.rmdir('/' + name) if name[0] == 'd' else os.remove('/' + name)")  # fmt: skip
        worker.simulate_crash()


ODD = {
    "above": ("'/../x'", "ENOENT EPERM"),
    "far above": ("'/' + '../' * 1000 + 'etc/passwd'", "EPERM ENOENT"),
    "a NUL": ("'/a' + chr(0)", "ValueError"),
    "10,000 parts": ("'/' + 'd/' * 10_000", "ENAMETOOLONG"),
    "a long name": ("'/' + 'x' * 100_000", "ENAMETOOLONG"),
    "a loop": ("'/loop'", "ELOOP"),
    "two that loop": ("'/one/x'", "ELOOP"),
    "the processes": ("'/proc/self/mem'", "ENOENT"),
    "a device": ("'/dev/null'", "ENOENT"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_paths_are_errors(worker: Worker, case: str) -> None:
    """Whatever is done with them."""
    told(
        worker, "os.symlink('loop', '/loop'); os.symlink('two', '/one'); os.symlink('one', '/two')"
    )
    path, expected = ODD[case]
    for act in ("open(p)", "open(p, 'w')", "os.stat(p)", "os.listdir(p)", "os.mkdir(p + '/x')"):
        program = f"p = {path}\ntry: {act}\nexcept ValueError: raise OSError('ValueError')"
        (said,) = told(worker, program) or ["nothing"]
        assert said.split()[-1] in (*expected.split(), "None", "EPERM", "ENOENT"), (act, said)


def test_descriptors_without_end_are_refused(host: Host, worker: Worker) -> None:
    """The guest that never gives back fails, and nobody else; one that gives back goes on."""
    opening = (
        "root.open_at(types.PathFlags(0), 'f', types.OpenFlags(0), types.DescriptorFlags.READ)"
    )
    begin = "open('/f', 'w').close(); root = preopens.get_directories()[0][0]"
    assert [str(LOOPS)] == told(
        worker,
        f"{begin}\nfor n in range({LOOPS}):\n    {opening}.__exit__(None, None, None)\n"
        "said.append(n + 1)",
    )
    with pytest.raises(InvocationFailedError, match="more than 10000 open resources"):
        worker.invoke("run", f"{begin}\nkept = [{opening} for _ in range({LOOPS})]", retry=False)

    other = host.workers.create(worker.component, "other")
    assert ["fine"] == told(other, "open('/f', 'w').write('fine'); said.append(open('/f').read())")


def test_a_full_disk_of_the_host_is_waited_out(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is no error of the guest's: a replay on another disk would have another one.

    The attempt fails, with a reason for people, and the next one writes it all again.
    """
    written = TemporaryBacking.write
    failures = iter((True, True))

    def write(self: TemporaryBacking, position: int, data: bytes) -> None:
        if next(failures, False):
            raise DiskFullError("no space for the worker's files: no space left on device")
        written(self, position, data)

    monkeypatch.setattr(TemporaryBacking, "write", write)

    assert ["data"] == told(worker, "open('/f', 'w').write('data'); said.append(open('/f').read())")
    errors = [entry.fields["error"] for entry in worker.oplog() if entry.kind == "error"]
    assert 2 == len(errors)
    assert all("no space" in str(error) for error in errors)
