"""Sockets over the end of a host: what is made again, what is lost, and what was granted when."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from golem_host import Host, Worker
from golem_oplog.values import Ok
from tests.support import loopback
from tests.support.hosts import open_host
from tests.support.loopback import HOST, free_port, serving
from tests.support.net_programs import net_guest, replay_agrees
from tests.support.waiting import PATIENCE_S, until
from tests.support.wasi_hosts import ONE_ATTEMPT, RUN, Seen


@contextmanager
def hosting(state_dir: Path, net: tuple[str, ...]) -> Iterator[Host]:
    with open_host(state_dir, replace(ONE_ATTEMPT, net=net)) as host:
        yield host


def begin(host: Host, program: str, *args: object) -> Worker:
    component = host.components.deploy(net_guest(), name="command")
    given = ["prog", program, *map(str, args)]
    worker = host.workers.create(component, "main", args=given)
    worker.enqueue(RUN, idempotency_key="run")
    return worker


def written(worker: Worker) -> str:
    return "".join(line.text for line in worker.output())


def finish(
    state_dir: Path, net: tuple[str, ...], act: Callable[[Worker], object] = lambda _: None
) -> str:
    """All that a worker has written when the next host is done with it; a replay agrees."""
    with hosting(state_dir, net) as host:
        worker = host.workers.get("command", "main")
        act(worker)
        call = worker.call("run")
        assert call is not None
        assert Ok(None) == call.result(PATIENCE_S)
        printed = written(worker)
    replay_agrees(state_dir, Seen(0, printed.encode(), b""))
    return printed


def test_a_connection_that_is_gone_fails_once(tmp_path: Path) -> None:
    """As a reset; it is over from then on, and nobody connects again by himself."""
    program = """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"x")
print(s.recv(1), flush=True)
for act in (lambda: s.recv(1), lambda: s.recv(1), lambda: s.send(b"y"), lambda: s.send(b"y")):
    try:
        print(act())
    except OSError as error:
        print(errno.errorcode[error.errno])
print(s.getpeername() == ("127.0.0.1", int(args[0])))
"""
    with serving(loopback.echo) as server:
        net = (f"127.0.0.1:{server.port}",)
        with hosting(tmp_path, net) as host:
            worker = begin(host, program, server.port)
            until(lambda: written(worker))
        printed = finish(tmp_path, net)

        assert "b'X'\nEIO\nb''\nEIO\nESHUTDOWN\nTrue\n" == printed
        assert 1 == server.accepted


def connect(port: int) -> bytes:
    """What a server says, as soon as it listens."""
    while True:
        try:
            with socket.create_connection((HOST, port), timeout=PATIENCE_S) as client:
                return client.makefile("rb").read()
        except ConnectionRefusedError:
            continue


def test_a_listener_goes_on_where_it_listened(tmp_path: Path) -> None:
    """On the same port, in the next host; who was served before is not served again."""
    program = """
listener = socket.create_server(("127.0.0.1", int(args[0])))
for number in range(2):
    connection, _ = listener.accept()
    connection.sendall(b"%d" % number)
    connection.close()
    print("served", number, flush=True)
"""
    port = free_port()
    net = (f"listen:127.0.0.1:{port}",)
    heard: list[bytes] = []
    with hosting(tmp_path, net) as host:
        worker = begin(host, program, port)
        heard.append(connect(port))
        until(lambda: written(worker))

    def serve_again(worker: Worker) -> None:
        worker.resume()
        heard.append(connect(port))

    printed = finish(tmp_path, net, serve_again)

    assert [b"0", b"1"] == heard
    assert "served 0\nserved 1\n" == printed


ASKS_TWICE: Final = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("127.0.0.1", int(args[0])))
for _ in range(2):
    print(s.recv(10), flush=True)
s.sendto(b"y", ("127.0.0.1", int(args[1])))
"""


def test_what_is_granted_may_change_between_two_hosts(tmp_path: Path) -> None:
    """While a datagram is waited for, too: a replay finds both in the order in which they were."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for each in (one, other):
            each.bind((HOST, 0))
            each.settimeout(PATIENCE_S)
        ports = [each.getsockname()[1] for each in (one, other)]
        with hosting(tmp_path, (f"127.0.0.1:{ports[0]}",)) as host:
            worker = begin(host, ASKS_TWICE, *ports)
            _, guest = one.recvfrom(1)
            # Not from somebody it may not send to.
            other.sendto(b"other", guest)
            one.sendto(b"first", guest)
            until(lambda: written(worker))

        def send_until_heard(worker: Worker) -> None:
            until(lambda: other.sendto(b"second", guest) and "second" in written(worker))

        printed = finish(tmp_path, ("127.0.0.1:*",), send_until_heard)

        assert "b'first'\nb'second'\n" == printed
        assert b"y" == other.recv(1)
