"""
Scripts of calls between workers for `tests.crash.test_rpc_kills`, and a process that dies in one.

A script that is played a second time, on what a kill has left, asks for everything once more under
the same keys.  ``python -m tests.support.rpc_kills STATE_DIR SCRIPT NUMBER`` kills itself with
SIGKILL when the entry of that number is about to be appended, counted over all logs; a script that
ends before is an error.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from golem_host import Call, Host
from golem_oplog.entries import ExportedFunctionCompleted, ExportedFunctionInvoked
from tests.support.guests import example
from tests.support.host_api_scripts import config
from tests.support.hosts import open_host
from tests.support.moments import dying_before
from tests.support.rpc_guest import COMPONENT, PRELUDE, rpc_guest
from tests.support.waiting import PATIENCE_S, until

EVERYTHING: Final = """
bob, new = line("bob"), types.WasmRpc.ephemeral(me.component_id)
said = [plain(bob.invoke_and_await("note", [text("awaited")]))]
bob.invoke("note", [text("handed over")])
future = bob.async_invoke_and_await("note", [text("future")])
bob.schedule_invocation(at(-1), "note", [text("scheduled")])
token = bob.schedule_cancelable_invocation(at(3600 * 10**9), "note", [text("canceled")])
token.cancel()
future.subscribe().block()
said.append(plain(future.get().value))
said.append(plain(new.invoke_and_await("note", [text("new")])))
said.append(tried(bob.invoke_and_await, "nothing", [])[0])
result = said
"""
EACH_OTHER: Final = """
said = []
for number in range(4):
    found = tried(line(OTHER).invoke_and_await, "note", [text(f"{ME} {number}")])
    said.append(found if isinstance(found, int) else found[0])
    line(OTHER).invoke("note", [text(f"{ME} {number} again")])
result = said
"""


def set_up(state_dir: Path) -> None:
    """Everybody is there and has said something; bob is made by his first call."""
    with open_host(state_dir, config()) as host:
        component = host.components.deploy(rpc_guest(), name=COMPONENT)
        for name in ("account", "bank"):
            host.components.deploy(example(f"bank/{name}"), name=name)
        for name in ("alice", "carol", "dave"):
            host.workers.create(component, name).invoke("run", "result = 1", idempotency_key="0")
        accounts = host.components.get("account")
        host.workers.create(accounts, "rich").invoke("deposit", 90_000, idempotency_key="0")
        host.workers.create(accounts, "full").invoke("deposit", 99_999, idempotency_key="0")


def _enqueue(host: Host, name: str, code: str) -> Call:
    worker = host.workers.get(COMPONENT, name)
    return worker.enqueue("run", PRELUDE + code, idempotency_key="k")


def _noted(host: Host, name: str) -> list[str]:
    worker = host.workers.get(COMPONENT, name)
    found = worker.invoke("noted", idempotency_key="noted", timeout=PATIENCE_S)
    assert isinstance(found, list)
    return found


def everything(host: Host) -> list[Any]:
    said = _enqueue(host, "alice", EVERYTHING).result(PATIENCE_S)
    return [said, _noted(host, "bob"), len(list(host.workers.list(COMPONENT)))]


def each_other(host: Host) -> list[Any]:
    """Who is refused in a circle depends on who comes first; what is done is done once."""
    pairs = (("carol", "dave"), ("dave", "carol"))
    calls = [
        _enqueue(host, me, f"ME, OTHER = {me!r}, {other!r}\n{EACH_OTHER}") for me, other in pairs
    ]
    said = [str(call.result(PATIENCE_S)) for call in calls]
    until(lambda: not host.workers._shared.unfinished.all())
    for (me, other), answers in zip(pairs, said, strict=True):
        # After a kill its caller learns of a refused call only that it is gone.
        refused = answers.count("RpcError_Denied") + answers.count("RpcError_RemoteInternalError")
        heard = Counter(_noted(host, other))
        assert {1} == set(heard.values()), heard
        assert {f"{me} {number} again" for number in range(4)} <= set(heard)
        assert 8 - refused == len(heard), (answers, heard)
    return []


def transfer(host: Host) -> list[Any]:
    """One is made, one is refused by its target and compensated."""
    component = host.components.get("bank")
    bank = host.workers.get_or_create(component, "main")
    done = [
        bank.invoke("transfer", *args, idempotency_key=f"t{number}", timeout=PATIENCE_S)
        for number, args in enumerate((("rich", "new", 100), ("rich", "full", 7)))
    ]
    balances = {
        name: host.workers.get("account", name).invoke(
            "balance", idempotency_key="b", timeout=PATIENCE_S
        )
        for name in ("rich", "new", "full")
    }
    return [*done, balances, bank.invoke("transfers", idempotency_key="all", timeout=PATIENCE_S)]


Script: TypeAlias = Callable[[Host], list[Any]]
SCRIPTS: Final[dict[str, Script]] = {
    each.__name__: each for each in (everything, each_other, transfer)
}


def play(host: Host, script: Script) -> list[Any]:
    """What a script says when everything has come to rest; no key has run twice."""
    said = script(host)
    until(lambda: not host.workers._shared.unfinished.all())
    for worker in host.workers.list():
        oplog = worker._access.runner().parts.oplog
        begun = [
            e.idempotency_key for _, e in oplog.read() if isinstance(e, ExportedFunctionInvoked)
        ]
        ended = sum(isinstance(e, ExportedFunctionCompleted) for _, e in oplog.read())
        assert len(begun) == len(set(begun)) == ended, (worker.name, begun, ended)
        assert "idle" == worker.metadata().status, worker.explain()
    return said


if __name__ == "__main__":
    with open_host(Path(sys.argv[1]), config()) as opened, dying_before(int(sys.argv[3])):
        play(opened, SCRIPTS[sys.argv[2]])
