"""The Python guest of `tests/support/rpc_calls`, and how tests ask things of its workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from golem_host import Host, HostConfig, Worker
from golem_host.worker.retry import RetryPolicy
from tests.support.guests import python_guest
from tests.support.hosts import QUICK
from tests.support.repository import ROOT

COMPONENT: Final = "calls"
TIMEOUT_S: Final = 60.0
CONFIG: Final[HostConfig] = replace(
    QUICK,
    idle_after_s=0.05,
    suspend_after_s=0.5,
    retry_policy=RetryPolicy(max_attempts=0),
    control_socket=False,
)
"""Answers are soon waited for without an instance; what fails is not tried again."""

PRELUDE: Final = """
me = host.get_self_metadata().worker_id
def line(name):
    return types.WasmRpc(types.WorkerId(me.component_id, name))
def text(value):
    return types.WitValue([types.WitNode_PrimString(value)])
def number(value):
    return types.WitValue([types.WitNode_PrimU64(value)])
def plain(value):
    # What a function has returned, where that is one simple value.
    return value.nodes[1].value if len(value.nodes) > 1 else None
def tried(call, *args):
    try:
        return plain(call(*args))
    except Exception as error:
        return (type(error.value).__name__, error.value.value)
def at(after):
    now = wall.now()
    total = now.seconds * 10**9 + now.nanoseconds + after
    return wall.Datetime(*divmod(total, 10**9))
"""
"""What the code of a test finds: lines to other workers, values, and results in short."""


def rpc_guest() -> Path:
    return python_guest(ROOT / "tests/support/rpc_calls")


def run(worker: Worker, code: str, key: str | None = None) -> str:
    """The text of what the code has left in ``result``."""
    found = worker.invoke("run", PRELUDE + code, idempotency_key=key, timeout=TIMEOUT_S)
    assert isinstance(found, str)
    return found


def noted(host: Host, name: str) -> list[str]:
    """What others have told a worker."""
    found = host.workers.get(COMPONENT, name).invoke("noted", timeout=TIMEOUT_S)
    assert isinstance(found, list)
    return found
