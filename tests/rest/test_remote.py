"""The host of another process has the methods, values and errors of ours."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from golem_host import (
    DeployedFile,
    Host,
    InitialFile,
    InvalidRequestError,
    InvocationFailedError,
    InvocationInterruptedError,
    ParamTypeMismatchError,
    PromiseNotFoundError,
    WorkerExistsError,
    WorkerNotFoundError,
)
from golem_host.rest.client import Client, OwnerGoneError
from golem_host.rest.remote import RemoteHost
from golem_host.rest.watched import Watched
from golem_host.services.promises import PromiseId
from golem_oplog.public import Err, Ok
from tests.support.cli_guest import cli_guest
from tests.support.components import clock_component
from tests.support.hosts import open_host


@pytest.fixture
def remote(host: Host, state_dir: Path) -> RemoteHost:
    """The same host, through its socket."""
    del host
    found = RemoteHost.of_owner(state_dir)
    assert found is not None
    return found


def test_components_are_the_same(remote: RemoteHost, host: Host) -> None:
    """Deployed from here, seen there, with the same functions and world."""
    deployed = remote.components.deploy(clock_component(), name="there", env={"A": "1"})
    here = host.components.get("there")

    assert (here.id, here.version, here.env) == (deployed.id, deployed.version, deployed.env)
    assert dict(here.exports) == dict(deployed.exports)
    assert dict(here.imports) == dict(deployed.imports)
    assert here.wit() == deployed.wit()
    assert [c.name for c in host.components.all()] == [c.name for c in remote.components.all()]
    remote.components.delete("there")
    assert "there" not in {c.name for c in host.components.all()}


def test_initial_files_are_stored_and_referred_to(
    remote: RemoteHost, host: Host, tmp_path: Path
) -> None:
    """From bytes and from a path, and from the version before; an unknown hash is refused."""
    (tmp_path / "a::b").write_bytes(b"second")
    given = [InitialFile(b"first", "/a", read_only=True), InitialFile(tmp_path / "a::b", "/d/b:x")]
    deployed = remote.components.deploy(clock_component(), name="seeded", files=given)
    again = remote.components.deploy(clock_component(), name="seeded", files=deployed.files)
    unknown = DeployedFile("/a", "0" * 64, 1)

    assert (0, 0) == (deployed.version, again.version)
    assert deployed.files == host.components.get("seeded").files
    assert [("/a", 5, True), ("/d/b:x", 6, False)] == [
        (each.path, each.size_bytes, each.read_only) for each in deployed.files
    ]
    with pytest.raises(InvalidRequestError, match="upload it first"):
        remote.components.deploy(clock_component(), name="seeded", files=[unknown])


def test_a_worker_is_called_with_values(remote: RemoteHost, host: Host) -> None:
    """Arguments and results in public form; a key gives the first result."""
    worker = remote.workers.create(remote.components.get("cli"), "called", env={"E": "1"})

    assert 5 == worker.invoke("add", 5, idempotency_key="k")
    assert 5 == worker.invoke("add", 5, idempotency_key="k")
    assert Ok(1) == worker.invoke("check", 1)
    assert Err("too much") == worker.invoke("check", 101)
    assert host.workers.get("cli", "called").metadata() == worker.metadata()
    assert "called" in [each.name for each in remote.workers.list("cli")]
    with pytest.raises(WorkerExistsError):
        remote.workers.create(remote.components.get("cli"), "called")
    with pytest.raises(ParamTypeMismatchError):
        worker.invoke("add", "x")


def test_errors_are_raised_as_there(remote: RemoteHost) -> None:
    """The same classes with the same fields."""
    worker = remote.workers.get_or_create(remote.components.get("cli"), "failing")
    with pytest.raises(WorkerNotFoundError) as missing:
        remote.workers.get("cli", "nobody")
    with pytest.raises(InvocationFailedError) as failed:
        worker.invoke("fail")

    assert ("cli", "nobody") == (missing.value.component, missing.value.worker)
    assert "oops" in failed.value.stderr


def test_a_timeout_is_the_same(remote: RemoteHost) -> None:
    """It interrupts, durably."""
    worker = remote.workers.get_or_create(remote.components.get("cli"), "slow")
    with pytest.raises(InvocationInterruptedError) as raised:
        worker.invoke("spin", timeout=0.05)
    worker.delete()

    assert "timeout" == raised.value.kind


def test_queued_calls_are_asked_for_later(remote: RemoteHost) -> None:
    """By their key; a scheduled one is listed and cancelled."""
    worker = remote.workers.get_or_create(remote.components.get("cli"), "queued")
    call = worker.enqueue("add", 3, idempotency_key="q")
    later = worker.enqueue("add", 4, idempotency_key="l", at=4_000_000_000.0)

    assert 3 == call.result(30)
    assert [("l", (4,), False)] == [(u.key, u.args, u.running) for u in worker.unfinished()]
    with pytest.raises(TimeoutError):
        later.result(0.01)
    assert later.cancel()
    assert worker.call("none") is None
    found = worker.call("q")
    assert found is not None
    assert found.done


def test_past_and_version(remote: RemoteHost, host: Host) -> None:
    """Fork, revert, check-update, update, crash, interrupt, resume."""
    component = remote.components.deploy(clock_component(), name="grown")
    worker = remote.workers.create(component, "w")
    worker.invoke("add", 1)
    worker.invoke("add", 1)
    fork = worker.fork("fork")
    worker.revert(last_invocations=1)
    remote.components.deploy(clock_component(), name="grown", env={"N": "1"})
    check = worker.check_update(1)
    worker.update(1)
    worker.simulate_crash()
    worker.interrupt()
    worker.resume()

    assert (2, 1) == (fork.invoke("value"), worker.invoke("value"))
    assert (True, None) == (check.ok, check.difference)
    assert 1 == worker.component.version
    local = [entry.index for entry in host.workers.get("grown", "w").oplog()]
    assert local == [entry["index"] for entry in worker.oplog()]


def test_output_is_shown_before_the_result_is_known(remote: RemoteHost) -> None:
    """Whole, in order, each piece once; what was written before is not shown."""
    worker = remote.workers.get_or_create(remote.components.get("cli"), "shown")
    worker.invoke("hello")
    shown: list[tuple[str, bytes]] = []
    with worker.attach(lambda stream, data: shown.append((stream, data)), lambda _: None):
        worker.invoke("hello")
        first = list(shown)
        worker.invoke("nap", 1)
        second = b"".join(data for _, data in shown)

    assert [("stdout", b"hello")] == first
    assert b"hellonappingawake" == second.replace(b"\n", b"")
    assert b"hellohello" in b"".join(line.data for line in worker.output())


def test_output_is_shown_before_a_failure_is_known(
    remote: RemoteHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the stream that brings it is slow: here it brings nothing at all."""
    monkeypatch.setattr(Watched, "_follow", lambda _watched, _lines: None)
    worker = remote.workers.get_or_create(remote.components.get("cli"), "failing-aloud")
    shown: list[tuple[str, bytes]] = []
    with worker.attach(lambda stream, data: shown.append((stream, data)), lambda _: None):
        with pytest.raises(InvocationFailedError):
            worker.invoke("fail")
        at_the_end = list(shown)

    assert [("stderr", b"oops\n")] == at_the_end[:1]


def test_promises_are_the_same(remote: RemoteHost, host: Host) -> None:
    """Completed, looked at, listed, deleted."""
    promise = PromiseId(host.components.get("cli").id, "promising", 7)
    host.promises.create(promise)

    assert remote.promises.get(promise) is None
    assert remote.promises.complete(promise, b"\xff")
    assert not remote.promises.complete(promise, b"")
    assert b"\xff" == remote.promises.get(promise)
    assert list(host.promises.list()) == list(remote.promises.list())
    remote.promises.delete(promise)
    with pytest.raises(PromiseNotFoundError):
        remote.promises.get(promise)


def test_without_an_owner_there_is_no_client(tmp_path: Path) -> None:
    """Nobody answers in a directory that nobody owns."""
    assert Client.of_owner(tmp_path, wait_s=0) is None


def test_an_owner_that_ends_is_told_from_a_failure(tmp_path: Path) -> None:
    """Who waits for it, and who comes later, get the same error."""
    host = open_host(tmp_path)
    host.components.deploy(cli_guest(), name="cli")
    remote = RemoteHost.of_owner(tmp_path)
    assert remote is not None
    worker = remote.workers.create(remote.components.get("cli"), "w")
    raised: list[BaseException] = []
    began = threading.Event()

    def call() -> None:
        try:
            worker.invoke("spin", idempotency_key="k")
        except OwnerGoneError as error:
            raised.append(error)

    caller = threading.Thread(target=call)
    with worker.attach(lambda _stream, _data: began.set(), lambda _: None):
        caller.start()
        assert began.wait(30)
        host.close()
        caller.join()

    assert 1 == len(raised)
    with pytest.raises(OwnerGoneError):
        worker.metadata()
