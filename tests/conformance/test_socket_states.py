"""
Every operation on a socket in every state: the code that wasi-libc and WASI's own host know.

The tables hold our answers.  In full, the same programs run under the last wasmtime-py whose WASI
lets guests have a network; where we differ from it by design is held here as well.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket
from typing import Final

import pytest

from tests.support import loopback
from tests.support.loopback import HOST, free_port, serving
from tests.support.net_programs import net_guest, runs_alike
from tests.support.socket_states import TCP_TABLE, UDP_TABLE
from tests.support.wasi_hosts import Stock

NET: Final = ("127.0.0.1:*", "listen:127.0.0.1:*")

SHORT: Final = {
    "arg": "invalid-argument",
    "conc": "concurrency-conflict",
    "nip": "not-in-progress",
    "state": "invalid-state",
    "wait": "would-block",
}
# unbound, binding, bound, to-listen, listening, connecting, connected, refused
TCP: Final = """
start-bind ok state state state state state state state
start-bind-multicast arg arg arg arg arg arg arg arg
finish-bind nip ok nip nip nip nip nip nip
start-connect ok state ok state state conc state state
start-connect-port-0 arg state arg state state conc state state
start-listen state state ok state state state state state
finish-listen nip nip nip ok nip nip nip nip
accept state state state state wait state state state
local-address state state ok state ok ok ok ok
remote-address state state state state state state ok state
is-listening no no no no yes no no no
backlog-0 arg arg arg arg arg arg arg arg
backlog-5 ok state ok state ok state state state
keep-alive ok ok ok ok ok ok ok ok
keep-alive-idle-0 arg arg arg arg arg arg arg arg
hop-limit-0 arg arg arg arg arg arg arg arg
hop-limit-5 ok ok ok ok ok ok ok ok
buffer-0 arg arg arg arg arg arg arg arg
shutdown state state state state state state ok state
finish-connect nip nip nip nip nip ok nip nip
"""
# unbound, binding, bound, streaming, connected
UDP: Final = """
start-bind ok state state state state
finish-bind nip ok nip nip nip
local-address state state ok ok ok
remote-address state state state state ok
hop-limit ok ok ok ok ok
hop-limit-0 arg arg arg arg arg
hop-limit-5 ok ok ok ok ok
buffer-0 arg arg arg arg arg
stream state state
stream-port-0 arg
stream-ipv6 arg
send 1 1 arg 0
send-large datagram-too-large
receive-0 []
send-nowhere arg arg
check-send True
"""
KINDER: Final = frozenset(
    ("local-address", "keep-alive", "keep-alive-idle-0", "hop-limit-0", "hop-limit-5", "buffer-0")
)
"""
What we answer while a socket connects and after that has failed, and wasmtime does not:
wasi-libc asks, and ends the program over ``invalid-state``.
"""


def spelled(table: str) -> list[str]:
    lines = [line.split() for line in table.split("\n") if line]
    return [" ".join([name, *(SHORT.get(x, x) for x in codes)]) for name, *codes in lines]


@contextmanager
def servers() -> Iterator[dict[str, int]]:
    with serving(loopback.swallow) as stream, loopback.echoing_datagrams() as datagrams:
        yield {TCP: stream.port, UDP: datagrams}


@pytest.mark.parametrize(("program", "table"), [(TCP_TABLE, TCP), (UDP_TABLE, UDP)])
def test_each_state_has_its_answers(program: str, table: str, tmp_path: Path) -> None:
    """Live and on replay."""
    with servers() as ports:
        code, printed = runs_alike(program, NET, tmp_path, ports[table], free_port())

    assert (0, spelled(table)) == (code, printed.splitlines())


@pytest.mark.long
@pytest.mark.parametrize(("program", "table"), [(TCP_TABLE, TCP), (UDP_TABLE, UDP)])
def test_each_state_has_the_answers_of_wasmtime(program: str, table: str, tmp_path: Path) -> None:
    """But for what would end programs in C."""
    with servers() as ports, Stock(tmp_path, network=True) as stock:
        args = ["prog", program, str(ports[table]), str(free_port())]
        seen = stock.run(net_guest(), args, {})

    assert (0, b"") == (seen.exit_code, seen.stderr)
    theirs = [line.split(" ") for line in seen.stdout.decode().splitlines()]
    expected = [line.split(" ") for line in spelled(table)]
    for line in expected if table == TCP else []:
        if line[0] in KINDER:
            line[6] = line[8] = "invalid-state"
    assert expected == theirs


STATES: Final = {
    "unbound": "s = socket.socket()",
    "bound": "s = socket.socket(); s.bind(('127.0.0.1', 0))",
    "listening": "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()",
    "connecting": "s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.1', full))",
    "connected": "s = socket.socket(); s.connect(('127.0.0.1', port))",
    "shut": "s = socket.socket(); s.connect(('127.0.0.1', port)); s.shutdown(socket.SHUT_RDWR)",
    "refused": "s = socket.socket(); s.connect_ex(('127.0.0.1', free))",
    "denied": "s = socket.socket(); s.connect_ex(('192.0.2.1', 1))",
}
# In the order of `STATES`, as wasi-libc words what our codes mean.
WORDED: Final = {
    "s.getsockname()": "EINVAL ok ok ok ok ok ok EINVAL",
    "s.getpeername()": "ENOTCONN ENOTCONN ENOTCONN ENOTCONN ok ok ENOTCONN ENOTCONN",
    "s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)": "ok ok ok ok ok ok ok ok",
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)": "ok ok ok ok ok ok ok ok",
    "s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)": "ok ok ok ok ok ok ok ok",
    "s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)": "ok ok ok ok ok ok ok ok",
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)": "ok ok ok ok ok ok ok ok",
    "s.getsockopt(socket.IPPROTO_IP, socket.IP_TTL)": "ok ok ok ok ok ok ok ok",
    "s.bind(('127.0.0.1', 0))": "ok EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL ok",
    "s.listen()": "EACCES ok ok EINVAL EINVAL EINVAL EINVAL EACCES",
    "s.accept()": "EINVAL EINVAL EAGAIN EINVAL EINVAL EINVAL EINVAL EINVAL",
    "s.connect(('127.0.0.1', port))": "ok ok ENOTSUP EALREADY EISCONN EISCONN ENOTSUP ok",
    "s.connect(('192.0.2.1', 1))": "EACCES EACCES ENOTSUP EALREADY EISCONN EISCONN ENOTSUP EACCES",
    "s.send(b'x')": "ENOTCONN ENOTCONN ENOTCONN ENOTCONN ok ESHUTDOWN ENOTCONN ENOTCONN",
    "s.recv(1)": "ENOTCONN ENOTCONN ENOTCONN ENOTCONN EAGAIN ok ENOTCONN ENOTCONN",
    "s.shutdown(socket.SHUT_WR)": "ENOTCONN ENOTCONN ENOTCONN ENOTCONN ok ok ENOTCONN ENOTCONN",
    "select.select([s], [s], [], 0)": "ENOTSUP ENOTSUP ok ok ok ok ok ENOTSUP",
    "repr(s)": "ok ok ok ok ok ok ok ok",
    "s.close()": "ok ok ok ok ok ok ok ok",
}
TRIES: Final = f"""
port, free, full = map(int, args)
for operation in {[*WORDED]!r}:
    found = []
    for state in {[*STATES.values()]!r}:
        exec(state)
        s.setblocking(False)
        try:
            eval(operation)
        except OSError as error:
            found.append(errno.errorcode[error.errno])
        else:
            found.append("ok")
        s.close()
    print(*found)
"""


@contextmanager
def never_accepting() -> Iterator[int]:
    """A port whose connections are neither made nor refused: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(3):
            filler = stack.enter_context(socket())
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        yield port


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
def test_no_state_ends_a_program(tmp_path: Path) -> None:
    """wasi-libc aborts over codes that it does not expect: there is none."""
    with serving(loopback.swallow) as server, never_accepting() as full:
        code, printed = runs_alike(
            TRIES, ("127.0.0.1:*",), tmp_path, server.port, free_port(), full
        )

    assert (0, [*WORDED.values()]) == (code, printed.splitlines())
