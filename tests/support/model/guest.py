"""
What the workers run: a script per invocation, and a memory that replay has to rebuild.

A script is a list of steps, each a list of a name and what belongs to it.  A step that gives an
answer has a *token*, made of the invocation's key and of the step's place, which names what it does
in the world.  The guest remembers every token with its answer, over all invocations, and returns
all it remembers: what a worker knows is compared with what really happened.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from golem_host.dispatch import Dispatcher, Handler
from golem_host.engine import ExportedFunction, Trap, TrapKind
from golem_host.interfaces.offered import registry
from golem_host.worker.session import LOAD, SAVE
from golem_oplog.entries import PersistenceLevel
from golem_oplog.types import ListType, Prim, ResultType
from golem_oplog.values import Variant, from_wire, to_wire
from tests.support.host_api import (
    INTERFACE,
    SEED,
    promise_value,
    signatures,
    worker_value,
)
from tests.support.model.world import FLAKY, World
from tests.support.scripted_guest import Body, HostCalls, ScriptedGuest, exported, imported

Step: TypeAlias = list[Any]
Script: TypeAlias = list[Step]
Memory: TypeAlias = list[list[Any]]

RUN: Final = exported("test:model/api", "run", (("script", Prim.STRING),), Prim.STRING)
_BYTES: Final = ListType(Prim.U8)
_SAVE: Final = exported(*SAVE, (), _BYTES)
_LOAD: Final = exported(*LOAD, (("state", _BYTES),), ResultType(None, Prim.STRING))


@cache
def _api() -> dict[str, tuple[Handler, list[Any], Any]]:
    """The functions of ``golem:api/host`` with what converts their parameters and result."""
    dispatcher = Dispatcher(registry())
    found: dict[str, tuple[Handler, list[Any], Any]] = {}
    for name in _USED:
        params, result = signatures(SEED)[name]
        handler = dispatcher.resolve(imported(INTERFACE, name, params, result))
        assert handler is not None
        lower = None if result is None else from_wire(result)
        found[name] = handler, [to_wire(ty) for _, ty in params], lower
    return found


_USED: Final = (
    "create-promise",
    "await-promise",
    "complete-promise",
    "get-oplog-index",
    "set-oplog-index",
    "oplog-commit",
    "mark-begin-operation",
    "mark-end-operation",
    "set-retry-policy",
    "set-oplog-persistence-level",
    "set-idempotence-mode",
    "generate-idempotency-key",
    "fork",
    "get-self-metadata",
    "revert-worker",
    "update-worker",
)


class Guests:
    """One guest for each version of the component."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._memories: WeakKeyDictionary[HostCalls, Memory] = WeakKeyDictionary()
        bodies: dict[ExportedFunction, Body] = {
            RUN: self._run,
            _SAVE: self._save,
            _LOAD: self._load,
        }
        handlers = world.handlers()
        self.versions = [
            ScriptedGuest(bodies, handlers, start=start)
            for start in (self._start, self._start, self._give_up)
        ]
        for name, (handler, _, _) in _api().items():
            handlers[name] = handler

    def memory(self, version: int) -> Memory:
        """Of the instance that was made last."""
        return self._memories[self.versions[version].instances[-1]._host]

    def _start(self, host: HostCalls) -> None:
        self._memories[host] = []

    def _give_up(self, _host: HostCalls) -> None:
        raise Trap(TrapKind.UNREACHABLE, "this version does not work")

    def _save(self, host: HostCalls) -> bytes:
        return json.dumps(self._memories[host]).encode()

    def _load(self, host: HostCalls, state: bytes) -> Any:
        self._memories[host] = json.loads(state)
        return (False, None)

    def _run(self, host: HostCalls, script: str) -> str:
        memory = self._memories[host]
        _Invocation(host, memory, self._world).steps(f"{host._context.key}/", json.loads(script))
        return json.dumps(memory)


class _Invocation:
    def __init__(self, host: HostCalls, memory: Memory, world: World) -> None:
        self._host = host
        self._context = host._context
        self._memory = memory
        self._world = world
        self._me = host._context.services.identity.worker_name

    def steps(self, place: str, script: Script) -> None:
        for number, (name, *given) in enumerate(script):
            act: Callable[..., None] = getattr(self, f"_{name}")
            act(f"{place}{number}", *given)

    def _call(self, name: str, *args: Any) -> Any:
        _, lifts, lower = _api()[name]
        wire = self._host(name, *[lift(arg) for lift, arg in zip(lifts, args, strict=True)])
        return None if lower is None else lower(wire)

    def _remember(self, token: str, answer: Any) -> None:
        self._memory.append([token, answer])

    # -- steps --------------------------------------------------------------------------------

    def _do(self, token: str, kind: str, failures: int = 0) -> None:
        """An effect, the first performances of which fail."""
        seen = zlib.crc32(json.dumps(self._memory).encode())
        self._remember(token, self._host(kind, token, seen, failures))

    def _once(self, token: str) -> None:
        self._call("set-idempotence-mode", False)
        self._do(token, "write-remote")
        self._call("set-idempotence-mode", True)

    def _region(self, token: str, body: Script) -> None:
        begin = self._call("mark-begin-operation")
        self.steps(f"{token}r", body)
        self._call("mark-end-operation", begin)

    def _zone(self, token: str, body: Script) -> None:
        """What is done there is not remembered: it is not there when the guest is replayed."""
        if not self._context.replay.live:
            return
        self._call("set-oplog-persistence-level", Variant("persist-nothing"))
        known = list(self._memory)
        self.steps(f"{token}z", body)
        self._memory[:] = known
        self._call("set-oplog-persistence-level", Variant(PersistenceLevel.SMART.label))

    def _travel(self, token: str, body: Script) -> None:
        """The first time, it goes back once."""
        index = self._call("get-oplog-index")
        self.steps(f"{token}t", body)
        if self._context.replay.live and self._world.is_first((self._me, token)):
            self._call("set-oplog-index", index)

    def _trap(self, token: str, failures: int) -> None:
        if self._context.replay.live and self._world.fails((self._me, token), failures):
            raise Trap(TrapKind.UNREACHABLE, FLAKY)

    def _policy(self, _token: str, max_attempts: int) -> None:
        policy = {
            "max-attempts": max_attempts,
            "min-delay": 1_000,
            "max-delay": 50_000,
            "multiplier": 2.0,
            "max-jitter-factor": None,
        }
        self._call("set-retry-policy", policy)

    def _commit(self, _token: str) -> None:
        self._call("oplog-commit", 1)

    def _key(self, token: str) -> None:
        self._remember(token, self._call("generate-idempotency-key"))

    def _make(self, token: str) -> None:
        promise = self._call("create-promise")
        self._remember(token, [promise["worker-id"]["worker-name"], promise["oplog-idx"]])

    def _wait(self, token: str) -> None:
        promise = self._call("create-promise")
        text = self._call("await-promise", promise).decode()
        owner = promise["worker-id"]["worker-name"]
        self._remember(token, [owner, promise["oplog-idx"], text])

    def _complete(self, token: str, worker: str, index: int) -> None:
        done = self._call("complete-promise", promise_value(index, worker), token.encode())
        self._remember(token, [worker, index, done])

    def _fork(self, token: str) -> None:
        self._do(f"{token}n", "read-local")
        self._remember(token, self._call("fork", f"f{self._memory[-1][1]}"))

    def _revert(self, token: str, worker: str) -> None:
        # In one direction only: two that take back each other do so for ever.  By the name that the
        # log has: a fork has another one than it had when it did what it now replays.
        if worker < self._call("get-self-metadata")["worker-id"]["worker-name"]:
            self._world.woken(worker)
            target = Variant("revert-last-invocations", 1)
            self._call("revert-worker", worker_value(worker), target)
        self._remember(token, None)

    def _update(self, token: str, worker: str, version: int, mode: str) -> None:
        self._world.woken(worker)
        self._call("update-worker", worker_value(worker), version, mode)
        self._remember(token, None)


def tokens(script: Script, place: str) -> Iterator[str]:
    """What an invocation with this script has to remember, in this order."""
    for number, (name, *given) in enumerate(script):
        token = f"{place}{number}"
        if name in {"region", "travel"}:
            yield from tokens(given[0], f"{token}{name[0]}")
        elif name == "fork":
            yield from (f"{token}n", token)
        elif name not in {"zone", "trap", "policy", "commit"}:
            yield token
