"""The side of a client that lends its standard input."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, cast

import pytest

from golem_host.errors import ConflictError, HostError
from golem_host.rest.client import Client, OwnerGoneError
from golem_host.rest.lender import lending
from golem_host.services.console import InputSource
from tests.support.waiting import PATIENCE_S


class Owner:
    """The other side, in place of `Client`: says what it wants, and keeps what it is sent."""

    def __init__(self, *refusals: HostError) -> None:
        self.loans: list[object] = []
        self.sent: SimpleQueue[dict[str, object]] = SimpleQueue()
        self._refusals = list(refusals)
        self._documents: SimpleQueue[dict[str, object] | None] = SimpleQueue()
        self.is_stopped = threading.Event()

    def want(self, key: str, position: int, size: int) -> None:
        self._documents.put({"key": key, "position": position, "size": size})

    @contextmanager
    def lines(self, _path: str, _query: object, *, method: str, body: object) -> Iterator[Owner]:
        assert method == "POST"
        self.loans.append(body)
        self._documents.put({"input": "loan"})
        yield self

    def __iter__(self) -> Iterator[dict[str, object]]:
        while (document := self._documents.get()) is not None:
            yield document

    def stop(self) -> None:
        self.is_stopped.set()
        self._documents.put(None)

    def ask(self, _method: str, path: str, *, body: dict[str, object]) -> None:
        assert path == "/input/loan"
        if self._refusals:
            raise self._refusals.pop()
        self.sent.put(body)

    def received(self) -> tuple[object, object]:
        body = self.sent.get(timeout=PATIENCE_S)
        return body["size"], body["base64"]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def lent(owner: Owner, reader: int) -> Any:
    return lending(cast("Client", owner), "/input", InputSource(reader), ["k"])


def test_what_is_wanted_is_given_when_it_is_there(pipe: tuple[int, int]) -> None:
    """That there is something, and then so much of it; the rest stays."""
    reader, writer = pipe
    owner = Owner()
    with lent(owner, reader):
        owner.want("k", 0, 0)
        assert owner.sent.empty()
        os.write(writer, b"abcd")
        told = owner.received()
        owner.want("k", 0, 2)
        given = owner.received()
        owner.want("k", 2, 9)
        rest = owner.received()

    assert ((0, ""), (2, "YWI="), (9, "Y2Q=")) == (told, given, rest)
    assert [{"terminal": False, "keys": ["k"]}] == owner.loans


def test_what_did_not_arrive_is_sent_again(pipe: tuple[int, int]) -> None:
    """A refused connection is no reason to let a guest wait for ever."""
    reader, writer = pipe
    owner = Owner(OwnerGoneError(reason="full"))
    os.write(writer, b"ab")
    with lent(owner, reader):
        owner.want("k", 0, 2)

        assert (2, "YWI=") == owner.received()


def test_a_loan_that_is_over_ends(pipe: tuple[int, int]) -> None:
    """On both sides."""
    reader, writer = pipe
    owner = Owner(ConflictError(reason="not lent any more"))
    os.write(writer, b"ab")
    with lent(owner, reader):
        owner.want("k", 0, 2)

        assert owner.is_stopped.wait(PATIENCE_S)
