"""``--net``: who runs a guest says what it may do on the network, also through an owner."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.test_cli_owner import ready
from tests.support import loopback
from tests.support.cli import Cli
from tests.support.loopback import serving
from tests.support.net_programs import net_guest

ASK = """
try:
    s = socket.create_connection(("127.0.0.1", int(args[0])))
    s.sendall(b"x")
    print(s.recv(1))
except OSError as error:
    print(type(error).__name__)
"""
WAIT_AND_ASK = "print('waiting', flush=True)\ntime.sleep(float(args[1]))\n" + ASK


@pytest.fixture
def net_cli(tmp_path: Path) -> Cli:
    (tmp_path / "net.wasm").write_bytes(net_guest().read_bytes())
    return Cli(tmp_path)


def test_a_guest_has_no_network_unless_it_is_given(net_cli: Cli) -> None:
    """One line says what would allow it, once however often it is tried; giving that does."""
    with serving(loopback.echo) as server:
        port = str(server.port)
        refused = net_cli.run("net.wasm", "--", "x", ASK * 2, port)
        wanted = f"127.0.0.1:{port}"
        allowed = net_cli.run("net.wasm", "--net", wanted, "--", "x", ASK, port)

    assert (0, "PermissionError\n" * 2) == (refused.code, refused.out)
    hint = f"the guest may not connect or send to {wanted}; --net '{wanted}' would allow it"
    assert 1 == refused.err.count(hint)
    assert (0, "b'X'\n") == (allowed.code, allowed.out)
    assert "--net" not in allowed.err


@pytest.mark.parametrize(
    ("program", "pattern"),
    [
        ("socket.getaddrinfo('example.org', 80)", "example.org:*"),
        ("socket.socket().bind(('0.0.0.0', 8080))", "listen:*:8080"),
        ("socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))", "[2001:db8::1]:80"),
        (
            "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))",
            "192.0.2.1:9",
        ),
    ],
)
def test_what_is_refused_names_what_would_allow_it(
    net_cli: Cli, program: str, pattern: str
) -> None:
    """A name, a port to listen at, an address of IPv6, a datagram's."""
    refused = net_cli.run("net.wasm", "--no-retry", "--", "x", program)

    assert 134 == refused.code
    assert "PermissionError" in refused.err or "gaierror" in refused.err
    assert 1 == refused.err.count(f"; --net '{pattern}' would allow it\n")


@pytest.mark.parametrize("command", [("net.wasm",), ("serve", "--port", "0")])
def test_a_bad_pattern_is_a_usage_error(net_cli: Cli, command: tuple[str, ...]) -> None:
    """One line, with forms that are valid; nothing is run or stored."""
    done = net_cli.run(*command, "--net", "example.org")

    assert 2 == done.code
    assert "'example.org': is not HOST:PORT" in done.error
    assert "valid are example.org:443, *.example.org:443" in done.error
    assert not net_cli.state.exists()


def test_run_gives_its_grants_to_the_owner(net_cli: Cli) -> None:
    """For this worker and no other; the owner's own hold for all."""
    with (
        serving(loopback.echo) as server,
        serving(loopback.echo) as other,
        net_cli.start(
            "serve", "--port", "0", "--json", "--net", f"127.0.0.1:{other.port}"
        ) as owner,
    ):
        web = ready(owner)
        net = ("--net", f"127.0.0.1:{server.port}")
        granted = net_cli.run("net.wasm", *net, "--", "x", ASK, str(server.port))
        second = ("net.wasm", "--worker", "second")
        refused = net_cli.run(*second, "--", "x", ASK, str(server.port))
        by_owner = net_cli.run(*second, "--", "x", ASK, str(other.port))
        path = "/v1/components/net/workers/second/net"
        forbidden = web.put(path, {"net": ["*:*"]})
        owner.finish(signal.SIGTERM)

    assert "b'X'\n" == granted.out
    assert "PermissionError\n" == refused.out
    assert f"--net '127.0.0.1:{server.port}' would allow it" in refused.err
    assert "b'X'\n" == by_owner.out
    # Whoever can only reach the listener gives no powers.
    assert 400 == forbidden.status
    assert "control socket only" in forbidden.document["error"]["message"]


def test_a_run_that_outlives_its_owner_keeps_its_grants(net_cli: Cli) -> None:
    """It goes on with the worker itself, and lends it the same."""
    with serving(loopback.echo) as server:
        args = ("--", "x", WAIT_AND_ASK, str(server.port), "1.0")
        with net_cli.start("serve", "--port", "0", "--json") as owner:
            ready(owner)
            with net_cli.start("net.wasm", "--net", f"127.0.0.1:{server.port}", *args) as client:
                client.wait_for(b"waiting\n")
                owner.finish(signal.SIGKILL)
                done = client.finish()

    assert (0, "waiting\nb'X'\n") == (done.code, done.out), done


def test_a_worker_that_runs_is_rebuilt_with_what_it_is_given(net_cli: Cli) -> None:
    """A second `run` of the same command adds the power that the first forgot."""
    with serving(loopback.echo) as server:
        args = ("--", "x", WAIT_AND_ASK, str(server.port), "3.0")
        with net_cli.start("net.wasm", *args) as first:
            first.wait_for(b"waiting\n")
            second = net_cli.run("net.wasm", "--net", f"127.0.0.1:{server.port}", *args)
            done = first.finish()

    assert (0, 0) == (done.code, second.code)
    # The second shows it as well, unless the owner was gone before it could ask for the rest.
    assert "waiting\nb'X'\n" == done.out
    assert second.out in {"", "b'X'\n", "waiting\nb'X'\n"}
