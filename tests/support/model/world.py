"""
The world around all workers: it performs their effects and notes what must not have happened.

It outlives every host.  What a host does that has been killed without noticing is not its concern.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_LOCAL,
    READ_REMOTE,
    WRITE_LOCAL,
    WRITE_REMOTE,
    WRITE_REMOTE_BATCHED,
    function,
    interface,
)
from golem_host.dispatch import Handler
from golem_host.failures import WorldError
from golem_oplog.entries import Revert
from golem_oplog.types import Prim
from tests.support.model.views import LogView
from tests.support.scripted_guest import Params, handlers, imported

INTERFACE: Final = "test:model/world"
KINDS: Final = ("read-local", "write-local", "read-remote", "write-remote", "write-remote-batched")
_PARAMS: Final[Params] = (("token", Prim.STRING), ("seen", Prim.U32), ("failures", Prim.U32))
FLAKY: Final = "flaky"


@dataclass(frozen=True)
class Effect:
    """One performance."""

    worker: str
    token: str
    kind: str
    seen: int
    """A checksum of what the worker knew."""
    answer: int


def _no_view(_worker: str) -> LogView:
    raise AssertionError("no host is there")


@interface(INTERFACE)
class World:
    """Every answer is another number, so that it names its performance."""

    def __init__(self) -> None:
        self.performed: list[Effect] = []
        self.faults: list[str] = []
        """What must not have happened, in words."""
        self.view: Callable[[str], LogView] = _no_view
        """The log of a worker."""
        self.is_dead = False
        """Whether whoever acts has been killed: nobody hears of it."""
        self.is_replaying = False
        """Whether nothing is to be performed."""
        self._failed: Counter[Hashable] = Counter()
        self._seen: set[Hashable] = set()
        self._woken: dict[str, int] = {}

    def woken(self, worker: str) -> None:
        """Somebody asks for the worker in person: it need not stay interrupted."""
        self.woken_at(worker, len(self.view(worker).entries()))

    def woken_at(self, worker: str, index: int) -> None:
        self._woken[worker] = index

    def is_first(self, what: Hashable) -> bool:
        if what in self._seen:
            return False
        self._seen.add(what)
        return True

    def fails(self, what: Hashable, times: int) -> bool:
        """Whether this is one of the first times."""
        self._failed[what] += 1
        return self._failed[what] <= times

    def performances(self, worker: str, token: str) -> list[Effect]:
        return [e for e in self.performed if e.worker == worker and e.token == token]

    def _perform(
        self, context: InstanceContext, kind: str, token: str, seen: int, failures: int
    ) -> int:
        worker = context.services.identity.worker_name
        answer = len(self.performed) + 1
        if self.is_dead:
            return 0
        effect = Effect(worker, token, kind, seen, answer)
        if self.is_replaying:
            self.faults.append(f"{effect} in a replay")
            return 0
        self._judge(effect, is_idempotent=context.idempotent)
        self.performed.append(effect)
        if self.fails((worker, token), failures):
            raise WorldError(FLAKY)
        return answer

    def _judge(self, effect: Effect, *, is_idempotent: bool) -> None:
        view, token = self.view(effect.worker), effect.token
        may_repeat = any(mark in token for mark in "rtz")
        before = self.performances(effect.worker, token)
        if "z" not in token and token in view.answered():
            self.faults.append(f"{effect} has an answer in the log")
        interrupted_at = view.interrupted_at()
        if interrupted_at > self._woken.get(effect.worker, 0):
            self.faults.append(f"{effect} while interrupted at {interrupted_at}")
        if may_repeat or view.of(Revert):
            return
        if before and not is_idempotent:
            self.faults.append(f"{effect} repeats {before[-1]} with idempotence off")
        if effect.kind.startswith("write-remote") and before and before[-1].seen != effect.seen:
            self.faults.append(f"{effect} forgot what it knew as {before[-1]}")

    @function(READ_LOCAL, record="model::read_local")
    def read_local(self, context: InstanceContext, token: str, seen: int, failures: int) -> int:
        return self._perform(context, "read-local", token, seen, failures)

    @function(WRITE_LOCAL, record="model::write_local")
    def write_local(self, context: InstanceContext, token: str, seen: int, failures: int) -> int:
        return self._perform(context, "write-local", token, seen, failures)

    @function(READ_REMOTE, record="model::read_remote")
    def read_remote(self, context: InstanceContext, token: str, seen: int, failures: int) -> int:
        return self._perform(context, "read-remote", token, seen, failures)

    @function(WRITE_REMOTE, record="model::write_remote")
    def write_remote(self, context: InstanceContext, token: str, seen: int, failures: int) -> int:
        return self._perform(context, "write-remote", token, seen, failures)

    @function(WRITE_REMOTE_BATCHED, record="model::write_remote_batched")
    def write_remote_batched(
        self, context: InstanceContext, token: str, seen: int, failures: int
    ) -> int:
        return self._perform(context, "write-remote-batched", token, seen, failures)

    def handlers(self) -> dict[str, Handler]:
        return handlers([self], [imported(INTERFACE, kind, _PARAMS, Prim.U64) for kind in KINDS])
