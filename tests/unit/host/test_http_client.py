"""`golem_host.net.http`: requests of a host against servers on loopback, without a guest."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from golem_host.net.http import exchange as exchanges
from golem_host.net.http import pool, upload
from golem_host.net.http.client import HttpClient
from golem_host.net.http.errors import HttpError, of_connecting, of_tls
from golem_host.net.http.exchange import Exchange
from golem_host.net.http.pipe import WINDOW_BYTES, Bells, Fields, Pipe
from golem_host.net.http.request import Delivered, Head, Origin, Request, Resumed, Timeouts
from golem_host.net.http.upload import Upload
from tests.support.http_servers import PATIENCE_S, Raw, answering, raw_server, serving
from tests.support.waiting import until

OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def client() -> Iterator[HttpClient]:
    made = HttpClient()
    yield made
    made.close()


def request(port: int, method: str = "GET", **changed: object) -> Request:
    made = Request(
        method=method,
        origin=Origin(is_tls=False, host="127.0.0.1", port=port),
        authority=f"127.0.0.1:{port}",
        target="/",
        headers=[],
        length=0,
        timeouts=Timeouts(5, 5, 5),
        allowed=lambda _address, _port: True,
        may_repeat=True,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def ended(data: bytes = b"", trailers: Fields | None = None) -> Upload:
    made = Upload(Bells())
    if data:
        made.put(data)
    made.end(trailers or [])
    return made


def send(
    client: HttpClient, made: Request, body: Upload | None = None, resumed: Resumed | None = None
) -> Exchange:
    body = body or ended()
    return client.send(made, body, body.bells, resumed)


def whole(exchange: Exchange) -> bytes:
    """The body of a response; raises why there is none."""
    until(lambda: exchange.is_decided)
    if exchange.error is not None:
        raise exchange.error
    pieces: list[bytes] = []
    while True:
        until(lambda: exchange.body.is_ready)
        piece = exchange.body.take(1 << 16)
        if piece is None:
            return b"".join(pieces)
        pieces.append(piece)


# -- connections -----------------------------------------------------------------------------------


def stale(connection: socket.socket, raw: Raw) -> None:
    """Answers once, and closes when it hears of the next request."""
    connection.sendall(OK)
    with suppress(OSError):
        connection.recv(1)


def test_a_connection_that_died_between_two_requests_is_not_the_guests_trouble(
    client: HttpClient,
) -> None:
    """The request goes out once more on a new one, with its body from the beginning."""
    with raw_server(stale) as raw:
        assert b"ok" == whole(send(client, request(raw.port)))
        made = request(raw.port, "POST", length=3)

        assert b"ok" == whole(send(client, made, ended(b"abc")))
        assert 2 == len(raw.requests)


def test_what_may_not_be_repeated_has_a_connection_of_its_own(client: HttpClient) -> None:
    """Even where one is idle: nobody could tell whether a failed request was heard."""
    with serving() as served:
        for may_repeat in (True, False, True):
            whole(send(client, request(served.port, may_repeat=may_repeat)))

        assert [1, 2] == [each.connection for each in served.asked[:2]]
        assert served.asked[2].connection in (1, 2)


def test_a_fresh_connection_that_ends_at_once_is_not_tried_again(client: HttpClient) -> None:
    """The server may have heard the request."""
    with raw_server(answering(b"")) as raw:
        with pytest.raises(HttpError) as caught:
            whole(send(client, request(raw.port)))

        assert "connection-terminated" == caught.value.code
        assert 1 == len(raw.requests)


def test_idle_connections_are_bounded(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each origin and in all; a server that closes one is noticed."""
    monkeypatch.setattr(pool, "IDLE_OF_ORIGIN_MAX", 2)
    barrier = threading.Barrier(4)

    def together(connection: socket.socket, _: Raw) -> None:
        barrier.wait(PATIENCE_S)
        connection.sendall(OK)
        connection.recv(1)

    with raw_server(together) as raw:
        running = [send(client, request(raw.port)) for _ in range(4)]
        assert [b"ok"] * 4 == [whole(each) for each in running]
        until(lambda: len(client._pool._idle) <= 2)


def test_idle_connections_end_with_their_server(client: HttpClient) -> None:
    """Nothing waits for the next request to find out."""
    with raw_server(answering(OK)) as raw:
        assert b"ok" == whole(send(client, request(raw.port)))
        until(lambda: not client._pool._idle)


def test_more_exchanges_than_may_run_wait_for_their_turn(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the time to connect, and are told then."""
    monkeypatch.setattr("golem_host.net.http.client.CONNECTIONS_MAX", 1)
    with raw_server(lambda _, raw: _wait(raw)) as raw:
        first = send(client, request(raw.port))
        until(lambda: raw.requests)
        second = send(client, request(raw.port, timeouts=Timeouts(0.1, 5, 5)))
        with pytest.raises(HttpError) as caught:
            whole(second)
        first.abort()

        assert "connection-limit-reached" == caught.value.code
        third = send(client, request(raw.port))
        until(lambda: len(raw.requests) == 2)
        third.abort()


def _wait(raw: Raw) -> None:
    raw.done.wait(PATIENCE_S)


def test_an_address_that_is_not_granted_is_not_connected_to(client: HttpClient) -> None:
    """Whatever its name: the addresses are asked about one by one."""
    with serving() as served:
        made = request(served.port, allowed=lambda address, _: str(address) != "127.0.0.1")
        with pytest.raises(HttpError) as caught:
            whole(send(client, made))

        assert "destination-IP-prohibited" == caught.value.code
        assert 0 == served.connections


# -- bodies ----------------------------------------------------------------------------------------


def test_a_response_that_nobody_reads_stops_its_sender(client: HttpClient) -> None:
    """Behind a window and what the operating system keeps."""
    sent: list[int] = []

    def pour(connection: socket.socket, raw: Raw) -> None:
        connection.settimeout(0.3)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(TimeoutError):
            while True:
                sent.append(connection.send(bytes(65_536)))
        raw.done.set()

    with raw_server(pour) as raw:
        exchange = send(client, request(raw.port))
        assert raw.done.wait(PATIENCE_S)

        assert WINDOW_BYTES <= len(exchange.body._data) < 2 * WINDOW_BYTES
        assert sum(sent) < 64 << 20
        exchange.abort()


def test_a_body_waits_for_the_server_to_ask_for_it(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``expect: 100-continue``, and not for ever."""
    monkeypatch.setattr(exchanges, "CONTINUE_S", PATIENCE_S)
    seen: list[bytes] = []

    def asks(connection: socket.socket, _: Raw) -> None:
        connection.settimeout(0.2)
        with suppress(TimeoutError):
            seen.append(connection.recv(10))
        connection.settimeout(PATIENCE_S)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        seen.append(connection.recv(10))
        connection.sendall(OK)

    with raw_server(asks) as raw:
        made = request(raw.port, "POST", length=3, headers=[("Expect", b"100-continue")])
        assert b"ok" == whole(send(client, made, ended(b"abc")))
        assert [b"abc"] == seen


def test_an_answer_before_the_body_is_whole_counts(client: HttpClient) -> None:
    """The rest is not sent, and its writer is told."""
    with raw_server(answering(OK)) as raw:
        body = Upload(Bells())
        exchange = send(client, request(raw.port, "POST", length=None), body)
        assert b"ok" == whole(exchange)
        until(lambda: body.is_cut)


# -- going on after a replay ------------------------------------------------------------------------

CONTENT: Final = bytes(range(256)) * 1_000


def delivered(data: bytes, *, unseen: int = 0) -> Delivered:
    made = Delivered()
    made.add(data)
    made.add_unseen(unseen)
    return made


@pytest.mark.parametrize(
    ("head", "had", "rest"),
    [
        (Head(200, [("Content-Length", b"256000")]), delivered(CONTENT[:100_000]), 156_000),
        (Head(200, [("Content-Length", b"256000")]), delivered(b"", unseen=5), 255_995),
        (Head(200, [("Content-Length", b"256000")]), delivered(CONTENT), 0),
        (Head(200, [("Content-Length", b"256000")]), delivered(b"x"), None),
        (Head(200, [("Content-Length", b"256000")]), delivered(CONTENT + b"\0"), None),
        (Head(200, [("Content-Length", b"256001")]), delivered(b""), None),
        (Head(404, [("Content-Length", b"256000")]), delivered(b""), None),
        (Head(200, [("Content-Length", b"256000"), ("etag", b"1")]), delivered(b""), None),
    ],
    ids=["on", "skipped", "all", "other bytes", "shorter", "length", "status", "etag"],
)
def test_a_repeated_response_goes_on_where_it_was(
    client: HttpClient, head: Head, had: Delivered, rest: int | None
) -> None:
    """If it is the same; else its reader is told that the connection was lost."""
    with serving(lambda _: (200, [], CONTENT)) as served:
        exchange = send(client, request(served.port), resumed=Resumed(head, had))
        if rest is None:
            with pytest.raises(HttpError) as caught:
                whole(exchange)
            assert "connection-terminated" == caught.value.code
        else:
            assert CONTENT[len(CONTENT) - rest :] == whole(exchange)


def test_what_a_replay_wrote_is_sent_from_the_beginning(client: HttpClient, tmp_path: Path) -> None:
    """Out of a file, with what was written before and what is written after."""
    body = Upload(Bells())
    body.put(b"before ")
    body.keep(tmp_path)
    body.put(bytes(300_000))
    body.resume()
    body.put(b" after")
    body.end([("x-t", b"1")])
    with serving(lambda asked: (200, [], asked.body)) as served:
        made = request(served.port, "POST", length=None)

        assert b"before " + bytes(300_000) + b" after|x-t: 1" == whole(send(client, made, body))


def test_a_body_that_is_too_large_to_be_kept_is_not_sent_again(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is one of disk; the guest sees a failed request."""
    monkeypatch.setattr(upload, "KEPT_BYTES_MAX", 10)
    body = Upload(Bells())
    body.keep(tmp_path)
    body.put(b"12345678901")
    body.resume()
    with serving() as served, pytest.raises(HttpError, match="too large to be sent again"):
        whole(send(client, request(served.port, "POST", length=None), body))


# -- small things ----------------------------------------------------------------------------------


def test_a_pipe_gives_what_was_put_in_before_its_failure() -> None:
    """And then the failure, every time."""
    pipe = Pipe(Bells())
    pipe.put(b"abc")
    pipe.fail(HttpError("connection-terminated"))
    pipe.put(b"never")

    assert b"ab" == pipe.take(2)
    assert b"c" == pipe.take(2)
    for _ in range(2):
        with pytest.raises(HttpError):
            pipe.take(2)
    assert not pipe.is_at_end


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (lambda: OSError(111, ""), "connection-refused"),
        (lambda: OSError(101, ""), "destination-IP-unroutable"),
        (lambda: OSError(24, ""), "connection-limit-reached"),
        (ConnectionResetError, "connection-terminated"),
        (OSError, "destination-unavailable"),
    ],
)
def test_failures_to_connect_have_codes(failure: Callable[[], OSError], code: str) -> None:
    """By the number of the operating system."""
    assert code == of_connecting(failure()).code


def test_alerts_are_told_by_number_and_name() -> None:
    """As far as OpenSSL names them."""
    import ssl  # noqa: PLC0415 - only here

    error = ssl.SSLError(1, "x")
    error.reason = "SSLV3_ALERT_HANDSHAKE_FAILURE"
    found = of_tls(error)

    assert "TLS-alert-received" == found.code
    assert {"alert-id": 40, "alert-message": "handshake failure"} == found.payload
    error.reason = "WRONG_VERSION_NUMBER"
    assert "TLS-protocol-error" == of_tls(error).code
