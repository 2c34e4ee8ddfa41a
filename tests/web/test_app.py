"""Requests that a component answers, each in an instance of its own or by a durable worker."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import current_thread
from typing import Any
from unittest.mock import Mock, patch

import pytest

from golem_host import Host
from golem_host.errors import HostError, InvalidRequestError, StateDirError
from golem_host.services.once import OneTimeCall
from golem_host.trace_context import TraceContext
from golem_host.web.rule import ByHeader, ByPath, OneWorker, parse_rule
from golem_host.worker.worker import Worker
from tests.support.cli import wait_until
from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.repository import ROOT
from tests.support.web import CONFIG, PATIENCE_S, Got, Site, ask, serving

LARGEST = 16 << 20
NUMBERS = count()


def plain(status: int, text: str) -> tuple[int, str]:
    return status, f"{text}\n"


def outcome(got: Got) -> tuple[int, str]:
    return got.status, got.body.decode()


# -- messages --------------------------------------------------------------------------------------


def test_a_request_arrives_whole(host: Host) -> None:
    """Method, address, headers in their order, and body; what is the connection's stays outside."""
    with serving(host) as site, socket.create_connection(("127.0.0.1", site.port)) as raw:
        raw.sendall(
            b"BREW /echo/%C3%A4?x=1&y HTTP/1.1\r\nHost: tea.example\r\nX-One: 1\r\nx-two: 2\r\n"
            b"X-One: \xe9\r\nConnection: close\r\nTE: trailers\r\nContent-Length: 3\r\n\r\nabc"
        )
        answer = raw.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 ")
    assert [b"x-a: 1", b"X-B: 2", b"x-a: 3"] == [
        line for line in head.split(b"\r\n") if line[:2].lower() == b"x-"
    ]
    assert {
        "method": "BREW",
        "scheme": "Scheme_Http",
        "authority": "tea.example",
        "path": "/echo/%C3%A4?x=1&y",
        "headers": [["x-one", "1"], ["x-two", "2"], ["x-one", "\xe9"], ["content-length", "3"]],
        "body": "abc",
    } == json.loads(body)


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_001])
def test_bodies_of_any_size_come_and_go(host: Host, size: int) -> None:
    """In pieces for the guest, whole for the client."""
    with serving(host) as site:
        sent = site.ask("/echo/", method="POST", body=b"\xff" * size)
        got = site.ask(f"/size/{size}")

    assert size == len(json.loads(sent.body)["body"])
    assert (200, bytes(size)) == (got.status, got.body)


def test_answers_without_a_body_leave_the_connection_usable(host: Host) -> None:
    """HEAD, 204 and 304 on one connection, and a request behind them."""
    with serving(host) as site, site.connected() as connection:
        got = [
            ask(connection, "/size/5", method="HEAD"),
            ask(connection, "/status/204"),
            ask(connection, "/status/304"),
            ask(connection, "/status/404"),
        ]

    assert [(200, b""), (204, b""), (304, b""), (404, b"body")] == [
        (each.status, each.body) for each in got
    ]


def raw(site: Site, head: bytes) -> tuple[bytes, bytes]:
    """The whole answer to a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE_S) as connection:
        connection.sendall(head + b"\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n")
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    ("sent", "authority", "path"),
    [
        (b"http://b.example/echo/?http://x/", "b.example", "/echo/?http://x/"),
        (b"HTTP://b.example:80/echo/a//b", "b.example:80", "/echo/a//b"),
        (b"/echo/http://b.example/", "a.example", "/echo/http://b.example/"),
    ],
)
def test_a_request_for_a_whole_uri(host: Host, sent: bytes, authority: str, path: str) -> None:
    """As a proxy gets it: its authority counts.  What `Connection` names is not handed on."""
    with serving(host) as site:
        _, body = raw(site, b"GET %s HTTP/1.1\r\nHost: a.example" % sent)
    got = json.loads(body)

    assert (authority, path, []) == (got["authority"], got["path"], got["headers"])


def test_a_worker_is_named_by_the_path_of_a_whole_uri(host: Host) -> None:
    """Not by its host."""
    name = f"w-{next(NUMBERS)}"
    with serving(host, ByPath(2)) as site:
        raw(site, b"GET http://b.example/count/%s HTTP/1.1\r\nHost: b.example" % name.encode())

        assert b"2" == site.ask(f"/count/{name}").body


def test_no_tunnel_is_opened(host: Host) -> None:
    """Whatever a guest would say to it; the connection goes on."""
    with serving(host) as site, site.connected() as connection:
        refused = ask(connection, "/count/", method="CONNECT")

        assert plain(501, "this server opens no tunnels") == outcome(refused)
        assert 200 == ask(connection, "/count/").status


def test_an_answer_has_one_date(host: Host) -> None:
    """The server's."""
    with serving(host) as site:
        got = site.ask("/headers/200/date:yesterday")

    assert ["date"] == [name for name, _ in got.headers if name == "date"]
    assert "yesterday" not in dict(got.headers).values()


def test_a_status_without_a_name(host: Host) -> None:
    """In a class that clients know; beyond there is none (RFC 9110, 15)."""
    with serving(host) as site:
        got = [site.ask(f"/headers/{status}") for status in (299, 599, 600, 999)]

    assert [299, 599, 502, 502] == [each.status for each in got]


def test_space_around_a_value_is_no_part_of_it(host: Host) -> None:
    """RFC 9110, 5.5; a guest may leave it there."""
    with serving(host) as site:
        got = site.ask("/headers/200/x-a:%20%09b%20c%09/x-b:%20")

    assert ("b c", "") == (dict(got.headers)["x-a"], dict(got.headers)["x-b"])


LENGTHS = {
    "5": ["5"],
    "05": ["5"],
    "": [],
    "none": [],
    "-1": [],
    "%D9%A3": [],
    "1" * 21: [],
}


@pytest.mark.parametrize("said", LENGTHS)
@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("HEAD", 204)])
def test_a_length_without_a_body_is_a_guests_if_it_is_one(
    host: Host, method: str, status: int, said: str
) -> None:
    """What `GET` would give cannot be known: nothing is said, rather than 0, or nonsense."""
    header = f"/content-length:{said}" if said else ""
    with serving(host) as site, site.connected() as connection:
        got = ask(connection, f"/headers/{status}{header}", method=method)
        after = ask(connection, "/count/")

    lengths = [value for name, value in got.headers if name.lower() == "content-length"]
    assert (status, [] if status == 204 else LENGTHS[said]) == (got.status, lengths)
    assert 200 == after.status


def test_lengths_that_differ_are_none(host: Host) -> None:
    """The server says nothing where the guest contradicts itself."""
    with serving(host) as site:
        got = [
            site.ask(f"/headers/200/content-length:{values}", method="HEAD")
            for values in ("1/content-length:2", "1,2", "7/content-length:7")
        ]
        assert 200 == site.ask("/headers/200/content-length:1/content-length:2").status

    assert [None, None, "7"] == [dict(each.headers).get("content-length") for each in got]


# -- bad guests and bad clients --------------------------------------------------------------------

FAILURES = {
    "/none/": plain(500, "error: internal-error"),
    "/error/": plain(504, "error: HTTP-response-timeout"),
    "/unfinished/": plain(500, "error: internal-error"),
    "/raise/": plain(500, "the component failed"),
    "/unknown/": plain(500, "the component failed"),
    "/status/100": plain(502, "the component answered with status 100, not one of 200 to 599"),
    f"/size/{LARGEST + 1}": plain(500, "the component failed"),
}


@pytest.mark.parametrize("path", FAILURES)
def test_a_guest_that_fails_harms_one_request(host: Host, path: str) -> None:
    """The client gets one line, and the next one is served."""
    with serving(host) as site:
        assert FAILURES[path] == outcome(site.ask(path))
        assert 200 == site.ask("/count/").status


def test_the_largest_answer(host: Host) -> None:
    """To the byte."""
    with serving(host) as site:
        assert LARGEST == len(site.ask(f"/size/{LARGEST}").body)


def test_a_body_that_is_too_large_is_refused(host: Host) -> None:
    """Announced or not."""
    with serving(host, body_bytes_max=1000) as site, site.connected() as connection:
        announced = site.ask("/echo/", method="POST", body=bytes(1001))
        connection.request("POST", "/echo/", iter([bytes(600), bytes(600)]))
        streamed = connection.getresponse().status

    assert (413, 413) == (announced.status, streamed)


def test_more_requests_than_are_taken_are_told_to_come_back(host: Host) -> None:
    """The one in work is not concerned."""
    with serving(host, requests_max=1) as site, ThreadPoolExecutor() as pool:
        first = pool.submit(site.ask, "/sleep/2000")
        wait_until(lambda: len(host.once._open) == 1)
        second = site.ask("/count/")

        assert (503, "1") == (second.status, dict(second.headers)["retry-after"])
        assert 200 == first.result().status


# -- instances of their own ------------------------------------------------------------------------


def test_every_request_has_an_instance_of_its_own(host: Host) -> None:
    """Many at once as well; nothing is left of any."""
    with serving(host) as site, ThreadPoolExecutor(10) as pool:
        bodies = {got.body for got in pool.map(site.ask, ["/sleep/10"] * 30)}

    assert {b"1"} == bodies
    assert not [w for w in host.workers.list("web") if w.name.startswith("once")]


def test_a_client_that_leaves_ends_the_instance(host: Host) -> None:
    """As does one that has waited long enough."""
    with serving(host) as site, site.connected() as connection:
        connection.request("GET", "/sleep/3600000")
        wait_until(lambda: len(host.once._open) == 1)
        connection.close()
        wait_until(lambda: not host.once._open)
    with serving(host, timeout_s=0.1) as site:
        assert plain(504, "no answer within 0.1 seconds") == outcome(site.ask("/sleep/3600000"))
        wait_until(lambda: not host.once._open)


def test_who_waits_for_an_instance_and_leaves_is_forgotten(host: Host) -> None:
    """No queue keeps its request until a thread is free."""
    prepared = Mock(wraps=host.once.prepare)
    with (
        patch.object(host.once, "prepare", prepared),
        serving(host, threads_max=1, body_bytes_max=1000) as site,
        site.connected() as first,
        ThreadPoolExecutor() as pool,
    ):
        first.request("GET", "/sleep/3600000")
        wait_until(lambda: len(host.once._open) == 1)
        for _ in range(3):
            with site.connected() as connection:
                connection.request("POST", "/echo/", bytes(1000))
        # The server has seen them come and go when it has answered whoever came later.
        assert [413, 413] == [
            site.ask("/", method="POST", body=bytes(1001)).status for _ in range(2)
        ]
        last = pool.submit(site.ask, "/count/")
        first.close()

        assert 200 == last.result().status
    assert 2 == prepared.call_count


def test_a_server_that_stops_tells_who_waits(host: Host) -> None:
    """At once; the instance ends."""
    with ThreadPoolExecutor() as pool, serving(host) as site:
        asked = pool.submit(site.ask, "/sleep/3600000")
        wait_until(lambda: len(host.once._open) == 1)
        site.stop()

        assert plain(503, "the request was interrupted; try again") == outcome(asked.result())
        wait_until(lambda: not host.once._open)


def test_a_component_is_made_ready_while_others_are_served(host: Host) -> None:
    """Compiling it takes long: never in the thread that serves."""
    threads = set()

    def prepare(*args: Any, **kwargs: Any) -> OneTimeCall:
        threads.add(current_thread().name)
        return prepared(*args, **kwargs)

    prepared = host.once.prepare
    with patch.object(host.once, "prepare", prepare), serving(host) as site:
        site.ask("/count/")
    assert [True] == [name.startswith("golem-rest") for name in threads]


def test_a_closed_host_makes_no_calls(tmp_path: Path) -> None:
    """It says what kind of failure that is: nobody's mistake."""
    wasm = python_guest(ROOT / "tests/support/web_guest")
    with open_host(tmp_path, CONFIG) as host:
        host.components.deploy(wasm, name="web")
        with serving(host) as site:
            host.once.close()
            assert 503 == site.ask("/count/").status


def test_what_guests_write_is_shown_once(host: Host) -> None:
    """Whichever instance or worker it was."""
    with serving(host) as site:
        site.ask("/print/hello")
        site.ask("/print/again")
        assert b"hello\nagain\n" == b"".join(data for _, data in site.written)
    with serving(host, OneWorker("printer")) as site, ThreadPoolExecutor(4) as pool:
        list(pool.map(site.ask, ["/print/x"] * 8))

        assert 8 == b"".join(data for _, data in site.written).count(b"x\n")


# -- durable workers -------------------------------------------------------------------------------


def test_a_worker_remembers(tmp_path: Path) -> None:
    """Across requests, a crash, and another host."""
    wasm = python_guest(ROOT / "tests/support/web_guest")
    with open_host(tmp_path, CONFIG) as host:
        host.components.deploy(wasm, name="web")
        with serving(host, OneWorker("main")) as site:
            assert [b"1", b"2"] == [site.ask("/count/").body for _ in range(2)]
            host.workers.get("web", "main").simulate_crash()
            assert b"3" == site.ask("/count/").body
    with open_host(tmp_path, CONFIG) as host, serving(host, OneWorker("main")) as site:
        assert b"4" == site.ask("/count/").body


def test_a_request_names_its_trace(host: Host) -> None:
    """To a worker and to an instance of its own; what names none is left out."""
    trace, name = "0af7651916cd43dd8448eb211c80319c", f"traced-{next(NUMBERS)}"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "tracestate": "a=1"}
    with serving(host, OneWorker(name)) as site:
        for each in (headers, {"traceparent": "none"}):
            assert 200 == site.ask("/count/", headers=each).status
    log = host.workers.get("web", name).oplog()
    first, second = [e.fields for e in log if e.kind == "exported-function-invoked"]
    assert (trace, ("a=1",)) == (first["trace-id"], first["trace-states"])
    assert second["trace-id"] not in {"", trace}

    given = []
    prepare = host.once.prepare

    def preparing(*args: Any, **named: Any) -> OneTimeCall:
        given.append(named["trace"])
        return prepare(*args, **named)

    with serving(host) as site, patch.object(host.once, "prepare", preparing):
        for each in (headers, {}):
            assert 200 == site.ask("/count/", headers=each).status
    assert [TraceContext.of_headers(headers["traceparent"], "a=1"), None] == given


def test_the_request_names_the_worker(host: Host) -> None:
    """By a header or a part of its path; without a name it is refused."""
    ada, bob = (f"{name}-{next(NUMBERS)}" for name in ("ada", "bob"))
    with serving(host, parse_rule("header:X-User")) as site:
        counts = [site.ask("/count/", headers={"x-user": name}).body for name in (ada, bob, ada)]
        missing = site.ask("/count/")
        bad = site.ask("/count/", headers={"x-user": "a b"})
    with serving(host, parse_rule("path:2")) as site:
        by_path = [site.ask(f"/count/{name}/more").body for name in (ada, bob)]
        without = site.ask("/count/")

    assert [b"1", b"1", b"2"] == counts
    assert [b"3", b"2"] == by_path
    assert [400, 400, 400] == [missing.status, bad.status, without.status]
    assert b"x-user" in missing.body


def test_the_same_key_gets_the_same_answer(host: Host) -> None:
    """The guest is not asked again; another request under the key is refused."""
    rule, key = OneWorker(f"w-{next(NUMBERS)}"), {"Idempotency-Key": "k"}
    with serving(host, rule) as site:
        got = [site.ask("/count/", headers=key) for _ in range(2)]
        other = site.ask("/count/", method="POST", body=b"x", headers=key)

    assert [b"1", b"1"] == [each.body for each in got]
    assert 409 == other.status


def test_the_same_key_at_the_same_time(host: Host) -> None:
    """The other request comes between the look and the call: it is joined, its headers apart."""
    rule, name = OneWorker(f"w-{next(NUMBERS)}"), "Idempotency-Key"
    begin, others = Worker.begin, []
    with serving(host, rule) as site:

        def second_in_between(self: Worker, *args: Any, **kwargs: Any) -> Any:
            with patch.object(Worker, "begin", begin):
                others.append(site.ask("/count/", headers={name: "k", "traceparent": "other"}))
            return begin(self, *args, **kwargs)

        with patch.object(Worker, "begin", second_in_between):
            got = site.ask("/count/", headers={name: "k"})

    assert [(200, "1"), (200, "1")] == [outcome(got), outcome(others[0])]


def test_a_worker_goes_on_without_its_client(host: Host) -> None:
    """Whoever asks again with the key gets the answer."""
    rule, key = OneWorker(f"w-{next(NUMBERS)}"), {"Idempotency-Key": "k"}
    with serving(host, rule, timeout_s=0.05) as site:
        assert 504 == site.ask("/sleep/300", headers=key).status
    with serving(host, rule) as site:
        # Another port, and so another authority: only what is asked for has to be the same.
        assert (200, "1") == outcome(site.ask("/sleep/300", headers=key))


def test_a_worker_that_has_failed_says_so(host: Host) -> None:
    """To everybody, without what it wrote."""
    with serving(host, OneWorker(f"w-{next(NUMBERS)}")) as site:
        got = [site.ask(path) for path in ("/raise/", "/count/")]

    assert [plain(500, "the component failed")] * 2 == [outcome(each) for each in got]


@pytest.mark.parametrize(
    "error", [InvalidRequestError(reason="secret"), StateDirError(path="/secret", reason="secret")]
)
def test_what_is_no_mistake_of_the_client_is_not_told_to_it(host: Host, error: HostError) -> None:
    """A guest that asks for what cannot be, an update that has no handler, a damaged log."""
    with (
        serving(host, OneWorker(f"w-{next(NUMBERS)}")) as site,
        patch.object(Worker, "begin", side_effect=error),
    ):
        assert plain(500, "the worker cannot be used") == outcome(site.ask("/count/"))


@pytest.mark.parametrize("header", ["authorization", "cookie"])
def test_an_answer_is_for_who_asked(host: Host, header: str) -> None:
    """A key is easily guessed."""
    name = "Idempotency-Key"
    with serving(host, OneWorker(f"w-{next(NUMBERS)}")) as site:
        got = [
            site.ask("/count/", headers={name: "k", header: who, "x-trace": trace})
            for who, trace in (("ada", "1"), ("ada", "2"), ("eve", "1"))
        ]

    assert [200, 200, 409] == [each.status for each in got]


# -- rules -----------------------------------------------------------------------------------------


def test_rules_are_read() -> None:
    """Header names in any case; paths from their first part on."""
    assert ByHeader("x-user") == parse_rule("header:X-User")
    assert ByPath(9) == parse_rule("path:9")
    for text in ("", "header:", "header:a b", "path:0", "path:10", "path:x", "user"):
        with pytest.raises(InvalidRequestError, match=r"header:NAME or path:1 to path:9"):
            parse_rule(text)
