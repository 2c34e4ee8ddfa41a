"""Handles to resources of a Python guest: made by a real toolchain, with a memory of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem_host import Err, Host, InvalidRequestError, Ok, ResourceRef
from golem_host.worker.worker import Worker
from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.repository import ROOT

ACCOUNT = "test:bank/accounts.account"


def account(number: int) -> ResourceRef:
    return ResourceRef(ACCOUNT, number)


def bank(host: Host) -> Worker:
    if not host.components.all():
        host.components.deploy(python_guest(ROOT / "tests/support/resource_guest"), name="bank")
    return host.workers.get_or_create(host.components.get("bank"), "main")


@pytest.mark.long
def test_accounts_live_as_long_as_their_handles(tmp_path: Path) -> None:
    """Through a restart, a revert and a fork: objects of the guest behind numbers of the host."""
    with open_host(tmp_path) as host:
        worker = bank(host)
        ann = worker.invoke("account.new", "ann")
        bob = worker.invoke("open", "bob")
        worker.invoke("account.deposit", ann, 30)
        refused = worker.invoke("account.withdraw", bob["account"], 1)
        mark = worker.metadata().oplog_index

    assert (account(1), {"number": 1, "account": account(2)}) == (ann, bob)
    assert Err("bob has only 0") == refused
    with open_host(tmp_path) as host:
        worker = bank(host)
        left = worker.invoke("account.withdraw", ann, 10)
        joined = worker.invoke("account.join", ann, bob["account"])
        statement = worker.invoke("account.statement", joined)
        fork = worker.fork("fork", at=mark)
        worker.revert(to_index=mark)
        with pytest.raises(InvalidRequestError) as gone:
            worker.invoke("account.statement", joined)
        total = worker.invoke("total", [ann, bob["account"]])
        worker.invoke("account.drop", ann)
        in_fork = fork.invoke("account.deposit", ann, 1)

        assert (Ok(20), account(3)) == (left, joined)
        assert {"owner": "ann and bob", "balance": 20} == statement
        assert "taken back" in str(gone.value)
        assert (30, 31) == (total, in_fork)
        assert (account(2),) == worker.metadata().resources
        assert account(4) == worker.invoke("account.new", "cid")
        assert "ann has 30\n" == "".join(line.text for line in worker.output())
