"""``--interface``: objects of the caller's own Python, lent on the command line."""

from __future__ import annotations

import re
import signal

import pytest

from tests.support.cli import Cli
from tests.support.lending_guest import paying_guest

MODULE = """
from golem_host import READ_REMOTE, WRITE_REMOTE, Ok, constructor, function, interface, resource

@interface("acme:pay/api")
class Payments:
    @function(WRITE_REMOTE)
    def charge(self, account: str, cents: int):
        print(f"charging {cents}", flush=True)
        return Ok(2 * cents)

@resource("acme:pay/api", "till")
class Tills:
    @constructor()
    def open(self, shop: str):
        return shop

    @function(READ_REMOTE)
    def ring(self, shop, cents: int) -> int:
        return cents

def both():
    return Payments(), Tills()
"""

BUY = ("run", "shop.wasm", "--quiet", "--invoke", "buy(2, true)")
LENT = ("--interface", "payments:both")


@pytest.fixture
def shop(cli: Cli) -> Cli:
    """A component, and a module that lends what it imports."""
    (cli.folder / "shop.wasm").write_bytes(paying_guest())
    (cli.folder / "payments.py").write_text(MODULE, encoding="utf-8")
    return cli


def test_a_mistake_is_one_line_and_changes_nothing(shop: Cli) -> None:
    """With code 2, before anything is deployed."""
    done = shop.run(*BUY, "--interface", "payments:Paymints")

    assert (2, True) == (done.code, "has no Paymints; did you mean Payments?" in done.error)
    assert not shop.state.exists()

    done = shop.run(*BUY, *LENT, *LENT)
    assert (4, True) == (done.code, "is declared twice: by Payments.charge" in done.error)


def test_a_worker_runs_where_its_imports_are_lent(shop: Cli) -> None:
    """Elsewhere the refusal says how to lend them, and the worker is left as it is."""
    done = shop.run(*BUY)
    assert (4, True) == (done.code, "`--interface MODULE:CLASS`" in done.error)

    assert "charging 1\ncharging 2\n6\n" == shop.ok(*BUY, *LENT)
    call = ("worker", "invoke", "shop", "buy(1, true)", "-i", "k")
    done = shop.run(*call)
    assert (4, True) == (done.code, "this host does not offer" in done.error)
    assert "charging 1\n2\n" == shop.ok(*call, *LENT)
    # The same key: what it gave before.
    assert "2\n" == shop.ok(*call, *LENT)

    shown = shop.ok("component", "get", "shop")
    assert re.search(r"acme:pay/api@1.0.0.\{charge\}: func\(.*  // lent\n", shown)
    assert 1 == shown.count("// re-executed")


def test_nothing_is_lent_through_an_owner(shop: Cli) -> None:
    """It has to be the owner that lends; then everybody's calls use it."""
    with shop.start("serve", "--port", "0", "--json") as owner:
        owner.wait_for(b"url")
        done = shop.run(*BUY, *LENT)
        assert 2 == done.code
        assert "start that one with --interface payments:both (`golem-host serve`" in done.error
        owner.finish(signal.SIGTERM)
    with shop.start("serve", "--port", "0", "--json", *LENT) as owner:
        owner.wait_for(b"url")
        assert "6\n" == shop.ok(*BUY)
        owner.finish(signal.SIGTERM)


def test_who_only_accepts_a_call_lends_nothing(shop: Cli) -> None:
    """It is made by another process."""
    done = shop.run("worker", "invoke", "shop", "buy(1, true)", "--enqueue", *LENT)

    assert (2, True) == (done.code, "`worker resume` or `serve`" in done.error)
