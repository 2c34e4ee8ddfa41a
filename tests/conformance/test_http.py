"""
``wasi:http`` as a client: Python guests against servers on loopback, some of which misbehave.

Every program is run once, and then replayed in a host without a network: the guest says the same,
nothing is appended and no server is asked again.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import Final

import pytest

from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.http_servers import (
    CA_FILE,
    PATIENCE_S,
    Asked,
    Raw,
    answering,
    raw_server,
    server_tls,
    serving,
)
from tests.support.memory import resident_bytes
from tests.support.repository import ROOT
from tests.support.wasi_hosts import ONE_ATTEMPT, RUN, Seen, ours, replayed

ANY: Final = ("127.0.0.1:*",)


@contextmanager
def played(
    program: str, url: str, folder: Path, net: tuple[str, ...] = ANY, ca: Path | None = None
) -> Iterator[list[str]]:
    """The lines that the program prints, once it has been replayed as well."""
    wasm = python_guest(ROOT / "tests/support/http_guest")
    config = replace(ONE_ATTEMPT, net=net, tls_ca_file=ca)
    seen = ours(wasm, ["prog", program.replace("URL", url)], {}, folder / "state", config)
    assert (0, b"") == (seen.exit_code, seen.stderr)
    yield seen.stdout.decode().splitlines()
    assert (Seen(0, b"", b""), 0) == replayed(folder / "state")


def lines(program: str, url: str, folder: Path, **named: tuple[str, ...] | Path) -> list[str]:
    with played(program, url, folder, **named) as found:  # type: ignore[arg-type]
        return found


# -- a server that keeps the rules ------------------------------------------------------------------


def many(asked: Asked) -> tuple[int, list[tuple[str, str]], bytes]:
    """Answers by the path: a status, headers and a body."""
    if asked.target.startswith("/status/"):
        status = int(asked.target.rpartition("/")[2])
        return status, [("location", "/elsewhere")], b"" if status in (204, 304) else b"body"
    if asked.target == "/twice":
        return 200, [("Set-Cookie", "a=1"), ("x-b", "2"), ("set-cookie", "c=3")], b""
    if asked.target == "/chunked":
        return 200, [("transfer-encoding", "chunked")], b"y" * 100_000
    if asked.target.startswith("/large/"):
        return 200, [], b"x" * int(asked.target.rpartition("/")[2])
    return 200, [], f"{asked.method} {asked.target} ".encode() + asked.body


CLIENTS: Final = {
    "get": ("print(fetch('URL/a?b=c')[::2])", ["(200, b'GET /a?b=c ')"]),
    "post": (
        "print(fetch('URL/', b'abc', method=types.Method_Post())[2])",
        ["b'POST / abc'"],
    ),
    "another method": (
        "print(fetch('URL/', method=types.Method_Other('PATCH'))[2])",
        ["b'PATCH / '"],
    ),
    "head": (
        """
s, h, b = fetch('URL/large/5', method=types.Method_Head())
print(s, dict(h)['content-length'], b)
""",
        ["200 b'5' b''"],
    ),
    "204, 304 and a redirect": (
        "for n in 204, 304, 302, 500: print(fetch(f'URL/status/{n}')[::2])",
        ["(204, b'')", "(304, b'')", "(302, b'body')", "(500, b'body')"],
    ),
    "duplicate headers": (
        "print([e for e in fetch('URL/twice')[1] if e[0] != 'content-length'])",
        ["[('Set-Cookie', b'a=1'), ('x-b', b'2'), ('set-cookie', b'c=3')]"],
    ),
    "a body read in pieces and skipped": (
        """
response = send(request('URL/large/100000'))
body = response.consume()
stream = body.stream()
print(len(stream.blocking_read(10)), stream.blocking_skip(20))
total = 30
while True:
    try:
        with stream.subscribe() as ready: ready.block()
        total += len(stream.read(7000))
    except Err as error:
        print(type(error.value).__name__, total)
        break
""",
        ["10 20", "StreamError_Closed 100000"],
    ),
    "a body of a known length": (
        """
made = request('URL/', types.Method_Post(), [('content-length', '3')])
print(read(send(made, b'abc'))[0])
made = request('URL/', types.Method_Post(), [('content-length', '4')])
try:
    send(made, b'abc')
except Err as error:
    print(error.value)
made = request('URL/', types.Method_Post(), [('content-length', '2')])
body = made.body()
stream = body.write()
try:
    stream.blocking_write_and_flush(b'abc')
except Err as error:
    print(types.http_error_code(error.value.value))
""",
        [
            "b'POST / abc'",
            "ErrorCode_HttpRequestBodySize(value=3)",
            "ErrorCode_HttpRequestBodySize(value=3)",
        ],
    ),
    "trailers of the request": (
        """
made = request('URL/', types.Method_Post())
body = made.body()
with body.write() as stream: stream.blocking_write_and_flush(b'abc')
future = outgoing_handler.handle(made, None)
types.OutgoingBody.finish(body, types.Fields.from_list([('x-sum', b'7')]))
print(read(response_of(future))[0])
""",
        ["b'POST / abc|x-sum: 7'"],
    ),
    "trailers of the response": (
        """
data, trailers = read(send(request('URL/chunked')))
found = trailers.get()
print(len(data), found.value.value.entries(), repr(trailers.get()))
body = send(request('URL/chunked')).consume()
trailers = types.IncomingBody.finish(body)
trailers.subscribe().block()
print(trailers.get().value.value.entries(), repr(trailers.get()))
data, trailers = read(send(request('URL/')))
print(trailers.get(), repr(trailers.get()))
body = send(request('URL/chunked')).consume()
with body.stream() as stream: stream.blocking_read(10)
trailers = types.IncomingBody.finish(body)
trailers.subscribe().block()
print(trailers.get().value.value.get('x-size'))
""",
        [
            "100000 [('x-size', b'100000'), ('X-Last', b'yes')] Err(value=None)",
            "[('x-size', b'100000'), ('X-Last', b'yes')] Err(value=None)",
            "Ok(value=Ok(value=None)) Err(value=None)",
            "[b'100000']",
        ],
    ),
    "a response spliced into a request": (
        """
source = send(request('URL/large/300000')).consume()
made = request('URL/', types.Method_Post())
body = made.body()
future = outgoing_handler.handle(made, None)
total = 0
with source.stream() as incoming, body.write() as stream:
    try:
        while True: total += stream.blocking_splice(incoming, 50_000)
    except Err as error: print(type(error.value).__name__, total)
types.OutgoingBody.finish(body, None)
print(len(read(response_of(future))[0]))
""",
        ["StreamError_Closed 300000", "300007"],
    ),
    "responses that are given up at every stage": (
        """
for stage in range(4):
    response = send(request('URL/large/1000000'))
    if stage == 0: response.__exit__(None, None, None)
    else:
        body = response.consume()
        if stage == 2: stream = body.stream()
        if stage == 3:
            with body.stream() as stream: stream.blocking_read(10)
        if stage == 2: stream.__exit__(None, None, None)
        body.__exit__(None, None, None)
print(len(fetch('URL/large/10')[2]))
""",
        ["10"],
    ),
    "what can be taken only once": (
        """
made = request('URL/')
body = made.body()
try: made.body()
except Err as error: print(error.value)
future = outgoing_handler.handle(made, None)
types.OutgoingBody.finish(body, None)
future.subscribe().block()
response = future.get().value.value
print(type(future.get()).__name__, response.status())
body = response.consume()
for take in response.consume, (body.stream(), body.stream)[1]:
    try: take()
    except Err as error: print(error.value)
""",
        ["None", "Err 200", "None", "None"],
    ),
    "many at once": (
        """
import poll_loop
async def one(n):
    response = await poll_loop.send(request(f'URL/{n}'))
    body = poll_loop.Stream(response.consume())
    pieces = []
    while (piece := await body.next()) is not None: pieces.append(piece)
    return b''.join(pieces)
async def all_of_them():
    return await asyncio.gather(*[one(n) for n in range(20)])
loop = poll_loop.PollLoop()
asyncio.set_event_loop(loop)
print(loop.run_until_complete(all_of_them()) == [b'GET /%d ' % n for n in range(20)])
""",
        ["True"],
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_guest_is_answered_and_its_replay_asks_nobody(name: str, tmp_path: Path) -> None:
    """The server is still there when the guest is replayed, and hears nothing."""
    program, expected = CLIENTS[name]
    with serving(many) as served:
        with played(program, served.url, tmp_path) as found:
            assert expected == found
            before = len(served.asked)
        assert before == len(served.asked)
        assert {1} == set(served.keys().values())


def test_connections_are_used_again(tmp_path: Path) -> None:
    """One after the other; and no two requests have the same key."""
    with serving(many) as served:
        lines("for n in range(5): fetch('URL/')", served.url, tmp_path)

        assert [1] * 5 == [each.connection for each in served.asked]
        assert 5 == len(served.keys())


def test_a_key_of_the_guests_own_is_left_alone(tmp_path: Path) -> None:
    """In whatever letters."""
    with serving(many) as served:
        lines("fetch('URL/', headers=[('Idempotency-Key', 'mine')])", served.url, tmp_path)

        assert ["mine"] == list(served.keys())


# -- servers that do not -----------------------------------------------------------------------------

CATCH: Final = """
try:
    print(fetch('URL/')[::2])
except Err as error:
    code = error.value
    if isinstance(code, streams.StreamError_LastOperationFailed):
        code = types.http_error_code(code.value)
        print('stream', end=' ')
    print(code)
"""


def _reset(connection: socket.socket, _: Raw) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


HEAD: Final = b"HTTP/1.1 200 OK\r\n"
SERVERS: Final[dict[str, tuple[Callable[[socket.socket, Raw], None], str]]] = {
    "closes at once": (answering(b""), "ErrorCode_ConnectionTerminated()"),
    "says garbage": (answering(b"220 smtp ready\r\n\r\n"), "ErrorCode_HttpProtocolError()"),
    "sends a million headers": (
        answering(HEAD + b"a: b\r\n" * 1_000_000 + b"\r\n"),
        "ErrorCode_HttpResponseHeaderSectionSize(value=65536)",
    ),
    "sends two thousand headers": (
        answering(HEAD + b"a: b\r\n" * 2_000 + b"\r\n"),
        "ErrorCode_HttpResponseHeaderSectionSize(value=65536)",
    ),
    "has an endless reason": (
        answering(b"HTTP/1.1 200 " + b"x" * 1_000_000),
        "ErrorCode_HttpResponseHeaderSectionSize(value=65536)",
    ),
    "ends in the head": (answering(HEAD), "ErrorCode_HttpResponseIncomplete()"),
    "ends in the body": (
        answering(HEAD + b"content-length: 10\r\n\r\nabc"),
        "stream ErrorCode_HttpResponseIncomplete()",
    ),
    "resets in the body": (_reset, "stream ErrorCode_HttpResponseIncomplete()"),
    "ends in a chunk": (
        answering(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nab"),
        "stream ErrorCode_HttpResponseIncomplete()",
    ),
    "has a wrong chunk": (
        answering(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\nab"),
        "stream ErrorCode_HttpProtocolError()",
    ),
    "has endless trailers": (
        answering(HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 100_000),
        "stream ErrorCode_HttpResponseTrailerSectionSize(value=65536)",
    ),
    "has another coding": (
        answering(HEAD + b"transfer-encoding: gzip\r\n\r\nab"),
        "ErrorCode_HttpResponseTransferCoding(value=None)",
    ),
    "has two lengths": (
        answering(HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        "ErrorCode_HttpProtocolError()",
    ),
    "continues for ever": (
        answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        "ErrorCode_HttpProtocolError()",
    ),
    "continues first": (
        answering(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"content-length: 1\r\n\r\na"),
        "(200, b'a')",
    ),
    "sends more than it says": (
        answering(HEAD + b"content-length: 1\r\n\r\nabc"),
        "(200, b'a')",
    ),
    "speaks HTTP/1.0": (answering(b"HTTP/1.0 200 OK\r\n\r\nabc"), "(200, b'abc')"),
}


def test_a_server_that_misbehaves_gives_a_code(tmp_path: Path) -> None:
    """Nothing hangs, nothing grows, and a replay says the same."""
    with ExitStack() as stack:
        raws = [stack.enter_context(raw_server(behave)) for behave, _ in SERVERS.values()]
        body = "\n".join(f"    {line}" for line in CATCH.splitlines())
        program = f"for port in {[raw.port for raw in raws]}:{body}".replace(
            "'URL/'", "f'URL:{port}/'"
        )
        with played(program, "http://127.0.0.1", tmp_path) as found:
            assert dict(zip(SERVERS, (code for _, code in SERVERS.values()), strict=True)) == dict(
                zip(SERVERS, found, strict=True)
            )
        assert {1} == {len(raw.requests) for raw in raws}


def never(_: socket.socket, raw: Raw) -> None:
    raw.done.wait(PATIENCE_S)


def _stops(connection: socket.socket, raw: Raw) -> None:
    connection.sendall(HEAD + b"content-length: 10\r\n\r\nabc")
    raw.done.wait(PATIENCE_S)


TIMED: Final = """
options = types.RequestOptions()
options.set_first_byte_timeout(200_000_000)
options.set_between_bytes_timeout(300_000_000)
print(options.first_byte_timeout(), options.connect_timeout())
try:
    print(read(send(request('URL/'), None, options))[0])
except Err as error:
    code = error.value
    if isinstance(code, streams.StreamError_LastOperationFailed):
        code = types.http_error_code(code.value)
        print('stream', end=' ')
    print(code)
"""


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (never, "ErrorCode_ConnectionReadTimeout()"),
        (_stops, "stream ErrorCode_ConnectionReadTimeout()"),
    ],
    ids=["never answers", "stops in the body"],
)
def test_a_server_that_is_silent_meets_the_guests_timeouts(
    behave: Callable[[socket.socket, Raw], None], expected: str, tmp_path: Path
) -> None:
    """The first byte has its own, and so has the time between two of them."""
    with raw_server(behave) as raw:
        assert ["200000000 None", expected] == lines(TIMED, raw.url, tmp_path)


def test_a_server_that_takes_nothing_holds_up_the_body_and_no_more(tmp_path: Path) -> None:
    """The guest is told that there is no room, and waits for something else meanwhile."""
    program = """
made = request('URL/', types.Method_Post())
body = made.body()
stream = body.write()
future = outgoing_handler.handle(made, None)
written = 0
while True:
    with stream.subscribe() as room, monotonic_clock.subscribe_duration(300_000_000) as late:
        ready = poll.poll([room, late])
    if 0 not in ready: break
    count = stream.check_write()
    stream.write(bytes(count))
    written += count
print(written >= 262144, written < 64 << 20)
"""
    with raw_server(never) as raw:
        assert ["True True"] == lines(program, raw.url, tmp_path)


def test_only_what_is_granted_is_asked(tmp_path: Path) -> None:
    """By name and port, and by address; who is not granted hears nothing."""
    with serving(many) as served, serving(many) as other:
        program = f"""
for url in 'URL/', 'http://127.0.0.1:{other.port}/', 'http://localhost:{served.port}/', 'http://x.test/':
    try: print(fetch(url)[0])
    except Err as error: print(error.value)
"""
        found = lines(program, served.url, tmp_path, net=(f"127.0.0.1:{served.port}",))

        denied = "ErrorCode_HttpRequestDenied()"
        # localhost is 127.0.0.1 as well, and that is granted.
        assert ["200", denied, "200", denied] == found
        assert (2, 0) == (len(served.asked), other.connections)


def test_bodies_that_wait_for_their_requests_are_bounded(tmp_path: Path) -> None:
    """Each by a window, and all of them together; what is given up does not count."""
    program = """
def waiting():
    made = request('http://127.0.0.1:1/', types.Method_Post())
    body = made.body()
    stream = body.write()
    while count := stream.check_write(): stream.write(bytes(count))
    return made, body, stream
for _ in range(100):
    for each in reversed(waiting()): each.__exit__(None, None, None)
kept = [waiting() for _ in range(64)]
print(len(kept), flush=True)
waiting()
"""
    wasm = python_guest(ROOT / "tests/support/http_guest")
    seen = ours(wasm, ["prog", program], {}, tmp_path / "state", ONE_ATTEMPT)

    assert (134, b"64\n") == (seen.exit_code, seen.stdout)


REFUSED: Final = {
    "nobody listens": ("fetch('URL/')", "ErrorCode_ConnectionRefused()"),
    "an unknown name": (
        "fetch('http://unknown.test/')",
        "ErrorCode_DnsError(value=DnsErrorPayload(rcode='NXDOMAIN', info_code=None))",
    ),
    "a resolver that does not answer": (
        "fetch('http://other.test/')",
        "ErrorCode_DnsError(value=DnsErrorPayload(rcode='SERVFAIL', info_code=None))",
    ),
    "no authority": (
        "outgoing_handler.handle(types.OutgoingRequest(types.Fields()), None)",
        "ErrorCode_HttpRequestUriInvalid()",
    ),
    "another scheme": (
        """
made = request('URL/')
made.set_scheme(types.Scheme_Other('ftp'))
outgoing_handler.handle(made, None)
""",
        "ErrorCode_HttpProtocolError()",
    ),
    "a tunnel": (
        "outgoing_handler.handle(request('URL/', types.Method_Connect()), None)",
        "ErrorCode_HttpRequestMethodInvalid()",
    ),
    "a long path": (
        "outgoing_handler.handle(request('URL/', path='/' * 20_000), None)",
        "ErrorCode_HttpRequestUriTooLong()",
    ),
    "many headers": (
        "outgoing_handler.handle(request('URL/', headers=[('a', 'b')] * 2_000), None)",
        "ErrorCode_HttpRequestHeaderSectionSize(value=12000)",
    ),
    "a body that is dropped": (
        """
made = request('SILENT/', types.Method_Post())
body = made.body()
future = outgoing_handler.handle(made, None)
body.__exit__(None, None, None)
response_of(future)
""",
        "ErrorCode_InternalError(value='the body was dropped before it was finished')",
    ),
}


def test_a_request_that_cannot_be_made_has_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once where it can be seen, else in place of the response."""
    monkeypatch.setattr(socket, "getaddrinfo", _resolver)
    tries = [
        f"try:\n{indent(program.strip(), '    ')}\nexcept Err as error: print(error.value)"
        for program, _ in REFUSED.values()
    ]
    with raw_server(never) as raw:
        program = "\n".join(tries).replace("SILENT", raw.url)
        found = lines(program, f"http://127.0.0.1:{_free_port()}", tmp_path, net=("*:*",))

    assert dict(zip(REFUSED, (code for _, code in REFUSED.values()), strict=True)) == dict(
        zip(REFUSED, found, strict=True)
    )


def _free_port() -> int:
    """On which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def _resolver(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
    """No test asks a real one."""
    if name == "server.test":
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    raise socket.gaierror(socket.EAI_NONAME if name == "unknown.test" else socket.EAI_AGAIN, name)


def test_a_name_stands_for_its_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are looked up for this request; it is the name that is granted."""
    monkeypatch.setattr(socket, "getaddrinfo", _resolver)
    with serving(many) as served:
        url = f"http://server.test:{served.port}"
        net = (f"server.test:{served.port}",)
        assert ["b'GET / '"] == lines("print(fetch('URL/')[2])", url, tmp_path, net=net)
        assert [f"server.test:{served.port}"] == [each.header("host") for each in served.asked]


HEADERS: Final = """
def tried(act):
    try: return act()
    except Err as error: return type(error.value).__name__
fields = types.Fields.from_list([('A', b'1'), ('b', b'2'), ('a', b'3')])
print(fields.get('a'), fields.has('B'), fields.get('c'))
fields.set('a', [b'4', b'5'])
fields.append('C', b'\\xff')
print(fields.entries())
fields.delete('A')
print(fields.entries(), fields.has('a'))
for name in 'host', 'Connection', 'transfer-encoding', 'a b', '':
    print(tried(lambda: fields.append(name, b'x')), tried(lambda: types.Fields.from_list([(name, b'')])))
print(tried(lambda: fields.set('a', [b'x', b'\\n'])), tried(lambda: fields.append('a', b'\\0')))
copy = fields.clone()
made = types.OutgoingRequest(fields)
view = made.headers()
print(tried(lambda: view.set('a', [])), tried(lambda: view.delete('b')), view.entries())
print(copy.append('d', b''), view.clone().append('d', b''))
for act in (
    lambda: made.set_method(types.Method_Other('a b')),
    lambda: made.set_path_with_query('/a b'),
    lambda: made.set_authority('user@host'),
    lambda: made.set_authority('host:99999'),
    lambda: made.set_scheme(types.Scheme_Other('1')),
): print(tried(act))
response = types.OutgoingResponse(types.Fields())
print(response.status_code(), tried(lambda: response.set_status_code(20)), response.set_status_code(404))
print(response.status_code(), tried(response.body) != 'NoneType', tried(response.body))
"""


def test_fields_keep_order_duplicates_and_letters(tmp_path: Path) -> None:
    """And refuse what HTTP, or the host, does not allow."""
    forbidden = ["HeaderError_Forbidden HeaderError_Forbidden"] * 3
    invalid = ["HeaderError_InvalidSyntax HeaderError_InvalidSyntax"]
    assert [
        "[b'1', b'3'] True []",
        "[('a', b'4'), ('a', b'5'), ('b', b'2'), ('C', b'\\xff')]",
        "[('b', b'2'), ('C', b'\\xff')] False",
        *forbidden,
        *invalid * 3,
        "HeaderError_Immutable HeaderError_Immutable [('b', b'2'), ('C', b'\\xff')]",
        "None None",
        *["NoneType"] * 5,
        "200 NoneType None",
        "404 True NoneType",
    ] == lines(HEADERS, "http://unused", tmp_path)


def test_tls_is_verified_by_the_host(tmp_path: Path) -> None:
    """Against the system's certificates, and those of a file that the embedder names."""
    with serving(many, server_tls()) as served:
        trusted = lines("print(fetch('URL/')[2])", served.url, tmp_path / "a", ca=CA_FILE)
        unknown = lines(CATCH, served.url, tmp_path / "b")
    with raw_server(answering(b"220 no TLS here\r\n"), reads=False) as raw:
        url = f"https://127.0.0.1:{raw.port}"
        plain = lines(CATCH, url, tmp_path / "c", ca=CA_FILE)

    missing = lines(CATCH, "https://127.0.0.1:1", tmp_path / "d", ca=tmp_path / "missing.pem")

    assert ["b'GET / '"] == trusted
    assert ["ErrorCode_ConfigurationError()"] == missing
    assert ["ErrorCode_TlsCertificateError()"] == unknown
    assert ["ErrorCode_TlsProtocolError()"] == plain


def test_a_sleep_does_not_give_up_what_is_under_way(tmp_path: Path) -> None:
    """Else a request that was answered would be sent again; afterwards the guest suspends."""
    program = """
response = send(request('URL/large/5'))
time.sleep(0.4)
print(read(response)[0])
time.sleep(0.4)
print(fetch('URL/')[2])
"""
    wasm = python_guest(ROOT / "tests/support/http_guest")
    config = replace(ONE_ATTEMPT, net=ANY, suspend_after_s=0.2, idle_after_s=0)
    with serving(many) as served:
        args = ["prog", program.replace("URL", served.url)]
        seen = ours(wasm, args, {}, tmp_path / "state", config)

        assert b"b'xxxxx'\nb'GET / '\n" == seen.stdout
        assert {1} == set(served.keys().values())
        assert 2 == len(served.asked)
    with open_host(tmp_path / "state", replace(config, threads_max=0)) as host:
        kinds = [entry.kind for entry in host.workers.get("command", "main").oplog()]

    assert 1 == kinds.count("suspend")


def test_bodies_of_any_size_take_little_memory(tmp_path: Path) -> None:
    """Both ways, of a guest that hands on piece by piece; on replay the record is read."""
    size = (1 << 30) if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 32 << 20
    program = f"""
made = request('URL/', types.Method_Put(), [('content-length', '{size}')])
body = made.body()
future = outgoing_handler.handle(made, None)
with body.write() as stream:
    left = {size}
    while left:
        with stream.subscribe() as room: room.block()
        count = min(stream.check_write(), left)
        # Not `write`: the bindings of a Python guest keep what they are given.
        stream.write_zeroes(count)
        left -= count
types.OutgoingBody.finish(body, None)
body = response_of(future).consume()
total = 0
with body.stream() as stream:
    try:
        while True: total += stream.blocking_skip(65536)
    except Err as error: print(type(error.value).__name__, total)
"""
    peak: list[int] = []
    with raw_server(lambda connection, _: _take_and_give(connection, size, peak)) as raw:
        found = lines(program, raw.url, tmp_path)

    assert [f"StreamError_Closed {size}"] == found
    # The first is of a guest that runs already.
    assert max(peak) - peak[0] < 16 << 20


def _take_and_give(connection: socket.socket, size: int, peak: list[int]) -> None:
    piece = bytearray(1 << 16)
    left = size
    while left:
        left -= connection.recv_into(piece)
        if left % (1 << 22) < len(piece):
            peak.append(resident_bytes())
    connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % size)
    for _ in range(size // len(piece)):
        connection.sendall(piece)
        peak.append(resident_bytes())


def test_what_outlives_its_invocation_is_not_sent_again(tmp_path: Path) -> None:
    """Its guest reads on as long as its instance lives, and learns of the loss after that."""
    program = """
if not hasattr(sys, 'kept'):
    response = send(request('URL/large/200000'))
    body = response.consume()
    sys.kept = response, body, body.stream()
try: print(len(sys.kept[2].blocking_read(10)))
except Err as error: print(types.http_error_code(error.value.value))
"""
    wasm = python_guest(ROOT / "tests/support/http_guest")
    config = replace(ONE_ATTEMPT, net=ANY, idle_after_s=PATIENCE_S)
    with serving(many) as served:
        with open_host(tmp_path, config) as host:
            component = host.components.deploy(wasm, name="http")
            args = ["prog", program.replace("URL", served.url)]
            worker = host.workers.create(component, "main", args=args)
            for key in ("first", "second"):
                worker.invoke(RUN, idempotency_key=key)
        with open_host(tmp_path, config) as host:
            worker = host.workers.get("http", "main")
            worker.invoke(RUN, idempotency_key="third")
            found = "".join(line.text for line in worker.output())

        assert "10\n10\nErrorCode_ConnectionTerminated()\n" == found
        assert 1 == len(served.asked)
