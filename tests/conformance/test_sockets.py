"""
``wasi:sockets`` towards the outside: a Python program and loopback, and then its log alone.

Every run is replayed with its server gone: the guest gets the same answers, and nobody is asked.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support import loopback
from tests.support.loopback import HOST, Handle, free_port, serving
from tests.support.net_programs import runs_alike


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


BINDINGS: Final = """
def number(address):
    return network.Ipv4SocketAddress(address[1], tuple(map(int, address[0].split("."))))

def ipv4(address):
    return network.IpSocketAddress_Ipv4(number(address))

def code(call, *arguments):
    # Dashes as in WIT, of whatever `error-code` was given; what came of it otherwise.
    try:
        return call(*arguments)
    except Err as error:
        if hasattr(error.value, "name"):
            return error.value.name.lower().replace("_", "-")
        failed = getattr(error.value, "value", None)
        return "closed" if failed is None else failed.to_debug_string()

V4, V6 = network.IpAddressFamily.IPV4, network.IpAddressFamily.IPV6
NET = instance_network.instance_network()
THERE = ipv4(("127.0.0.1", int(args[0])))

def connected():
    s = tcp_create_socket.create_tcp_socket(V4)
    s.start_connect(NET, THERE)
    s.subscribe().block()
    return s, *s.finish_connect()
"""
"""The bindings of ``wasi:sockets`` used directly: what a program in C would call."""


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


def test_what_is_dropped_is_not_made_again(tmp_path: Path) -> None:
    """Streams and pollables that outlive their socket are dead, and hold no descriptor."""
    program = f"""{BINDINGS}
kept = []
for _ in range(600):
    s = udp_create_socket.create_udp_socket(V4)
    s.start_bind(NET, ipv4(("0.0.0.0", 0)))
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
