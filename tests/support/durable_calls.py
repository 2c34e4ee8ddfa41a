"""
An interface with one host function of each durable function type, and the calls around them.

Every call that is performed is written down, so that a test can tell it from one that was answered.
The markers (regions, no-ops, retry policies, persistence levels) act as those of ``golem:api/host``
are specified to.

Source: spec 2.2, 2.4 to 2.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_LOCAL,
    READ_REMOTE,
    UNRECORDED,
    WRITE_LOCAL,
    WRITE_REMOTE,
    WRITE_REMOTE_BATCHED,
    Observed,
    function,
    interface,
)
from golem_host.dispatch import Handler
from golem_host.failures import WorldError
from golem_host.replay import Perform
from golem_oplog.entries import (
    BeginAtomicRegion,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    EndAtomicRegion,
    Entry,
    Jump,
    LogLevel,
    NoOp,
    PersistenceLevel,
)
from golem_oplog.types import Prim
from tests.support.scripted_guest import Params, handlers, imported

INTERFACE: Final = "test:durable/calls"
SITE: Final[Params] = (("site", Prim.U64),)

KINDS: Final = ("read-local", "write-local", "read-remote", "write-remote", "write-remote-batched")
"""Import names of the recorded functions, in the order of `FunctionKind`."""


def _at_once(_context: InstanceContext) -> None:
    """Nothing happens while the call is performed."""


@interface(INTERFACE)
class DurableCalls:
    """Each recorded call answers ``10 * site`` plus what ``drift`` says, unless it is to fail."""

    def __init__(self) -> None:
        self.performed: list[tuple[str, int]] = []
        self.at_most_once: set[int] = set()
        """Sites that were performed with idempotence off."""
        self.failures: list[str] = []
        """Messages of `WorldError`s that the next calls raise instead of answering."""
        self.before_answer: Callable[[InstanceContext], None] = _at_once
        self.drift = 0

    def _perform(self, context: InstanceContext, name: str, site: int) -> int:
        self.performed.append((name, site))
        if not context.idempotent:
            self.at_most_once.add(site)
        self.before_answer(context)
        if self.failures:
            raise WorldError(self.failures.pop(0))
        return 10 * site + self.drift

    @function(READ_LOCAL, record="test::read_local")
    def read_local(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "read-local", site)

    @function(WRITE_LOCAL, record="test::write_local")
    def write_local(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "write-local", site)

    @function(READ_REMOTE, record="test::read_remote")
    def read_remote(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "read-remote", site)

    @function(WRITE_REMOTE, record="test::write_remote")
    def write_remote(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "write-remote", site)

    @function(WRITE_REMOTE_BATCHED, record="test::write_remote_batched")
    def write_remote_batched(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "write-remote-batched", site)

    @function(READ_LOCAL, record="test::nothing")
    def nothing(self, context: InstanceContext) -> None:
        self._perform(context, "nothing", 0)

    @function(
        READ_REMOTE,
        record="test::observed",
        observed=Observed((("half", Prim.U64),), lambda site: (site // 2,)),
    )
    def observed(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "observed", site)

    @function(UNRECORDED)
    def pure(self, context: InstanceContext, site: int) -> int:
        return self._perform(context, "pure", site)

    # -- markers ----------------------------------------------------------------------------

    @function(UNRECORDED)
    def say(self, context: InstanceContext, text: str) -> None:
        context.emit(LogLevel.STDOUT, text.encode())

    @function(UNRECORDED)
    def assume_idempotence(self, context: InstanceContext, is_on: bool) -> None:
        context.idempotent = is_on

    @function(UNRECORDED)
    def oplog_index(self, context: InstanceContext) -> int:
        return _marked(context, context.replay.no_op(), NoOp(context.clock_ns()))

    @function(UNRECORDED)
    def begin_region(self, context: InstanceContext) -> int:
        return _marked(
            context, context.replay.begin_atomic_region(), BeginAtomicRegion(context.clock_ns())
        )

    @function(UNRECORDED)
    def end_region(self, context: InstanceContext, begin: int) -> None:
        entry = EndAtomicRegion(context.clock_ns(), begin)
        _marked(context, context.replay.end_atomic_region(begin), entry)
        context.oplog.commit()

    @function(UNRECORDED)
    def set_max_attempts(self, context: InstanceContext, attempts: int) -> None:
        entry = ChangeRetryPolicy(context.clock_ns(), attempts, 1, 2, 1.0, None)
        _marked(context, context.replay.change_retry_policy(), entry)

    @function(UNRECORDED)
    def set_level(self, context: InstanceContext, level: int) -> None:
        changed = PersistenceLevel(level)
        entry = ChangePersistenceLevel(context.clock_ns(), level)
        _marked(context, context.replay.change_persistence_level(changed), entry)


def _marked(context: InstanceContext, outcome: int | Perform, entry: Entry) -> int:
    """The index of a marker: the recorded one, or that of one appended now."""
    if not isinstance(outcome, Perform):
        return outcome
    if outcome.jump is not None:
        context.append(Jump(context.clock_ns(), outcome.jump.start, outcome.jump.end))
        context.oplog.commit()
        return outcome.jump.start - 1
    return context.append(entry)


IMPORTS: Final = (
    *(imported(INTERFACE, name, SITE, Prim.U64) for name in (*KINDS, "observed", "pure")),
    imported(INTERFACE, "nothing", (), None),
    imported(INTERFACE, "say", (("text", Prim.STRING),), None),
    imported(INTERFACE, "assume-idempotence", (("on", Prim.BOOL),), None),
    imported(INTERFACE, "oplog-index", (), Prim.U64),
    imported(INTERFACE, "begin-region", (), Prim.U64),
    imported(INTERFACE, "end-region", (("begin", Prim.U64),), None),
    imported(INTERFACE, "set-max-attempts", (("attempts", Prim.U32),), None),
    imported(INTERFACE, "set-level", (("level", Prim.U8),), None),
)


def handlers_of(calls: DurableCalls) -> dict[str, Handler]:
    return handlers([calls], IMPORTS)
