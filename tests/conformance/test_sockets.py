"""
``wasi:sockets`` towards the outside: a Python program and loopback, and then its log alone.

Every run is replayed with its server gone: the guest gets the same answers, and nobody is asked.
"""

from __future__ import annotations

import resource
import socket
import sys
import threading
from pathlib import Path
from typing import Final, NamedTuple
from unittest.mock import patch

import pytest

from golem_host.net import lingering
from tests.support import loopback
from tests.support.loopback import HOST, Handle, free_port, serving
from tests.support.net_programs import live, net_guest, runs_alike
from tests.support.socket_states import BINDINGS
from tests.support.waiting import PATIENCE_S
from tests.support.wasi_hosts import Stock


class Client(NamedTuple):
    """A program with a server on port ``args[0]``, which it may connect to."""

    handle: Handle
    program: str
    printed: str


CLIENTS: Final = {
    "exchange": Client(
        loopback.echo,
        """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"hello")
print(s.recv(5), s.getpeername() == ("127.0.0.1", int(args[0])), s.getsockname()[0])
s.sendall(b"x" * 300_000)
left = 300_000
while left:
    left -= len(s.recv(65536))
s.shutdown(socket.SHUT_WR)
print(s.recv(5))
s.close()
""",
        "b'HELLO' True 127.0.0.1\nb''\n",
    ),
    "half close": Client(
        loopback.echo,
        """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"all of it")
s.shutdown(socket.SHUT_WR)
print(s.makefile("rb").read())
try:
    s.sendall(b"more")
except OSError as error:
    print(type(error).__name__)
s.close()
""",
        "b'ALL OF IT'\nBrokenPipeError\n",
    ),
    "reset": Client(
        loopback.reset,
        """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"x")
for _ in range(2):
    try:
        print(s.recv(5))
    except OSError as error:
        # What wasi-libc makes of every stream that failed.
        print(error.errno == errno.EIO)
s.close()
""",
        "True\nb''\n",
    ),
    "hang up": Client(
        loopback.hang_up,
        """
print(socket.create_connection(("127.0.0.1", int(args[0]))).recv(5))
""",
        "b''\n",
    ),
    "cut short": Client(
        loopback.cut_short,
        """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(len(s.makefile("rb").read()))
""",
        "45\n",
    ),
    "nonsense": Client(
        loopback.talk_nonsense,
        """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(s.makefile("rb").read() == bytes(range(256)) * 256)
""",
        "True\n",
    ),
    "a socket bound within the guest": Client(
        loopback.echo,
        """
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.connect(("127.0.0.1", int(args[0])))
s.sendall(b"out")
print(s.recv(5), s.getsockname()[0])
""",
        "b'OUT' 127.0.0.1\n",
    ),
    "an event loop": Client(
        loopback.echo,
        """
async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(args[0]))
    writer.write(b"hello")
    print(await asyncio.wait_for(reader.read(5), 20))
    writer.close()
    await writer.wait_closed()
asyncio.run(main())
""",
        "b'HELLO'\n",
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client(name: str, tmp_path: Path) -> None:
    """Whatever its server does, the guest is told as by an operating system."""
    client = CLIENTS[name]
    with serving(client.handle) as server:
        assert (0, client.printed) == runs_alike(
            client.program, (f"127.0.0.1:{server.port}",), tmp_path, server.port
        )
        assert 1 == server.accepted


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(CLIENTS.keys() - {"a socket bound within the guest"}))
def test_a_client_of_wasmtime(name: str, tmp_path: Path) -> None:
    """
    Told the same by WASI's own host, the last one of wasmtime-py that has a network.

    The programs close what was reset: otherwise Python asks for the address of the peer, to warn,
    and wasi-libc ends the program over what wasmtime answers.
    """
    client = CLIENTS[name]
    with serving(client.handle) as server, Stock(tmp_path, network=True) as stock:
        seen = stock.run(net_guest(), ["prog", client.program, str(server.port)], {})

    assert (0, client.printed) == (seen.exit_code, seen.stdout.decode())


def test_a_refused_connection(tmp_path: Path) -> None:
    """It is told as such, each time it is tried."""
    program = """
for _ in range(2):
    try:
        socket.create_connection(("127.0.0.1", int(args[0])))
    except OSError as error:
        print(type(error).__name__)
"""
    printed = "ConnectionRefusedError\n" * 2
    assert (0, printed) == runs_alike(program, ("*:*",), tmp_path, free_port())


def test_a_server(tmp_path: Path) -> None:
    """It accepts where it was allowed to listen, and nowhere else."""
    program = """
for port in (int(args[1]), int(args[0])):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("0.0.0.0", port))
    except OSError as error:
        print(type(error).__name__)
listener.listen(5)
for _ in range(2):
    connection, peer = listener.accept()
    print(peer[0], connection.getsockname()[1] == port)
    while data := connection.recv(100):
        connection.sendall(data[::-1])
    connection.close()
"""
    port, other = free_port(), free_port()
    heard: list[bytes] = []

    def talk() -> None:
        while len(heard) < 2:
            try:
                with socket.create_connection((HOST, port), timeout=20) as client:
                    client.sendall(b"stressed")
                    client.shutdown(socket.SHUT_WR)
                    heard.append(client.makefile("rb").read())
            except ConnectionRefusedError:
                # It does not listen yet.
                continue

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        seen = runs_alike(program, (f"listen:*:{port}",), tmp_path, port, other)
    finally:
        thread.join(20)

    assert (0, "PermissionError\n" + "127.0.0.1 True\n" * 2) == seen
    assert [b"desserts"] * 2 == heard


UDP: Final = {
    "sent to": """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
for data in (b"one", b"two"):
    s.sendto(data, ("127.0.0.1", int(args[0])))
    print(s.recvfrom(10) == (data.upper(), ("127.0.0.1", int(args[0]))))
""",
    "connected": """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.connect(("127.0.0.1", int(args[0])))
print(s.getsockname()[0] == "127.0.0.1")
s.send(b"one")
print(s.recv(10) == b"ONE")
""",
    "bound within the guest": """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.bind(("127.0.0.1", 5000))
s.sendto(b"one", ("127.0.0.1", int(args[0])))
print(s.recv(10) == b"ONE")
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.sendto(b"within", ("127.0.0.1", 5000))
print(s.recv(10) == b"within")
""",
}


@pytest.mark.parametrize("name", UDP)
def test_datagrams_go_out_and_come_back(name: str, tmp_path: Path) -> None:
    """Whatever the socket was bound to before."""
    with loopback.echoing_datagrams() as port:
        assert (0, "True\nTrue\n") == runs_alike(UDP[name], (f"127.0.0.1:{port}",), tmp_path, port)


def test_a_datagram_that_nobody_takes(tmp_path: Path) -> None:
    """A connected socket is told, when it reads; what it may not send to is refused."""
    program = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.connect(("127.0.0.1", int(args[0])))
s.send(b"one")
try:
    s.recv(10)
except OSError as error:
    print(type(error).__name__)
try:
    s.connect(("192.0.2.1", 9))
except OSError as error:
    print(type(error).__name__)
"""
    port = free_port()
    assert (0, "ConnectionRefusedError\nPermissionError\n") == runs_alike(
        program, (f"127.0.0.1:{port}",), tmp_path, port
    )


def test_a_reset_has_its_code_once(tmp_path: Path) -> None:
    """Then the stream is closed; the other one says so for itself."""
    program = f"""{BINDINGS}
s, reader, writer = connected()
writer.blocking_write_and_flush(b"x")
print(code(reader.blocking_read, 5), code(reader.blocking_read, 5))
print(code(writer.blocking_write_and_flush, b"x"), code(writer.blocking_write_and_flush, b"x"))
"""
    with serving(loopback.reset) as server:
        assert (0, "connection reset closed\nconnection reset closed\n") == runs_alike(
            program, ("127.0.0.1:*",), tmp_path, server.port
        )


def test_a_connection_is_spliced_into_another(tmp_path: Path) -> None:
    """As a recorded read and a recorded write, like zeroes and what is skipped (R35)."""
    program = f"""{BINDINGS}
s, reader, writer = connected()
other, other_reader, other_writer = connected()
writer.blocking_write_and_flush(b"spliced")
reader.subscribe().block()
print(other_writer.splice(reader, 3), other_writer.blocking_splice(reader, 100))
writer.blocking_write_and_flush(b"skipped")
print(reader.blocking_skip(4), reader.blocking_read(10))
other_writer.blocking_write_zeroes_and_flush(2)
other.shutdown(tcp.ShutdownType.SEND)
found = b""
while isinstance(piece := code(other_reader.blocking_read, 100), bytes):
    found += piece
print(found)
"""
    with serving(loopback.echo, at_once=2) as server:
        printed = "3 4\n4 b'PED'\nb'SPLICED\\x00\\x00'\n"
        assert (0, printed) == runs_alike(program, ("127.0.0.1:*",), tmp_path, server.port)


def test_what_is_dropped_is_not_made_again(tmp_path: Path) -> None:
    """Streams and pollables that outlive their socket are dead, and hold no descriptor."""
    program = f"""{BINDINGS}
kept = []
for _ in range(600):
    s = udp_create_socket.create_udp_socket(V4)
    s.start_bind(NET, ipv4("0.0.0.0", 0))
    s.finish_bind()
    reader, writer = s.stream(THERE)
    kept.append((reader, reader.subscribe(), writer))
    s.__exit__(None, None, None)
print({{(code(reader.receive, 1), pollable.ready(), code(writer.check_send))
    for reader, pollable, writer in kept}})
kept.clear()
for _ in range(600):
    s = tcp_create_socket.create_tcp_socket(V4)
    s.start_connect(NET, THERE)
    pollable = s.subscribe()
    kept.append(pollable)
    s.__exit__(None, None, None)
print({{pollable.ready() for pollable in kept}})
"""
    with serving(loopback.hang_up) as server:
        assert (0, "{('invalid-state', True, 'invalid-state')}\n{True}\n") == runs_alike(
            program, ("127.0.0.1:*",), tmp_path, server.port
        )
        assert 0 == server.accepted


def test_options_are_what_was_set(tmp_path: Path) -> None:
    """Within bounds, also on what is accepted; and never those of one operating system."""
    program = f"""{BINDINGS}
S = 1_000_000_000
def options(s):
    return [s.keep_alive_enabled(), s.keep_alive_idle_time() / S, s.keep_alive_interval() / S,
        s.keep_alive_count(), s.hop_limit(), s.receive_buffer_size(), s.send_buffer_size()]

def change(s, by):
    s.set_keep_alive_enabled(True)
    s.set_keep_alive_idle_time(by * S - 1)
    s.set_keep_alive_interval(by * S)
    s.set_keep_alive_count(by)
    s.set_hop_limit(by % 256)
    s.set_receive_buffer_size(by)
    s.set_send_buffer_size(by)

s = tcp_socket()
print(options(s))
change(s, 7)
print(options(s))
change(s, 1 << 30)
print(options(s))
s, *_ = connected()
change(s, 9000)
print(options(s))
listener = tcp_socket(lambda s: change(s, 8000), lambda s: s.start_bind(NET, ipv4("127.0.0.1", 0)),
    lambda s: s.finish_bind(), lambda s: s.start_listen(), lambda s: s.finish_listen())
caller = tcp_socket(lambda s: s.start_connect(NET, listener.local_address()))
print(options(listener.accept()[0]))
u = udp_create_socket.create_udp_socket(V4)
u.set_unicast_hop_limit(3)
u.set_send_buffer_size(1 << 40)
u.set_receive_buffer_size(1)
print(u.unicast_hop_limit(), u.send_buffer_size(), u.receive_buffer_size())
""".replace("by % 256", "by % 256 or 255")
    printed = """\
[False, 7200.0, 75.0, 9, 64, 65536, 65536]
[True, 7.0, 7.0, 7, 7, 2304, 2304]
[True, 32767.0, 32767.0, 127, 255, 4194304, 4194304]
[True, 9000.0, 9000.0, 127, 40, 9000, 9000]
[True, 8000.0, 8000.0, 127, 64, 8000, 8000]
3 4194304 2304
"""
    with serving(loopback.swallow) as server:
        assert (0, printed) == runs_alike(program, ("127.0.0.1:*",), tmp_path, server.port)


def test_what_was_written_is_sent_though_the_host_closes(tmp_path: Path) -> None:
    """As by an operating system: the program has closed its connection and ended well."""
    program = """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.setblocking(False)
total = 0
try:
    while True:
        total += s.send(bytes(65536))
except BlockingIOError:
    print(total)
"""
    closing = threading.Event()
    received: list[int] = []
    wait = lingering.wait

    def read_late(connection: socket.socket) -> None:
        closing.wait(PATIENCE_S)
        received.append(sum(len(data) for data in iter(lambda: connection.recv(65_536), b"")))

    def waiting() -> None:
        closing.set()
        wait()

    with serving(read_late) as server, patch.object(lingering, "wait", waiting):
        seen = live(program, ("127.0.0.1:*",), tmp_path, server.port)
        assert "golem-net-send" not in [each.name for each in threading.enumerate()]

    assert (0, f"{received[0]}\n".encode()) == (seen.exit_code, seen.stdout)


RESOLVER: Final[dict[str, list[str] | OSError]] = {
    "here.example": ["127.0.0.1", "::1", "127.0.0.1"],
    "later.example": socket.gaierror(socket.EAI_AGAIN, "later"),
    "gone.example": socket.gaierror(socket.EAI_NONAME, "gone"),
    "broken.example": socket.gaierror(socket.EAI_FAIL, "broken"),
}


def resolve(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
    """What the operating system would say."""
    found = RESOLVER[name]
    if isinstance(found, OSError):
        raise found
    return [(0, 0, 0, "", (address, 0)) for address in found]


def test_names_are_looked_up_where_they_are_granted(tmp_path: Path) -> None:
    """Failures by their kind; a name's addresses may be connected to at its port, others not."""
    program = f"""{BINDINGS}
def look(name):
    found = code(ip_name_lookup.resolve_addresses, NET, name)
    if isinstance(found, str):
        return found
    found.subscribe().block()
    names = []
    while (address := code(found.resolve_next_address)) is not None:
        if isinstance(address, str):
            return address
        names.append(".".join(map(str, address.value)))
    return names

for name in ("here.example", "HERE.EXAMPLE.", "later.example", "gone.example", "broken.example",
    "other.test", "localhost", "192.0.2.7", "::1", "a b", "a." * 200 + "example"):
    print(look(name))
print(socket.gethostbyname("here.example"))
s = socket.create_connection(("here.example", int(args[0])))
s.sendall(b"x")
print(s.recv(1))
for host, port in (("127.0.0.2", int(args[0])), ("127.0.0.1", int(args[0]) + 1)):
    try:
        socket.create_connection((host, port))
    except OSError as error:
        print(type(error).__name__)
"""
    printed = """\
['127.0.0.1', '0.0.0.0.0.0.0.1']
['127.0.0.1', '0.0.0.0.0.0.0.1']
temporary-resolver-failure
name-unresolvable
permanent-resolver-failure
access-denied
['127.0.0.1', '0.0.0.0.0.0.0.1']
['192.0.2.7']
['0.0.0.0.0.0.0.1']
invalid-argument
name-unresolvable
127.0.0.1
b'X'
PermissionError
PermissionError
"""
    with (
        serving(loopback.echo) as server,
        patch.object(socket, "getaddrinfo", lambda n, *_, **__: resolve(n.lower().rstrip("."))),
    ):
        net = (f"*.example:{server.port}",)
        assert (0, printed) == runs_alike(program, net, tmp_path, server.port)


def open_sockets() -> int:
    """Those of this process, where it can be asked."""
    if sys.platform != "linux":
        return 0
    return sum(
        each.is_symlink() and str(each.readlink()).startswith("socket:")
        for each in Path("/proc/self/fd").iterdir()
    )


def test_a_loop_that_opens_sockets_is_told_when_it_is_enough(tmp_path: Path) -> None:
    """At our own bounds, a hundred thousand times; no descriptor stays behind."""
    program = f"""{BINDINGS}
kept, found = [], collections.Counter()
for _ in range(100_000):
    s = code(tcp_create_socket.create_tcp_socket, V4)
    found[s if isinstance(s, str) else "ok"] += 1
    if not isinstance(s, str):
        kept.append(s)
print(dict(found))
found.clear()
for s in kept:
    given = code(s.start_connect, NET, THERE)
    found[given or "ok"] += 1
    if given is None:
        code(s.finish_connect)
print(dict(found))
kept.clear()
print(len([socket.socket() for _ in range(100)]))
"""
    before = open_sockets()
    with serving(loopback.hang_up) as server:
        seen = live(program, ("127.0.0.1:*",), tmp_path, server.port)
    after = open_sockets()

    printed = """\
{'ok': 1024, 'new-socket-limit': 98976}
{'ok': 256, 'new-socket-limit': 768}
100
"""
    assert (0, printed) == (seen.exit_code, seen.stdout.decode())
    assert before == after


def test_the_host_keeps_descriptors_for_itself(tmp_path: Path) -> None:
    """Below the bound of one guest, when the process has few: guests are refused, logs are not."""
    program = f"""{BINDINGS}
kept = []
for _ in range(200):
    s = tcp_socket()
    kept.append(s)
    found = code(s.start_bind, NET, ipv4("127.0.0.1", 0))
    if found:
        print(found, len(kept) < 96)
        break
"""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
    try:
        seen = live(program, ("listen:127.0.0.1:*",), tmp_path, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert (0, b"new-socket-limit True\n", b"") == seen
