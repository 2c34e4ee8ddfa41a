"""
``golem:api/host`` as a guest sees it, without an engine: one instance of a worker at a time.

`Guest` calls functions by name, in public form, through the dispatcher.  `Neighbours` stands for
the rest of the host and outlives the instances, as the real one does.

Types are written down here and not taken from the host: they are what components import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from golem_host.context import InstanceContext
from golem_host.dispatch import Dispatcher
from golem_host.engine import ImportedFunction
from golem_host.errors import ComponentNotFoundError, WorkerExistsError, WorkerNotFoundError
from golem_host.interfaces.offered import registry
from golem_host.interfaces.signatures import signatures as written
from golem_host.services.peers import WorkerRef
from golem_host.services.promises import Promises
from golem_host.storage.database import Database
from golem_host.worker.metadata import WorkerMetadata
from golem_oplog.entries import Entry, ExportedFunctionInvoked
from golem_oplog.memory import MemoryOplog
from golem_oplog.protocol import ReadableOplog
from golem_oplog.sequel import Sequel
from golem_oplog.types import (
    EnumType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    TupleType,
    VariantType,
    WitType,
)
from golem_oplog.values import from_wire, to_wire
from tests.support.contexts import CREATE, context_on
from tests.support.scripted_calls import ScriptedCalls
from tests.support.scripted_guest import Params, exported, imported
from tests.support.world import EPOCH_NS, FrozenClock

INTERFACE: Final = "golem:api/host"
KEY: Final = "order-42"

U64_MAX: Final = (1 << 64) - 1

UUID: Final = RecordType((("high-bits", Prim.U64), ("low-bits", Prim.U64)))
COMPONENT_ID: Final = RecordType((("uuid", UUID),))
BYTES: Final = ListType(Prim.U8)
STATUS: Final = EnumType(
    ("running", "idle", "suspended", "interrupted", "retrying", "failed", "exited")
)
MODE: Final = EnumType(("automatic", "snapshot-based"))
FORK_RESULT: Final = EnumType(("original", "forked"))
LEVEL: Final = VariantType(
    (("persist-nothing", None), ("persist-remote-side-effects", None), ("smart", None))
)
POLICY: Final = RecordType(
    (
        ("max-attempts", Prim.U32),
        ("min-delay", Prim.U64),
        ("max-delay", Prim.U64),
        ("multiplier", Prim.F64),
        ("max-jitter-factor", OptionType(Prim.F64)),
    )
)
NUMERIC: Final = EnumType(("equal", "not-equal", "greater-equal", "greater", "less-equal", "less"))
PAIRS: Final = ListType(TupleType((Prim.STRING, Prim.STRING)))


@dataclass(frozen=True)
class Dialect:
    """How one dialect names what all have."""

    thing: str = "worker"
    name_field: str = "worker-name"
    config_field: str | None = "wasi-config-vars"
    comparators: tuple[str, ...] = ("equal", "not-equal", "like", "not-like")

    @property
    def worker_id(self) -> RecordType:
        return RecordType((("component-id", COMPONENT_ID), (self.name_field, Prim.STRING)))

    @property
    def promise_id(self) -> RecordType:
        return RecordType(((f"{self.thing}-id", self.worker_id), ("oplog-idx", Prim.U64)))

    @property
    def metadata(self) -> RecordType:
        config = ((self.config_field, PAIRS),) if self.config_field else ()
        return RecordType(
            (
                (f"{self.thing}-id", self.worker_id),
                ("args", ListType(Prim.STRING)),
                ("env", PAIRS),
                *config,
                ("status", STATUS),
                ("component-version", Prim.U64),
                ("retry-count", Prim.U64),
            )
        )

    @property
    def revert_target(self) -> VariantType:
        return VariantType(
            (("revert-to-oplog-index", Prim.U64), ("revert-last-invocations", Prim.U64))
        )

    @property
    def filter(self) -> RecordType:
        textual = EnumType(self.comparators)
        text = RecordType((("comparator", textual), ("value", Prim.STRING)))
        number = RecordType((("comparator", NUMERIC), ("value", Prim.U64)))
        state = RecordType((("comparator", NUMERIC), ("value", STATUS)))
        variable = RecordType(
            (("name", Prim.STRING), ("comparator", textual), ("value", Prim.STRING))
        )
        config = (("wasi-config-vars", variable),) if self.config_field else ()
        case = VariantType(
            (
                ("name", text),
                ("status", state),
                ("version", number),
                ("created-at", number),
                ("env", variable),
                *config,
            )
        )
        every = RecordType((("filters", ListType(case)),))
        return RecordType((("filters", ListType(every)),))


SEED: Final = Dialect()
OLD: Final = Dialect(config_field=None)
"""1.1.6, and the 1.1.7 of one summer."""
AGENTS: Final = Dialect(
    "agent", "agent-id", "config-vars", ("equal", "not-equal", "like", "not-like", "starts-with")
)

Signature: TypeAlias = tuple[Params, WitType | None]


def signatures(d: Dialect) -> dict[str, Signature]:
    """Import name -> parameters and result, for every function of a dialect."""
    one_worker = ((f"{d.thing}-id", d.worker_id),)
    search = f"get-{d.thing}s"
    handle = HandleType(f"{INTERFACE}.{search}", owned=False)
    owned = HandleType(f"{INTERFACE}.{search}", owned=True)
    by_name = (("component-reference", Prim.STRING), (f"{d.thing}-name", Prim.STRING))
    promise = (("promise-id", d.promise_id),)
    return {
        f"[constructor]{search}": (
            (
                ("component-id", COMPONENT_ID),
                ("filter", OptionType(d.filter)),
                ("precise", Prim.BOOL),
            ),
            owned,
        ),
        f"[method]{search}.get-next": ((("self", handle),), OptionType(ListType(d.metadata))),
        "create-promise": ((), d.promise_id),
        "complete-promise": ((*promise, ("data", BYTES)), Prim.BOOL),
        **(_agent_promises(promise) if d is AGENTS else _worker_promises(promise)),
        "get-oplog-index": ((), Prim.U64),
        "set-oplog-index": ((("oplog-idx", Prim.U64),), None),
        "oplog-commit": ((("replicas", Prim.U8),), None),
        "mark-begin-operation": ((), Prim.U64),
        "mark-end-operation": ((("begin", Prim.U64),), None),
        "get-retry-policy": ((), POLICY),
        "set-retry-policy": ((("new-retry-policy", POLICY),), None),
        "get-oplog-persistence-level": ((), LEVEL),
        "set-oplog-persistence-level": ((("new-persistence-level", LEVEL),), None),
        "get-idempotence-mode": ((), Prim.BOOL),
        "set-idempotence-mode": ((("idempotent", Prim.BOOL),), None),
        "generate-idempotency-key": ((), UUID),
        f"update-{d.thing}": ((*one_worker, ("target-version", Prim.U64), ("mode", MODE)), None),
        "get-self-metadata": ((), d.metadata),
        f"get-{d.thing}-metadata": (one_worker, OptionType(d.metadata)),
        f"fork-{d.thing}": (
            (("source", d.worker_id), ("target", d.worker_id), ("oplog-idx-cut-off", Prim.U64)),
            None,
        ),
        f"revert-{d.thing}": ((*one_worker, ("revert-target", d.revert_target)), None),
        "resolve-component-id": (by_name[:1], OptionType(COMPONENT_ID)),
        f"resolve-{d.thing}-id": (by_name, OptionType(d.worker_id)),
        f"resolve-{d.thing}-id-strict": (by_name, OptionType(d.worker_id)),
        "fork": ((("new-name", Prim.STRING),), FORK_RESULT),
    }


def _worker_promises(promise: Params) -> dict[str, Signature]:
    return {
        "await-promise": (promise, BYTES),
        "poll-promise": (promise, OptionType(BYTES)),
        "delete-promise": (promise, None),
    }


def _agent_promises(promise: Params) -> dict[str, Signature]:
    handle = HandleType(f"{INTERFACE}.get-promise-result", owned=False)
    pollable = HandleType("wasi:io/poll.pollable", owned=True)
    return {
        "get-promise": (promise, HandleType(f"{INTERFACE}.get-promise-result", owned=True)),
        "[method]get-promise-result.subscribe": ((("self", handle),), pollable),
        "[method]get-promise-result.get": ((("self", handle),), OptionType(BYTES)),
    }


POLL: Final = imported(
    "wasi:io/poll",
    "poll",
    (("in", ListType(HandleType("wasi:io/poll.pollable", owned=False))),),
    ListType(Prim.U32),
)


def _logs() -> Iterator[ImportedFunction]:
    """All of ``golem:api/oplog``."""
    for name in ("get-oplog", "search-oplog"):
        for function in (f"[constructor]{name}", f"[method]{name}.get-next"):
            (signature,) = written().of("golem:api/oplog", function)
            yield ImportedFunction("golem:api/oplog", function, signature.type)


@cache
def _linked(dialect: Dialect) -> dict[str, tuple[ImportedFunction, Callable[..., Any]]]:
    dispatcher = Dispatcher(registry())
    imports = [imported(INTERFACE, n, p, r) for n, (p, r) in signatures(dialect).items()]
    found = {each.name: (each, dispatcher.resolve(each)) for each in (*imports, POLL, *_logs())}
    assert [] == [name for name, (_, handler) in found.items() if handler is None]
    return {name: (each, handler) for name, (each, handler) in found.items() if handler is not None}


@dataclass
class Neighbours:
    """`Peers` that write down what was done, once for each token."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    components: dict[str, str] = field(default_factory=lambda: {"cart": CREATE.component_id})
    workers: dict[WorkerRef, WorkerMetadata] = field(default_factory=dict)
    done: list[tuple[object, ...]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    """Raised by the next effects and looks, one each."""
    sequels: list[Sequel] = field(default_factory=list)
    """Of the last fork."""
    logs: dict[WorkerRef, MemoryOplog] = field(default_factory=dict)
    calls: ScriptedCalls = field(default_factory=ScriptedCalls)

    def __post_init__(self) -> None:
        self.promises = Promises(Database(Path(":memory:")), self.clock)

    def add(self, name: str, **known: Any) -> WorkerRef:
        worker = WorkerRef(CREATE.component_id, name)
        self.workers[worker] = worker_known(name, **known)
        return worker

    def metadata(self, worker: WorkerRef) -> WorkerMetadata | None:
        self._fail()
        return self.workers.get(worker)

    @contextmanager
    def log(self, worker: WorkerRef) -> Iterator[tuple[ReadableOplog, int]]:
        self._fail()
        if worker not in self.logs:
            raise WorkerNotFoundError(component=worker.component_id, worker=worker.worker_name)
        yield self.logs[worker], self.logs[worker].committed_index

    def page(self, component_id: str, cursor: str, count: int) -> tuple[list[WorkerMetadata], str]:
        self._fail()
        if component_id not in self.components.values():
            raise ComponentNotFoundError(component=component_id)
        mine = sorted(w.worker_name for w in self.workers if w.component_id == component_id)
        rest = [name for name in mine if name > cursor]
        found = [self.workers[WorkerRef(component_id, name)] for name in rest[:count]]
        return found, rest[count - 1] if len(rest) > count else ""

    def exists(self, worker: WorkerRef) -> bool:
        return worker in self.workers

    def component_id_of(self, reference: str) -> str | None:
        return self.components.get(reference)

    def component_name_of(self, component_id: str) -> str | None:
        return next((n for n, each in self.components.items() if each == component_id), None)

    def fork(
        self, source: WorkerRef, target: WorkerRef, cut: int, token: str, extra: Sequence[Sequel]
    ) -> None:
        self._fail()
        if token in self.tokens:
            return
        if target in self.workers:
            raise WorkerExistsError(component="cart", worker=target.worker_name)
        self.add(target.worker_name)
        self.sequels = list(extra)
        self._do(token, "fork", source.worker_name, target.worker_name, cut)

    def revert(
        self,
        worker: WorkerRef,
        *,
        to_index: int | None,
        last_invocations: int | None,
        token: str,
        check_kill: Callable[[], None],
    ) -> None:
        self._fail()
        check_kill()
        self._require(worker)
        self._do(token, "revert", worker.worker_name, to_index, last_invocations)

    def update(self, worker: WorkerRef, version: int, mode: str, token: str) -> None:
        self._fail()
        self._require(worker)
        self._do(token, "update", worker.worker_name, version, mode)

    def _require(self, worker: WorkerRef) -> None:
        if worker not in self.workers:
            raise WorkerNotFoundError(component=worker.component_id, worker=worker.worker_name)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def _do(self, token: str, *effect: object) -> None:
        if token not in self.tokens:
            self.tokens.append(token)
            self.done.append(effect)


def worker_known(name: str, **known: Any) -> WorkerMetadata:
    """What is known of an idle worker, but for what is given."""
    fields: dict[str, Any] = {
        "status": "idle",
        "component_version": 0,
        "retry_count": 0,
        "args": (),
        "env": (),
        "config_vars": (),
        "created_ns": EPOCH_NS,
    }
    return WorkerMetadata(
        component="cart",
        name=name,
        pending=0,
        last_error=None,
        oplog_index=1,
        reason="",
        updates=(),
        **(fields | known),
    )


class Guest:
    """One instance of a worker in the middle of its only invocation."""

    def __init__(self, oplog: MemoryOplog, neighbours: Neighbours, dialect: Dialect = SEED) -> None:
        self.dialect = dialect
        self.context: InstanceContext = context_on(oplog, neighbours.clock, peers=neighbours)
        self.context.key = KEY
        assert self.context.replay.invocation() is not None

    @property
    def oplog(self) -> MemoryOplog:
        oplog = self.context.oplog
        assert isinstance(oplog, MemoryOplog)
        return oplog

    def __call__(self, name: str, *args: Any) -> Any:
        """Handles are given and returned as their reps, everything else in public form."""
        function, handler = _linked(self.dialect)[name]
        params = [ty for _, ty in function.type.params]
        wires = [_to(ty, arg) for ty, arg in zip(params, args, strict=True)]
        wire = handler(self.context, *wires)
        result = function.type.result
        if result is None or isinstance(result, HandleType):
            return wire
        return from_wire(result)(wire)


def _to(ty: WitType, value: Any) -> Any:
    is_handles = isinstance(ty, HandleType) or (
        isinstance(ty, ListType) and isinstance(ty.element, HandleType)
    )
    return value if is_handles else to_wire(ty)(value)


class KilledError(BaseException):
    """The process has died."""


class DyingOplog(MemoryOplog):
    """A log of a process that dies when it is about to write one entry: its effect has happened."""

    dies_at = U64_MAX

    def append(self, entry: Entry) -> int:
        if self.last_index + 1 == self.dies_at:
            raise KilledError
        return super().append(entry)


def begun_log() -> DyingOplog:
    """A log whose only invocation has begun: entries 1 and 2."""
    oplog = DyingOplog(CREATE)
    export = exported("test:it/api", "run", (), None)
    oplog.append(ExportedFunctionInvoked(EPOCH_NS, oplog.define(export.type), b"\x80", KEY))
    oplog.commit()
    return oplog


def uuid_value(text: str) -> dict[str, int]:
    bits = int(text.replace("-", ""), 16)
    return {"high-bits": bits >> 64, "low-bits": bits & U64_MAX}


def component_value(text: str = CREATE.component_id) -> dict[str, Any]:
    return {"uuid": uuid_value(text)}


def worker_value(name: str, component: str = CREATE.component_id) -> dict[str, Any]:
    return {"component-id": component_value(component), "worker-name": name}


def promise_value(index: int, name: str = CREATE.worker_name) -> dict[str, Any]:
    return {"worker-id": worker_value(name), "oplog-idx": index}
