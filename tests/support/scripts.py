"""
Arbitrary guests: scripts of what a guest asks of its host, and a worker that runs one.

A script is plain data, so that a failing one is readable.  Every recorded call has a *site* of its
own, and its answer depends on the site alone: an answer that belongs to another call is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

from hypothesis import strategies as st

from golem_host.status import fold
from golem_host.worker.request import Request
from golem_host.worker.session import Session, Start
from golem_oplog.cbor import encode_args
from golem_oplog.entries import PendingWorkerInvocation, PersistenceLevel
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import ListType, Prim
from tests.support.contexts import services
from tests.support.durable_calls import KINDS, DurableCalls, handlers_of
from tests.support.scripted_guest import HostCalls, ScriptedGuest, exported

EXPORT: Final = exported("test:script/api", "run", (("number", Prim.U32),), ListType(Prim.U64))


@dataclass(frozen=True)
class Call:
    """A recorded call of one durable function type."""

    kind: str
    site: int = 0


@dataclass(frozen=True)
class Say:
    """A line of output."""

    text: str


@dataclass(frozen=True)
class Mark:
    """A marker without a bracket."""

    name: str


@dataclass(frozen=True)
class AtomicRegion:
    """Statements that are redone together."""

    body: tuple[Step, ...]


@dataclass(frozen=True)
class AtMostOnce:
    """Statements during which idempotence is off."""

    body: tuple[Step, ...]


Step: TypeAlias = Call | Say | Mark | AtomicRegion | AtMostOnce
Block: TypeAlias = tuple[Step, ...]

MARKS: Final = ("oplog-index", "set-max-attempts", "set-level")


@dataclass(frozen=True)
class Script:
    """What a guest does when it starts, and in each of its invocations."""

    start: Block
    invocations: tuple[Block, ...]


def blocks(*, size_max: int = 5) -> st.SearchStrategy[Block]:
    flat: st.SearchStrategy[Step] = st.one_of(
        st.sampled_from(KINDS).map(Call),
        st.sampled_from(("a", "b")).map(Say),
        st.sampled_from(MARKS).map(Mark),
    )
    steps: st.SearchStrategy[Step] = st.recursive(flat, _bracketed, max_leaves=4)
    return st.lists(steps, max_size=size_max).map(tuple)


def _bracketed(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    bodies: st.SearchStrategy[Block] = st.lists(inner, max_size=3).map(tuple)
    regions: st.SearchStrategy[Step] = bodies.map(AtomicRegion)
    return regions | bodies.map(AtMostOnce)


def scripts() -> st.SearchStrategy[Script]:
    """Scripts, their sites numbered through."""
    invocations = st.lists(blocks(), min_size=1, max_size=3).map(tuple)
    return st.builds(Script, blocks(size_max=3), invocations).map(_numbered)


def talkative_scripts() -> st.SearchStrategy[Script]:
    """Scripts without brackets that mostly write output, the same lines over and over."""
    says = st.sampled_from(("a", "b")).map(Say)
    calls = st.sampled_from(KINDS[:-1]).map(Call)
    steps: st.SearchStrategy[Step] = st.one_of(says, says, calls, st.just(Mark("oplog-index")))
    bodies: st.SearchStrategy[Block] = st.lists(steps, min_size=2, max_size=8).map(tuple)
    return bodies.map(lambda body: _numbered(Script(body[:1], (body[1:], body))))


def at_most_once_scripts() -> st.SearchStrategy[Script]:
    """Scripts of one invocation whose remote writes all happen with idempotence off."""
    writes = st.sampled_from(("write-remote", "write-remote-batched", "read-local")).map(Call)
    bodies: st.SearchStrategy[Block] = st.lists(writes, min_size=1, max_size=4).map(tuple)
    return bodies.map(lambda body: _numbered(Script((), ((AtMostOnce(body),),))))


def _numbered(script: Script) -> Script:
    sites = iter(range(1, 1000))

    def step(each: Step) -> Step:
        match each:
            case Call(kind):
                return Call(kind, next(sites))
            case AtomicRegion(body):
                return AtomicRegion(tuple(map(step, body)))
            case AtMostOnce(body):
                return AtMostOnce(tuple(map(step, body)))
        return each

    return Script(
        tuple(map(step, script.start)),
        tuple(tuple(map(step, block)) for block in script.invocations),
    )


class Life:
    """
    One life of the process that owns the worker, on whatever the log holds by then.

    Args:
        drift: What is added to every answer that is given in this life.
    """

    def __init__(self, script: Script, oplog: MemoryOplog, *, drift: int = 0) -> None:
        self.answers: list[int] = []
        """Answers of recorded calls, in the order in which the guest got them."""
        self.marks: list[int] = []
        """Indexes that no-ops and regions gave the guest."""
        self.calls = DurableCalls()
        self.calls.drift = drift
        self._script = script
        self._oplog = oplog
        guest = ScriptedGuest({EXPORT: self._invoke}, handlers_of(self.calls), start=self._start)
        self._status = fold(oplog.skim)
        self._session = Session(
            Start(guest.linked(), compare_from=0),
            oplog=oplog,
            status=self._status,
            services=services(),
            is_last_attempt=lambda: False,
            on_live=_minded_by_nobody,
            on_completed=_heard_by_nobody,
        )

    def accept(self, key: str) -> None:
        """A request comes in from another thread, and waits in the queue."""
        entry = PendingWorkerInvocation(0, key, None, b"")
        self._status.apply(self._oplog.append(entry), entry)

    def live(self) -> Self:
        """Replay the log, and run the script to its end."""
        self._session.catch_up()
        for number in range(len(self._status.results), len(self._script.invocations)):
            self._session.run(request(number))
        return self

    @property
    def performed(self) -> list[int]:
        """Sites of the calls that were performed in this life."""
        return [site for _, site in self.calls.performed]

    def _start(self, host: HostCalls) -> None:
        self._run(host, self._script.start)

    def _invoke(self, host: HostCalls, number: int) -> list[int]:
        self._run(host, self._script.invocations[number])
        return [number]

    def _run(self, host: HostCalls, block: Block) -> None:
        for step in block:
            match step:
                case Call(kind, site):
                    self.answers.append(host(kind, site))
                case Say(text):
                    host("say", text)
                case Mark("oplog-index"):
                    self.marks.append(host("oplog-index"))
                case Mark("set-level"):
                    host("set-level", PersistenceLevel.PERSIST_REMOTE_SIDE_EFFECTS)
                case Mark(name):
                    host(name, 5)
                case AtomicRegion(body):
                    begin = host("begin-region")
                    self.marks.append(begin)
                    self._run(host, body)
                    host("end-region", begin)
                case AtMostOnce(body):
                    host("assume-idempotence", False)
                    self._run(host, body)
                    host("assume-idempotence", True)


def _minded_by_nobody() -> None:
    """No update is pending."""


def _heard_by_nobody(_key: str, _payload: bytes | None) -> None:
    """Nobody waits for these invocations."""


def request(number: int) -> Request:
    args: list[Any] = [number]
    return Request(f"k{number}", EXPORT.type, args, encode_args(args))
