"""``control.sock`` is there while a process owns the state directory, for its user only."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from golem_host import Host
from golem_host.rest.sockets import PATH_BYTES_MAX, known_path
from golem_host.storage.layout import StateLayout
from tests.support.components import clock_component
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT
from tests.support.rest import Web, control, read_until_closed, served

OWNER = """
import sys, threading
from pathlib import Path
from tests.support.hosts import open_host

with open_host(Path(sys.argv[1])) as host:
    print("owned", sorted(m for m in ("starlette", "uvicorn", "asyncio") if m in sys.modules), flush=True)
    sys.stdin.readline()
    print("asked", sorted(m for m in ("starlette", "uvicorn") if m in sys.modules), flush=True)
    sys.stdin.readline()
"""


def owner(state_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(state_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_socket_is_there_from_open_to_close(tmp_path: Path) -> None:
    """Only its user may open it."""
    path = tmp_path / "control.sock"
    with open_host(tmp_path):
        mode = path.stat().st_mode
        answer = control(tmp_path).get("/v1/health")

    assert stat.S_ISSOCK(mode)
    assert 0o600 == stat.S_IMODE(mode)
    assert 200 == answer.status
    assert not path.exists()


def test_the_web_is_imported_by_the_first_connection(tmp_path: Path) -> None:
    """Until then a host costs what it cost before."""
    with owner(tmp_path) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        owned = process.stdout.readline()
        answer = control(tmp_path).get("/v1/version")
        process.stdin.write("\n")
        process.stdin.flush()
        asked = process.stdout.readline()
        process.communicate("\n")

    assert "owned []\n" == owned
    assert process.pid == answer.document["pid"]
    assert "asked ['starlette', 'uvicorn']\n" == asked
    assert 0 == process.returncode


def test_a_socket_that_a_killed_owner_left_is_replaced(tmp_path: Path) -> None:
    """Connecting to it fails at once; the next owner listens in its place."""
    with owner(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 200 == control(tmp_path).get("/v1/health").status
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = tmp_path / "control.sock"
    assert left.exists()
    with pytest.raises(ConnectionRefusedError):
        control(tmp_path).get("/v1/health")

    with open_host(tmp_path):
        assert 200 == control(tmp_path).get("/v1/health").status


def test_a_path_too_long_for_a_socket_is_told_in_the_lock_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket is then in the runtime directory, and gone with its owner."""
    runtime = Path("/tmp") / f"golem-test-{tmp_path.name[-20:]}"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    deep = tmp_path / ("d" * PATH_BYTES_MAX)
    try:
        with open_host(deep):
            path = known_path(StateLayout(deep))
            answer = Web(path).get("/v1/health")
        left = list(runtime.iterdir())
    finally:
        runtime.rmdir()

    assert runtime == path.parent
    assert 200 == answer.status
    assert [] == left
    # A short path again: nothing of the long one is remembered.
    with open_host(deep):
        pass


def test_a_runtime_directory_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host goes on without a socket."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    import os  # noqa: PLC0415

    trap = tmp_path / f"golem-host-{os.getuid()}"
    trap.mkdir(mode=0o777)
    trap.chmod(0o777)
    deep = tmp_path / ("d" * PATH_BYTES_MAX)

    with open_host(deep) as host:
        assert [] == host.components.all()

    assert [] == list(trap.iterdir())


def test_an_embedder_may_want_no_socket(tmp_path: Path) -> None:
    """`control_socket=False`."""
    from dataclasses import replace  # noqa: PLC0415

    with open_host(tmp_path, replace(QUICK, control_socket=False)):
        assert not (tmp_path / "control.sock").exists()


def test_reading_binds_nothing(tmp_path: Path) -> None:
    """A host for reading owns nothing."""
    with open_host(tmp_path):
        pass
    with Host.open(tmp_path, read_only=True):
        assert not (tmp_path / "control.sock").exists()


def test_a_connection_that_says_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The host closes at once."""
    with open_host(tmp_path):
        silent = control(tmp_path).raw()

    with silent:
        assert b"" == read_until_closed(silent)


@pytest.mark.long
@pytest.mark.parametrize("over", ["unix", "tcp"])
def test_a_thousand_requests_at_once_are_answered(tmp_path: Path, over: str) -> None:
    """Each with its result, or with 503 and when to try again."""
    count = 1_000
    with open_host(tmp_path) as host:
        host.components.deploy(clock_component(), name="clock")
        with served(host) as tcp:
            web = control(tmp_path) if over == "unix" else tcp
            statuses: list[int] = []
            ready = threading.Barrier(count)

            def call(number: int) -> None:
                ready.wait()
                try:
                    answer = web.call("clock", f"w{number % 50}", "add(1)")
                except (TimeoutError, ConnectionError) as error:
                    statuses.append(-1)
                    raise AssertionError from error
                statuses.append(answer.status)

            threads = [threading.Thread(target=call, args=(n,)) for n in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        values = [host.workers.get("clock", f"w{n}").invoke("value") for n in range(50)]

    assert count == len(statuses)
    assert {200} >= set(statuses) - {503}
    assert statuses.count(200) == sum(values)
