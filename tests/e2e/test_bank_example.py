"""The bank example under `kill -9`; what its README shows is in `test_documents.py`."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from random import Random
from typing import Final

import pytest

from tests.support.cli import Cli
from tests.support.repository import ROOT

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
KILLS: Final = 40 if IS_FULL else 4
CENTS: Final = 10_000


@pytest.fixture
def bank(cli: Cli) -> Cli:
    """The example, where its README says."""
    shutil.copytree(ROOT / "guest_examples/bank", cli.folder / "guest_examples/bank")
    return cli


def test_the_bank_knows_the_account_as_it_is() -> None:
    """Its copy of the WIT is one."""
    bank = ROOT / "guest_examples/bank"
    copied, original = (bank / "bank/wit/deps/account/account.wit", bank / "account/wit/world.wit")

    assert original.read_text() == copied.read_text()


@pytest.mark.long
def test_a_killed_transfer_is_made_once(bank: Cli) -> None:
    """Whenever the process dies, the same call again ends as if nothing had been."""
    for name in ("account", "bank"):
        bank.ok("component", "deploy", f"guest_examples/bank/{name}")
    bank.ok("worker", "invoke", "account/alice", f"deposit({CENTS})")
    transfer = ("worker", "invoke", "bank/main", 'transfer("alice", "bob", 100)')
    random, killed = Random(SEED), 0
    for number in range(KILLS):
        command = (*transfer, "-i", f"t{number}")
        with bank.start(*command) as running:
            # Not to wait for anything: whatever the process does then is what it is killed in.
            threading.Event().wait(random.uniform(0.15, 0.6))
            killed += running.finish(signal.SIGKILL).code == -signal.SIGKILL
        assert f"ok({CENTS - 100 * (number + 1)})\n" == bank.ok(*command)

    assert killed > 0
    assert f"{CENTS - 100 * KILLS}\n" == bank.ok("worker", "invoke", "account/alice", "balance()")
    assert f"{100 * KILLS}\n" == bank.ok("worker", "invoke", "account/bob", "balance()")
    assert KILLS == bank.ok("worker", "invoke", "bank/main", "transfers()").count("target")
