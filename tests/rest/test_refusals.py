"""What is malformed, hostile, too large or too slow gets one clear answer and harms nobody else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from urllib.parse import quote, unquote

import pytest

from golem_host import Host
from golem_host.rest.bounds import Bounds
from tests.support.rest import Web, read_until_closed, served

WORKERS = "/v1/components/clock/workers"
CALL = f"{WORKERS}/w/invoke-and-await"

IMPATIENT = Bounds(
    head_s=0.2,
    body_s=0.2,
    component_s=0.2,
    drain_s=0.2,
    write_s=0.2,
    keep_alive_s=1,
    body_bytes_max=10_000,
    component_bytes_max=20_000,
    connections_max=4,
    requests_max=4,
    uploads_max=0,
)


@pytest.fixture(scope="module")
def impatient(host: Host) -> Iterator[Web]:
    """A listener with small bounds."""
    with served(host, bounds=IMPATIENT) as found:
        yield found


# -- bodies and parameters ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "give the query parameter function"),
        (b"nonsense", "JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"call": "add(1)", "cal": 1}', "did you mean 'call'"),
        (b"[1]", "expected an object"),
        (b'"add(1)"', "expected an object"),
        (b'{"call": 1}', "body.call: expected a string, found 1"),
        (b'{"call": "add(1)", "params": []}', "stands alone"),
        (b'{"params": {}}', "body.params: expected an array"),
        (b'{"params": []}', "give the query parameter function"),
        (b'{"call": "\\ud800()"}', "surrogate"),
        (b'{"call": "add("}', "expected"),
        (b'{"call": "nothing()"}', "no function"),
        (b'{"call": "add(-1)"}', "expected"),
        (b'{"call": "add(18446744073709551616)"}', "expected"),
        (b'{"call": NaN}', "expected a string"),
        (b"\xff\xfe", "JSON"),
        (b"1" * 5_000, "JSON"),
    ],
)
def test_a_malformed_body_is_refused_with_its_reason(web: Web, content: bytes, said: str) -> None:
    """The status is 400, the message says what is wrong, and no worker is made."""
    path = f"{WORKERS}/unmade/invoke-and-await"

    answer = web.ask("POST", path, content=content, headers={"content-type": "application/json"})

    assert 400 == answer.status
    assert said in answer.document["error"]["message"]
    assert 404 == web.get(f"{WORKERS}/unmade").status


@pytest.mark.parametrize(
    "params",
    [
        [],
        [{"value": 1}, {"value": 2}],
        [1],
        [{}],
        [{"value": "1"}],
        [{"value": 1.5}],
        [{"value": 2**64}],
        [{"value": True}],
        [{"value": None}],
        [{"value": 1, "typ": {"type": "S64"}}],
        [{"value": 1, "typ": {"type": "Nothing"}}],
        [{"value": 1, "typ": 1}],
        [{"value": 1, "other": 2}],
    ],
)
def test_arguments_that_do_not_fit_are_refused(web: Web, params: object) -> None:
    """Each with the parameter it concerns."""
    answer = web.post(f"{CALL}?function=add", {"params": params})

    assert 400 == answer.status


def test_a_type_nested_without_end_is_refused(web: Web) -> None:
    """Its depth has a bound."""
    typ: object = {"type": "U64"}
    for _ in range(200):
        typ = {"type": "List", "inner": typ}

    answer = web.post(f"{CALL}?function=add", {"params": [{"value": 1, "typ": typ}]})

    assert (400, "InvalidRequestError") == answer.error


@pytest.mark.parametrize(
    "query",
    [
        "count=0",
        "count=1001",
        "count=-1",
        "count=x",
        "count=1&count=2",
        "count=99999999999999999999999",
        "unknown=1",
        "precise=maybe",
        "filter=x",
        "filter=status%20=%20sleepy",
        "filter=status%20like%20idle",
        "filter=version%20like%201",
        "filter=version%20=%20x",
        "filter=createdAt%20=%20yesterday",
        "filter=shoe%20=%201",
        "filter=name%20likes%20a",
    ],
)
def test_parameters_that_make_no_sense_are_refused(web: Web, query: str) -> None:
    """Unknown, repeated, out of range, not of their type."""
    assert (400, "InvalidRequestError") == web.get(f"{WORKERS}?{query}").error


@pytest.mark.parametrize(
    "name", ["-x", "a%20b", "a%0Ab", "%00", "a%2Fb", "%FF%FE", "x" * 513, "%E2%80%A8"]
)
def test_names_that_no_worker_can_have_are_refused(web: Web, name: str) -> None:
    """Path separators, white space, control characters, wrong UTF-8, too long."""
    answer = web.post(f"{WORKERS}/{name}/invoke-and-await", {"call": "add(1)"})

    assert (400, "InvalidRequestError") == answer.error


@pytest.mark.parametrize("name", ["ünï", "名前", "..", ".", "%25", "a+b", "😀", "a%3Fb%23c"])
def test_any_other_character_may_be_in_a_name(web: Web, name: str) -> None:
    """What a path can hold percent-encoded is what the worker is called."""
    path = f"{WORKERS}/{quote(name, safe='%')}"

    assert 200 == web.post(f"{path}/invoke-and-await", {"call": "add(1)"}).status
    assert unquote(name) == web.get(path).document["workerId"]["workerName"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/components/",
        "/v1//components",
        "/v1/nothing",
        f"{WORKERS}/a/b/c",
        "/%2e%2e",
    ],
)
def test_other_paths_are_not_found(web: Web, path: str) -> None:
    """In the same form as every error."""
    assert (404, "NoSuchPathError") == web.get(path).error


def test_other_methods_are_told_the_right_ones(web: Web) -> None:
    """The header Allow names them."""
    answer = web.ask("PUT", "/v1/components")

    assert (405, "MethodNotAllowedError") == answer.error
    assert {"GET", "POST"} == {each.strip() for each in answer.headers["allow"].split(",")}
    assert 405 == web.ask("HEAD", "/v1/components").status


@pytest.mark.parametrize("given", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type_is_refused(web: Web, given: str) -> None:
    """A form of a web page sends such a body without asking."""
    answer = web.ask("POST", CALL, content=b'{"call": "add(1)"}', headers={"content-type": given})

    assert (415, "MediaTypeError") == answer.error


def test_bytes_that_are_no_component_are_refused(web: Web) -> None:
    """422: the request is right, the artefact is not."""
    wasm = {"content-type": "application/wasm"}
    answer = web.ask("POST", "/v1/components?name=bad", content=b"\0asm", headers=wasm)

    assert (422, "ComponentError") == answer.error


@pytest.mark.parametrize(
    "query", ["", "name=", "name=a%00b", "name=x&env=novalue", "name=x&env=%3D1"]
)
def test_a_component_needs_a_name_and_settings_in_pairs(web: Web, query: str) -> None:
    """Nothing is stored."""
    wasm = {"content-type": "application/wasm"}
    answer = web.ask("POST", f"/v1/components?{query}", content=b"", headers=wasm)

    assert answer.status in {400, 422}
    assert 404 == web.get("/v1/components/x").status


# -- origin and token ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:80"},
        {"host": "localhost.evil.example"},
        {"host": ""},
        {"host": "[::1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_web_pages_of_other_sites_are_refused(host: Host, headers: dict[str, str]) -> None:
    """By name (DNS rebinding), by origin, by what the browser says of the site."""
    with served(host) as web:
        answer = web.ask("DELETE", f"{WORKERS}/w", headers=headers)

    assert (403, "ForbiddenOriginError") == answer.error


def test_loopback_may_be_called_by_its_names(host: Host) -> None:
    """Also by a page of its own."""
    with served(host) as web:
        assert isinstance(web.address, tuple)
        port = web.address[1]
        for name in ("localhost", "127.0.0.1", "[::1]", "LOCALHOST"):
            headers = {"host": f"{name}:{port}", "origin": f"http://{name}:{port}"}

            assert 200 == web.ask("GET", "/v1/health", headers=headers).status


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", "Bearer  ", "Basic secret", "secret", "Bearer secret2"]
)
def test_a_wrong_token_is_refused(host: Host, given: str) -> None:
    """Whatever it is; the right one, in any case of Bearer, is let in."""
    with served(host, token="secret") as web:
        refused = web.ask("GET", "/v1/components", headers={"authorization": given})
        right = web.get("/v1/components", authorization="bearer secret")

    assert (401, "UnauthorizedError") == refused.error
    assert "Bearer" == refused.headers["www-authenticate"]
    assert 200 == right.status


# -- sizes, slowness, numbers -------------------------------------------------------------------


def _announce(web: Web) -> bytes:
    with web.raw() as connection:
        connection.sendall(_head(web, "content-length: 10001") + b"x" * 10_001)
        return read_until_closed(connection)


def _stream(web: Web) -> bytes:
    with web.raw() as connection:
        connection.sendall(_head(web, "transfer-encoding: chunked"))
        for _ in range(3):
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return read_until_closed(connection)


def _head(web: Web, *lines: str) -> bytes:
    host = "localhost" if not isinstance(web.address, tuple) else f"localhost:{web.address[1]}"
    head = [f"POST {CALL} HTTP/1.1", f"host: {host}", "content-type: application/json", *lines]
    return "\r\n".join([*head, "", ""]).encode()


@pytest.mark.parametrize("send", [_announce, _stream])
def test_a_body_has_a_bound(impatient: Web, send: Callable[[Web], bytes]) -> None:
    """Whether its size is announced or not."""
    answer = send(impatient)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"BodyTooLargeError" in answer


def test_headers_have_a_bound(impatient: Web) -> None:
    """The connection is answered and closed."""
    with impatient.raw() as connection:
        connection.sendall(_head(impatient, *[f"x-{n}: {'y' * 1000}" for n in range(60)]))

        assert read_until_closed(connection).startswith(b"HTTP/1.1 4")


def test_a_slow_head_ends_the_connection(impatient: Web) -> None:
    """Nothing, and half of a head, are given up alike."""
    for sent in (b"", b"GET /v1/health HTTP/1.1\r\nho"):
        with impatient.raw() as connection:
            connection.sendall(sent)

            assert b"" == read_until_closed(connection)


def test_a_slow_head_of_a_second_request_ends_the_connection(impatient: Web) -> None:
    """The deadline is for each request."""
    with impatient.raw() as connection:
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /v1/hea")

        assert 1 == read_until_closed(connection).count(b"HTTP/1.1")


def test_a_slow_body_is_told_so(impatient: Web) -> None:
    """408, and the connection is closed."""
    with impatient.raw() as connection:
        connection.sendall(_head(impatient, "content-length: 100") + b"{")

        assert read_until_closed(connection).startswith(b"HTTP/1.1 408")


def test_what_is_no_http_is_told_so(impatient: Web) -> None:
    """400, and the connection is closed."""
    with impatient.raw() as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")

        assert read_until_closed(connection).startswith(b"HTTP/1.1 400")


def test_uploads_have_a_bound_of_their_own(impatient: Web) -> None:
    """Each may be large."""
    wasm = {"content-type": "application/wasm"}
    answer = impatient.ask("POST", "/v1/components?name=x", content=b"x", headers=wasm)

    assert (503, "OverloadedError") == answer.error
    assert "1" == answer.headers["retry-after"]


def test_connections_have_a_bound(host: Host) -> None:
    """The one too many is told so; when others have gone there is room again."""
    with served(host, bounds=Bounds(connections_max=2, requests_max=2)) as web:
        held = [web.raw() for _ in range(2)]
        for connection in held:
            connection.sendall(b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
        refused = web.get("/v1/health")
        for connection in held:
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        while web.get("/v1/health").status == 503:
            pass

    assert (503, "OverloadedError") == refused.error
    assert "1" == refused.headers["retry-after"]


def test_requests_in_work_have_a_bound(host: Host) -> None:
    """The one too many is told so, while the others wait; they end with the server."""
    host.workers.get_or_create(host.components.get("clock"), "watched")
    with served(host, bounds=Bounds(requests_max=2)) as web, ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(closing(web.connect()))
            connection.request("GET", f"{WORKERS}/watched/output?follow=true")
            response = stack.enter_context(connection.getresponse())
            assert 200 == response.status
        refused = web.get("/v1/health")

    assert (503, "OverloadedError") == refused.error


def test_a_client_that_reads_nothing_is_cut_off(host: Host) -> None:
    """What is sent to it has a deadline; its connection does not count any more."""
    bounds = Bounds(write_s=0.2, requests_max=1)
    component = host.components.get("clock")
    worker = host.workers.get_or_create(component, "long")
    for number in range(2_000):
        worker.invoke("add", number)
    with served(host, bounds=bounds) as web, web.raw() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET {WORKERS}/long/oplog?count=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n"
        deaf.sendall(request.encode() * 20)
        while web.get("/v1/health").status == 503:
            pass
        answer = web.get("/v1/health")

    assert 200 == answer.status
