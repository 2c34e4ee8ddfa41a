"""
Looks at a worker's private files: idle, put away, suspended, failed, through another process.

Source: ARCHITECTURE section 8; spec 4.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import (
    FileEntry,
    Host,
    InitialFile,
    InvalidRequestError,
    Worker,
    WorkerFileNotFoundError,
)
from golem_host.files import look
from golem_host.rest.remote import RemoteHost
from golem_host.services.unfinished import WorkerKey
from golem_host.worker.runner import Runner
from tests.support.cli import Cli
from tests.support.components import clock_component
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT
from tests.support.rest import served
from tests.support.waiting import until

PLANT = """
os.makedirs("/d/e"); open("/d/x", "wb").write(b"x" * 5000); open("/z", "w").write("zz")
os.symlink("d", "/to_d"); os.symlink("nowhere", "/lost"); os.symlink("../..", "/d/out")
os.symlink("itself", "/itself")
"""
FOUND = [
    FileEntry("d", is_dir=True, size=0, read_only=False),
    FileEntry("itself", is_dir=False, size=6, read_only=False),
    FileEntry("lost", is_dir=False, size=7, read_only=False),
    FileEntry("seed", is_dir=False, size=4, read_only=True),
    FileEntry("to_d", is_dir=True, size=1, read_only=False),
    FileEntry("z", is_dir=False, size=2, read_only=False),
]


@pytest.fixture(scope="module")
def wasm() -> Path:
    return python_guest(ROOT / "tests/support/file_worker")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    config = replace(QUICK, suspend_after_s=0.5, idle_after_s=30.0)
    with open_host(tmp_path / "state", config) as opened:
        yield opened


@pytest.fixture
def worker(host: Host, wasm: Path) -> Worker:
    seed = InitialFile(b"seed", "/seed", read_only=True)
    component = host.components.deploy(wasm, name="files", files=[seed])
    made = host.workers.create(component, "w")
    made.invoke("run", PLANT)
    return made


def is_resting(runner: Runner) -> bool:
    with runner.resting() as context:
        return context is not None


def test_an_idle_worker_shows_its_files(host: Host, worker: Worker) -> None:
    """From its instance, without a replay; and the same from its log, without a trace in it."""
    runner = host.workers.runner(WorkerKey("files", "w"))
    # Its thread lies down when whoever called has the result.
    until(lambda: is_resting(runner))
    at_hand = worker.list_files()
    before = worker.metadata().oplog_index
    worker.simulate_crash()

    assert FOUND == at_hand
    assert FOUND == worker.list_files("/")
    assert ["e", "out", "x"] == [each.name for each in worker.list_files("to_d/.")]
    assert [FileEntry("z", is_dir=False, size=2, read_only=False)] == worker.list_files("/z")
    assert (b"x" * 5000, b"zz", b"seed") == tuple(map(worker.read_file, ("/d/x", "d/../z", "seed")))
    assert before == worker.metadata().oplog_index


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nope", None),
        ("/d/nope", None),
        ("/lost", None),
        ("/z/below", "no directory"),
        ("/d", "no file"),
        ("/..", "out of"),
        ("/d/out", "out of"),
        ("/itself", "symbolic links"),
        ("/a\0b", "no path: invalid"),
        ("/" + "x" * 300, "no path: name-too-long"),
        ("/" + "d/../" * 10_000, "no path: name-too-long"),
    ],
)
def test_what_cannot_be_read_is_refused(worker: Worker, path: str, said: str | None) -> None:
    """In one line that says why."""
    error = WorkerFileNotFoundError if said is None else InvalidRequestError

    with pytest.raises(error, match=said) as refused:
        worker.read_file(path)
    assert "\n" not in str(refused.value)


def test_sizes_are_bounded(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file and a large directory are refused, with the bound."""
    monkeypatch.setattr(look, "READ_BYTES_MAX", 4999)
    monkeypatch.setattr(look, "LIST_MAX", 5)

    with pytest.raises(InvalidRequestError, match="at most 4999 are read"):
        worker.read_file("/d/x")
    with pytest.raises(InvalidRequestError, match="more than 5 entries"):
        worker.list_files("/")


def test_a_suspended_worker_is_not_woken(worker: Worker) -> None:
    """What it wrote after its last recorded call is seen too, and what it would write is not."""
    call = worker.enqueue(
        "run",
        "import time\nopen('/z', 'w').write('before'); now = time.time()\n"
        "open('/y', 'w').write('also'); time.sleep(3600); open('/x', 'w').write('after')",
    )
    until(lambda: worker.metadata().status == "suspended")
    before = worker.metadata().oplog_index

    assert (b"before", b"also") == (worker.read_file("/z"), worker.read_file("/y"))
    with pytest.raises(WorkerFileNotFoundError):
        worker.read_file("/x")
    assert ("suspended", before) == (worker.metadata().status, worker.metadata().oplog_index)
    assert not call.done


def test_a_failed_worker_shows_what_it_had(worker: Worker) -> None:
    """Up to where it failed, what followed its last recorded call included."""
    with pytest.raises(Exception, match="ValueError"):
        worker.invoke("run", "open('/z', 'w').write('last words'); raise ValueError", retry=False)

    assert b"last words" == worker.read_file("/z")
    assert "failed" == worker.metadata().status


def test_a_worker_that_never_ran_has_its_initial_files(host: Host, wasm: Path) -> None:
    """An ephemeral one never has others."""
    seed = InitialFile(b"seed", "/seed")
    component = host.components.deploy(wasm, name="fresh", files=[seed], ephemeral=True)
    worker = host.workers.create(component, "w")
    worker.invoke("run", "open('/seed', 'w').write('changed')")

    assert b"seed" == worker.read_file("/seed")
    clock = host.components.deploy(clock_component(), name="clock")
    bare = host.workers.create(clock, "bare")
    assert [] == bare.list_files()


def test_another_process_sees_the_same(host: Host, worker: Worker, tmp_path: Path) -> None:
    """Through the control socket, with the same errors."""
    assert host.workers.exists(WorkerKey("files", "w"))
    remote = RemoteHost.of_owner(tmp_path / "state")
    assert remote is not None
    there = remote.workers.get("files", "w")

    assert (FOUND, worker.list_files("/d")) == (there.list_files(), there.list_files("/d"))
    assert b"x" * 5000 == there.read_file("/d/x")
    with pytest.raises(WorkerFileNotFoundError):
        there.read_file("/a b/ü")
    with pytest.raises(InvalidRequestError):
        there.read_file("/d/out")


def test_paths_of_the_api_may_be_written_as_they_are(host: Host, worker: Worker) -> None:
    """With slashes or encoded; content comes as it is."""
    with served(host) as web:
        base = f"/v1/components/files/workers/{worker.name}"
        listed = [web.get(f"{base}/files{path}").document for path in ("/d", "/%2Fd", "/d/")]
        top = web.get(f"{base}/files/").document["nodes"]
        content = web.get(f"{base}/file-contents/d/x")
        missing = web.get(f"{base}/files/d/none")
        folder = web.get(f"{base}/file-contents/d")

    assert listed[0] == listed[1] == listed[2]
    assert {"name": "x", "isDir": False, "size": 5000, "readOnly": False} in listed[0]["nodes"]
    assert [each.name for each in FOUND] == [each["name"] for each in top]
    assert (b"x" * 5000, "application/octet-stream") == (
        content.content,
        content.headers["content-type"],
    )
    assert (404, "WorkerFileNotFoundError") == missing.error
    assert (400, "InvalidRequestError") == folder.error


def test_the_command_line_lists_and_prints(wasm: Path, tmp_path: Path) -> None:
    """Bytes as they are; names cannot steer the terminal; a missing path is exit code 3."""
    cli = Cli(tmp_path)
    program = r"open('/x', 'wb').write(b'\xff\0\n'); open('/\x1b[1m', 'w'); os.mkdir('/d')"
    cli.ok("run", wasm, "--name", "files", "--invoke", f'run("{program}")'.replace("\\", "\\\\"))

    listed = cli.ok("worker", "files", "files").splitlines()
    assert ["NAME", "BYTES", "ACCESS"] == listed[0].split()
    assert ["\\u{1b}[1m", "0"] == listed[1].split()
    assert [["d/"], ["x", "3"]] == [line.split() for line in listed[2:]]
    assert '{"path": "x", "data_base64": "/wAK"}\n' == cli.ok(
        "worker", "files", "files", "x", "--cat", "--json"
    )
    assert (3, True) == (
        (missing := cli.run("worker", "files", "files", "/none")).code,
        "no '/none'" in missing.error,
    )
