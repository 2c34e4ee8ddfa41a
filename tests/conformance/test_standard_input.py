"""A guest that reads its standard input while those who lend it come and go."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from golem_host import Host, Ok
from golem_host.worker.request import Call
from golem_host.worker.worker import Worker
from tests.support.hosts import open_host
from tests.support.rest import control
from tests.support.waiting import PATIENCE_S, until
from tests.support.wasi_text import CAT, command


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path) as found:
        found.components.deploy(command(CAT), name="cat")
        yield found


@pytest.fixture
def worker(host: Host) -> Worker:
    return host.workers.create(host.components.get("cat"), "a")


class Lender:
    """Lends a pipe to a worker, and sees what it writes."""

    def __init__(self, worker: Worker, stdin_for: list[str] | None = None) -> None:
        self.out = b""
        self._stack = ExitStack()
        reader, self.writer = os.pipe()
        self._stack.callback(os.close, reader)
        attached = worker.attach(self._see, lambda _: None, stdin=reader, stdin_for=stdin_for)
        self._stack.enter_context(attached)

    def _see(self, _stream: str, data: bytes) -> None:
        self.out += data

    def write(self, data: bytes) -> None:
        os.write(self.writer, data)

    def end(self) -> None:
        """Its input is over."""
        os.close(self.writer)

    def leave(self) -> None:
        """As if it had been killed."""
        self._stack.close()


def begin(worker: Worker) -> Call:
    return worker.enqueue("wasi:cli/run.{run}", idempotency_key="k")


def waits(worker: Worker) -> bool:
    return "waits for the rest of its standard input" in worker.explain().sentence


def test_half_of_an_input_is_not_the_whole(worker: Worker) -> None:
    """The rest is waited for, and whoever lends it again gives it from its beginning."""
    first = Lender(worker)
    first.write(b"one ")
    call = begin(worker)
    until(lambda: first.out == b"one ")
    first.leave()
    until(lambda: waits(worker))
    second = Lender(worker)
    second.write(b"one two ")
    second.end()

    assert Ok(None) == call.result(PATIENCE_S)
    until(lambda: second.out == b"two ")
    assert not waits(worker)
    second.leave()


def test_a_guest_that_has_read_nothing_yet_waits_too(worker: Worker) -> None:
    """Once somebody was there: nothing of an input is not the whole either."""
    first = Lender(worker)
    call = begin(worker)
    until(lambda: worker._access.runner().parts.console._waiting != set())
    first.leave()
    until(lambda: waits(worker))
    second = Lender(worker)
    second.end()

    assert Ok(None) == call.result(PATIENCE_S)
    second.leave()


def test_nobody_reads_the_input_of_somebody_else(worker: Worker) -> None:
    """Neither a caller of the same worker at the same time, nor one who has lent nothing."""
    mine, other = Lender(worker, ["k"]), Lender(worker, ["other"])
    mine.write(b"mine")
    other.write(b"other")
    other.end()
    call = begin(worker)
    until(lambda: mine.out == b"mine")
    mine.end()
    result = call.result(PATIENCE_S)
    for lender in (mine, other):
        lender.leave()

    assert Ok(None) == result == worker.invoke("wasi:cli/run.{run}", timeout=PATIENCE_S)
    assert b"mine" == b"".join(line.data for line in worker.output())


def test_no_read_that_waits_is_empty(worker: Worker) -> None:
    """A pipe that is given again in pieces ends in the middle of what was read."""
    first = Lender(worker)
    first.write(b"one two ")
    call = begin(worker)
    until(lambda: first.out == b"one two ")
    first.leave()
    until(lambda: waits(worker))
    second = Lender(worker)
    second.write(b"one ")
    until(lambda: not waits(worker))
    second.write(b"two three")
    second.end()

    assert Ok(None) == call.result(PATIENCE_S)
    reads = [entry for entry in worker.oplog() if "cli::stdin" in str(entry.fields)]
    # Eight and five bytes, four at a time, and the end.
    assert 5 == len(reads)
    second.leave()


def test_it_is_waited_for_after_a_restart(tmp_path: Path, worker: Worker, host: Host) -> None:
    """The log says how much was read, and not that it was the end."""
    first = Lender(worker)
    first.write(b"one ")
    begin(worker)
    until(lambda: first.out == b"one ")
    first.leave()
    host.close()
    with open_host(tmp_path) as again:
        worker = again.workers.get("cat", "a")
        until(lambda: waits(worker))
        second = Lender(worker)
        second.write(b"one two ")
        second.end()
        call = worker.call("k")

        assert call is not None
        assert Ok(None) == call.result(PATIENCE_S)
        second.leave()


def test_a_loan_ends_with_its_stream(worker: Worker, tmp_path: Path) -> None:
    """And what comes after it, or for no loan, is refused in one line."""
    path = f"/v1/components/cat/workers/{worker.name}/input"
    web = control(tmp_path)
    with closing(web.connect()) as connection:
        connection.request("POST", path, "{}", {"content-type": "application/json"})
        name = json.loads(connection.getresponse().readline())["input"]
        piece = {"key": "k", "position": 0, "size": 1}
        lent = web.post(f"{path}/{name}", piece)
        bad = web.post(f"{path}/{name}", piece | {"base64": "?"})
    until(lambda: web.post(f"{path}/{name}", piece).status != 200)
    answer = web.post(f"{path}/{name}", piece)

    assert {"taken": False} == lent.document
    assert (400, "InvalidRequestError") == bad.error
    assert (409, "ConflictError") == answer.error
