"""``golem:api/context``, function by function, live and on what a crash has left."""

from __future__ import annotations

from typing import Any, Final

import pytest

from golem_host import span_tree, tracing
from golem_host.failures import GuestLimitError
from golem_host.replay import Divergence
from golem_host.trace_context import TraceContext
from golem_host.tracing import Tracing
from golem_oplog.entries import (
    Entry,
    ExportedFunctionInvoked,
    FinishSpan,
    NoOp,
    SetSpanAttribute,
    StartSpan,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.spans import (
    ExternalSpan,
    LocalSpan,
    OwnSpan,
    Span,
    decode_stacks,
    encode_stacks,
)
from golem_oplog.values import Variant
from tests.support.contexts import CREATE, crashed, entries_of
from tests.support.instances import KEY, Instance, begun_log
from tests.support.world import EPOCH_NS, FrozenClock, ScriptedRandom

INTERFACE: Final = "golem:api/context"
SPAN: Final = "[method]span."
SEEN: Final = "[method]invocation-context."
TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
OWN, CALLER, ROOT = ("aa" * 8, "bb" * 8, "cc" * 8)
WORKER: Final = f"{CREATE.component_id}/{CREATE.worker_name}"


def local(span_id: str, linked: int | None = None, **said: str) -> LocalSpan:
    return LocalSpan(span_id, 7, None, linked, tuple(said.items()), inherited=True)


def log_of(*stacks: tuple[Span, ...], states: tuple[str, ...] = ()) -> MemoryOplog:
    return begun_log(TraceContext(TRACE, states, encode_stacks(stacks)))


def traced_log() -> MemoryOplog:
    """Of an invocation that another worker made, which somebody outside had called."""
    return log_of((OwnSpan(OWN), local(CALLER, who="caller"), ExternalSpan(ROOT)), states=("a=1",))


class Counting(ScriptedRandom):
    """One number after the other, from 1 on."""

    drawn = 0

    def bytes(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")


def guest(oplog: MemoryOplog, clock: FrozenClock | None = None) -> Instance:
    instance = Instance(oplog, INTERFACE, clock)
    instance.context.services.random = Counting()
    return instance


def text(value: str) -> Variant:
    return Variant("string", value)


def said(**attributes: str) -> list[dict[str, object]]:
    return [{"key": key, "value": text(value)} for key, value in attributes.items()]


def current(instance: Instance) -> str:
    """The id of the current span."""
    found = instance(f"{SEEN}span-id", instance("current-context"))
    assert isinstance(found, str)
    return found


def spans_of(oplog: MemoryOplog) -> list[Entry]:
    return entries_of(oplog, 3)


# -- spans -----------------------------------------------------------------------------------------


def test_a_span_leaves_its_start_its_attributes_and_its_end() -> None:
    """A child of the current one, named by an attribute; on replay nothing is written again."""
    oplog, clock = traced_log(), FrozenClock(EPOCH_NS + 5)
    seen = []
    for _ in range(2):
        instance = guest(oplog, clock)
        span = instance("start-span", "work")
        instance(f"{SPAN}set-attribute", span, "a", text("1"))
        instance(f"{SPAN}set-attributes", span, said(b="2", a="3"))
        seen.append((current(instance), instance(f"{SPAN}started-at", span)))
        instance(f"{SPAN}finish", span)
        clock.advance(1)

    first = f"{1:016x}"
    now = EPOCH_NS + 5
    assert [
        StartSpan(now, first, OWN, None, (("name", "work"),)),
        SetSpanAttribute(now, first, "a", "1"),
        SetSpanAttribute(now, first, "b", "2"),
        SetSpanAttribute(now, first, "a", "3"),
        FinishSpan(now, first),
    ] == spans_of(oplog)
    begun = {"seconds": EPOCH_NS // 10**9, "nanoseconds": 5}
    assert [(first, begun)] * 2 == seen


def test_a_span_ends_once() -> None:
    """R49: finished, finished again and dropped; live and on replay."""
    oplog = traced_log()
    for _ in range(2):
        instance = guest(oplog)
        span = instance("start-span", "work")
        for _ in range(2):
            instance(f"{SPAN}finish", span)
        instance.drop(f"{INTERFACE}.span", span)
        other = instance("start-span", "dropped")
        instance.drop(f"{INTERFACE}.span", other)

    kinds = [type(entry).__name__ for entry in spans_of(oplog)]
    assert ["StartSpan", "FinishSpan"] * 2 == kinds


def test_spans_lie_within_each_other() -> None:
    """The end of the current one makes the one above current that is still open."""
    instance = guest(traced_log())
    outer, middle, inner = (instance("start-span", name) for name in ("o", "m", "i"))
    seen = [current(instance)]
    for each in (middle, inner, outer):
        instance(f"{SPAN}finish", each)
        seen.append(current(instance))

    first, _, third = (f"{n:016x}" for n in (1, 2, 3))
    assert [third, third, first, OWN] == seen


def test_a_closed_span_says_nothing_more() -> None:
    """Nothing is written and nothing is there to be seen."""
    oplog = traced_log()
    instance = guest(oplog)
    span = instance("start-span", "work")
    there = instance("current-context")
    instance(f"{SPAN}finish", span)
    instance(f"{SPAN}set-attribute", span, "a", text("1"))

    assert 4 == oplog.last_index
    assert instance(f"{SEEN}get-attribute", there, "a", True) is None


@pytest.mark.parametrize("kept", range(2, 7))
def test_a_crash_at_any_entry_loses_no_span(kept: int) -> None:
    """What was written is found again, the rest is written: the same log, and the same answers."""

    def body(instance: Instance) -> list[Any]:
        outer = instance("start-span", "outer")
        instance(f"{SPAN}set-attribute", outer, "a", text("1"))
        inner = instance("start-span", "inner")
        there = instance("current-context")
        instance.drop(f"{INTERFACE}.span", inner)
        instance(f"{SPAN}finish", outer)
        return [
            len(instance(f"{SEEN}get-attributes", there, True)),
            instance(f"{SEEN}get-attribute-chain", there, "name"),
            current(instance),
        ]

    whole = traced_log()
    answers = body(guest(whole))
    cut = crashed(whole, kept)

    assert answers == body(guest(cut))
    kinds = [[type(e).__name__ for e in spans_of(oplog)] for oplog in (whole, cut)]
    assert kinds[0] == kinds[1]


def test_a_span_that_the_log_does_not_have_is_made_up() -> None:
    """Of another version of the component: the same id in each replay, and no entry."""
    oplog = traced_log()
    guest(oplog)("golem:api/host#get-oplog-index")
    made = []
    for _ in range(2):
        instance = guest(oplog)
        one, two = instance("start-span", "new"), instance("start-span", "newer")
        made.append((current(instance), instance(f"{SPAN}started-at", one)))
        instance(f"{SPAN}finish", two)
        made.append((current(instance), instance(f"{SPAN}started-at", two)))
        instance("golem:api/host#get-oplog-index")

    assert made[:2] == made[2:]
    assert made[0][0] != made[1][0]
    assert [NoOp(EPOCH_NS)] == spans_of(oplog)


def updated(oplog: MemoryOplog) -> Instance:
    """Of another version than the one that wrote the log so far."""
    instance = guest(oplog)
    instance.context.replay.compare_from = oplog.last_index
    return instance


def test_a_version_without_a_span_goes_on_with_its_log() -> None:
    """What the earlier one did with it is stepped over; what comes live is its own."""
    oplog = traced_log()
    old = guest(oplog)
    span = old("start-span", "gone")
    old(f"{SPAN}set-attribute", span, "a", text("1"))
    old("golem:api/host#get-oplog-index")
    old(f"{SPAN}finish", span)
    last = oplog.last_index
    for _ in range(2):
        new = guest(oplog)
        new.context.replay.compare_from = last
        assert 5 == new("golem:api/host#get-oplog-index")
        assert 7 == new("golem:api/host#get-oplog-index")

    assert 7 == oplog.last_index


def test_a_version_with_another_span_goes_on_with_its_log() -> None:
    """Nothing of it is ever written, since a replay would not find its start."""
    oplog = traced_log()
    guest(oplog)("golem:api/host#get-oplog-index")
    instances = [updated(oplog)]
    for instance in instances:
        span = instance("start-span", "new")
        instance(f"{SPAN}set-attribute", span, "early", text("1"))
        instance("golem:api/host#get-oplog-index")
        instance(f"{SPAN}set-attribute", span, "late", text("2"))
        seen = instance("current-context")
        assert said(name="new", early="1", late="2") == instance(
            f"{SEEN}get-attributes", seen, False
        )
        instance(f"{SPAN}finish", span)
        instance("golem:api/host#get-oplog-index")
        if len(instances) == 1:
            instances.append(guest(oplog))

    assert [NoOp(EPOCH_NS)] * 2 == spans_of(oplog)


def test_a_version_that_says_more_of_a_span_goes_on_with_its_log() -> None:
    """The log has the span, but not that it was said."""
    oplog = traced_log()
    instance = guest(oplog)
    instance(f"{SPAN}finish", instance("start-span", "work"))
    new = updated(oplog)
    span = new("start-span", "work")
    new(f"{SPAN}set-attribute", span, "more", text("1"))
    new(f"{SPAN}finish", span)

    assert 4 == oplog.last_index
    assert new.context.replay.live


def test_what_earlier_hosts_wrote_of_a_span_without_its_start_is_used_up() -> None:
    """They made it up as well, and appended its end once they were live."""
    oplog = traced_log()
    instance = guest(oplog)
    instance("golem:api/host#get-oplog-index")
    again = guest(oplog)
    again("start-span", "new")
    made_up = current(again)
    again("golem:api/host#get-oplog-index")
    oplog.append(SetSpanAttribute(EPOCH_NS, made_up, "late", "2"))
    oplog.append(FinishSpan(EPOCH_NS, made_up))
    third = guest(oplog)
    span = third("start-span", "new")
    third("golem:api/host#get-oplog-index")
    third(f"{SPAN}set-attribute", span, "late", text("2"))
    third(f"{SPAN}finish", span)

    assert third.context.replay.live
    assert 5 == oplog.last_index


def test_an_attribute_that_the_log_does_not_have_is_a_divergence() -> None:
    """Unlike start and end it is asked for strictly."""
    oplog = traced_log()
    instance = guest(oplog)
    instance("start-span", "work")
    instance("golem:api/host#get-oplog-index")
    again = guest(oplog)
    span = again("start-span", "work")
    with pytest.raises(Divergence, match="set-span-attribute a"):
        again(f"{SPAN}set-attribute", span, "a", text("1"))


def test_spans_of_a_snapshot_leave_no_trace() -> None:
    """While one is saved or loaded."""
    oplog = traced_log()
    instance = guest(oplog)
    with instance.context.unrecorded():
        span = instance("start-span", "work")
        instance(f"{SPAN}set-attribute", span, "a", text("1"))
        instance(f"{SPAN}finish", span)

    assert 2 == oplog.last_index


# -- what is seen ----------------------------------------------------------------------------------


def test_a_context_is_seen_up_to_its_root() -> None:
    """Ids of the trace and of each span; the root has no parent."""
    instance = guest(traced_log())
    seen = instance("current-context")
    ids = []
    while seen is not None:
        ids.append(instance(f"{SEEN}span-id", seen))
        assert TRACE == instance(f"{SEEN}trace-id", seen)
        above = instance(f"{SEEN}parent", seen)
        seen = None if above is None else above.handle

    assert [OWN, CALLER, ROOT] == ids


def test_attributes_are_looked_up_towards_the_root() -> None:
    """The nearest value counts; a chain has all of them, innermost first."""
    instance = guest(traced_log())
    span = instance("start-span", "work")
    instance(f"{SPAN}set-attribute", span, "who", text("span"))
    seen = instance("current-context")

    def ask(name: str, *args: Any) -> Any:
        return instance(f"{SEEN}{name}", seen, *args)

    invocation = {
        "idempotency_key": KEY,
        "function_name": "test:it/api.{run}",
        "worker_id": WORKER,
    }
    assert text("span") == ask("get-attribute", "who", False)
    assert text(WORKER) == ask("get-attribute", "worker_id", True)
    assert ask("get-attribute", "worker_id", False) is None
    assert ask("get-attribute", "nobody", True) is None
    assert said(name="work", who="span") == ask("get-attributes", False)
    assert said(name="work", who="span", **invocation) == ask("get-attributes", True)
    assert [text("span"), text("caller")] == ask("get-attribute-chain", "who")
    assert [] == ask("get-attribute-chain", "nobody")
    chains = {each["key"]: each["values"] for each in ask("get-attribute-chains")}
    assert [text("work"), text("invoke-exported-function")] == chains["name"]
    assert ["name", "who", *invocation] == [*chains]


def test_a_context_shows_what_is_said_later_of_its_span_alone() -> None:
    """It is a place, not a copy: later attributes are there, later spans are not."""
    instance = guest(traced_log())
    span = instance("start-span", "work")
    seen = instance("current-context")
    instance(f"{SPAN}set-attribute", span, "late", text("1"))
    instance("start-span", "child")

    assert text("1") == instance(f"{SEEN}get-attribute", seen, "late", False)
    assert f"{1:016x}" == instance(f"{SEEN}span-id", seen)


def test_a_linked_context_is_looked_at_before_the_parent() -> None:
    """And a link of that one is not followed."""
    oplog = log_of(
        (OwnSpan(OWN), local(CALLER, 1, who="caller"), local(ROOT, 9, who="root")),
        (local("11" * 8, 2, who="linked"), local("22" * 8, who="above it")),
        (local("33" * 8, who="linked twice"),),
    )
    instance = guest(oplog)
    chain = instance(f"{SEEN}get-attribute-chain", instance("current-context"), "who")

    assert ["caller", "linked", "above it", "root"] == [each.value for each in chain]


def test_a_log_from_before_there_were_traces_has_one() -> None:
    """Derived from who the worker is: the same in each replay, and for each key another."""
    ids = []
    for key in (KEY, KEY, "other"):
        instance = guest(begun_log())
        instance.context.key = key
        seen = instance("current-context")
        ids.append((instance(f"{SEEN}trace-id", seen), instance(f"{SEEN}span-id", seen)))

    assert ids[0] == ids[1] != ids[2]
    assert [32, 16] == [len(each) for each in ids[0]]


@pytest.mark.parametrize(
    "given",
    [
        TraceContext("x\r\ny"),
        TraceContext(TRACE, ("no state",)),
        TraceContext(TRACE, (), b"no spans"),
        TraceContext(TRACE, (), encode_stacks([[], [ExternalSpan(ROOT)]])),
    ],
)
def test_a_log_from_elsewhere_may_say_anything(given: TraceContext) -> None:
    """What is no trace of a log is passed over, and headers are right all the same."""
    instance = guest(begun_log(given))
    ((_, parent),) = instance(f"{SEEN}trace-context-headers", instance("current-context"))
    version, trace_id, span_id, flags = parent.split("-")

    assert ("00", 32, 16, "00") == (version, len(trace_id), len(span_id), flags)
    assert (trace_id == TRACE) == (given.trace_id == TRACE)


def test_before_the_first_invocation_there_is_a_trace() -> None:
    """While the instance starts: nobody has called it."""
    instance = guest(begun_log())
    instance.context.invoked, instance.context.key = None, ""
    seen = instance("current-context")

    assert said(worker_id=WORKER) == instance(f"{SEEN}get-attributes", seen, True)
    assert instance(f"{SEEN}parent", seen) is None


def test_each_invocation_has_its_own_trace() -> None:
    """A span that outlives its invocation is ended in the next, and is nothing there."""
    oplog = traced_log()
    instance = guest(oplog)
    span = instance("start-span", "kept")
    instance.complete()
    other = encode_stacks([[OwnSpan("ee" * 8)]])
    entry = ExportedFunctionInvoked(EPOCH_NS, 0, b"\x80", "k2", "f" * 32, ("b=2",), other)
    instance.context.append(entry)
    instance.context.invoked = entry

    assert "ee" * 8 == current(instance)
    instance(f"{SPAN}finish", span)
    assert "ee" * 8 == current(instance)
    seen = instance("current-context")
    assert "f" * 32 == instance(f"{SEEN}trace-id", seen)
    assert FinishSpan(EPOCH_NS, f"{1:016x}") == oplog.entry(oplog.last_index)
    headers = [("traceparent", f"00-{'f' * 32}-{'ee' * 8}-00"), ("tracestate", "b=2")]
    assert headers == instance(f"{SEEN}trace-context-headers", seen)


# -- passing it on ---------------------------------------------------------------------------------


def test_headers_name_the_span() -> None:
    """With what vendors say, if they say anything; whether requests have them is a setting."""
    instance = guest(traced_log())
    span = instance("start-span", "work")
    named = [("traceparent", f"00-{TRACE}-{1:016x}-00"), ("tracestate", "a=1")]
    own = instance.context.part(Tracing)
    assert named == instance(f"{SEEN}trace-context-headers", instance("current-context"))
    assert named == own.headers()
    assert instance("allow-forwarding-trace-context-headers", False)
    assert not instance("allow-forwarding-trace-context-headers", False)
    assert [] == own.headers()
    assert not instance("allow-forwarding-trace-context-headers", True)
    instance(f"{SPAN}finish", span)

    assert [("traceparent", f"00-{TRACE}-{OWN}-00"), ("tracestate", "a=1")] == own.headers()
    silent = guest(log_of((OwnSpan(OWN),)))
    assert [("traceparent", f"00-{TRACE}-{OWN}-00")] == silent.context.part(Tracing).headers()


def test_another_worker_is_given_the_spans_around_the_call() -> None:
    """All of them as its caller's, with what was said; so many, the innermost ones."""
    instance = guest(traced_log())
    instance("start-span", "work")
    given = instance.context.part(Tracing).for_callee()
    (stack,) = decode_stacks(given.spans)

    assert (TRACE, ("a=1",)) == (given.trace_id, given.states)
    assert [f"{1:016x}", OWN, CALLER, ROOT] == [each.span_id for each in stack]
    assert (
        LocalSpan(f"{1:016x}", EPOCH_NS, OWN, None, (("name", "work"),), inherited=True)
        == (stack[0])
    )
    assert isinstance(stack[3], ExternalSpan)
    for _ in range(tracing.INHERITED_MAX):
        instance("start-span", "deeper")
    (stack,) = decode_stacks(instance.context.part(Tracing).for_callee().spans)
    assert tracing.INHERITED_MAX == len(stack)


def test_what_another_worker_is_given_is_bounded() -> None:
    """In bytes: nobody is refused by it; the inner spans keep what they say, all spans are there."""
    instance = guest(traced_log())
    for number in range(3):
        span = instance("start-span", f"{number}")
        instance(f"{SPAN}set-attribute", span, "large", text("é" * 14_000))
        instance(f"{SPAN}set-attributes", span, said(after="1"))
    given = instance.context.part(Tracing).for_callee()
    (stack,) = decode_stacks(given.spans)
    given.check()

    keys = [[key for key, _ in s.attributes] for s in stack if isinstance(s, LocalSpan)]
    assert [*[["name", "large", "after"]] * 2, ["name", "after"]] == keys[:3]
    assert 6 == len(stack)


def test_spans_that_say_much_in_little_fit_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many spans and attributes as there may be, which are nearly all frame."""
    monkeypatch.setattr(tracing, "ATTRIBUTE_BYTES_MAX", 10)
    instance = guest(traced_log())
    for _ in range(tracing.INHERITED_MAX):
        span = instance("start-span", "")
        for number in range(50):
            instance(f"{SPAN}set-attribute", span, f"{number}", text(""))
    given = instance.context.part(Tracing).for_callee()
    given.check()

    assert tracing.INHERITED_MAX == len(decode_stacks(given.spans)[0])


# -- bounds ----------------------------------------------------------------------------------------


def test_attributes_are_bounded() -> None:
    """In size and in number; one that is there already may be set again."""
    oplog = traced_log()
    instance = guest(oplog)
    span = instance("start-span", "work")
    large = "x" * tracing.ATTRIBUTE_BYTES_MAX
    with pytest.raises(GuestLimitError, match="larger than 65536 bytes"):
        instance(f"{SPAN}set-attribute", span, "k", text(large))
    with pytest.raises(GuestLimitError, match="larger than 65536 bytes"):
        instance("start-span", large)
    for number in range(tracing.ATTRIBUTES_MAX - 1):
        instance(f"{SPAN}set-attribute", span, str(number), text(""))
    instance(f"{SPAN}set-attribute", span, "0", text("again"))
    with pytest.raises(GuestLimitError, match="more than 1000 attributes"):
        instance(f"{SPAN}set-attribute", span, "one more", text(""))

    assert 3 + tracing.ATTRIBUTES_MAX == oplog.last_index


def test_spans_are_bounded_in_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handles that are given up do not count: those above keep their memory."""
    monkeypatch.setattr(tracing, "DEPTH_MAX", 5)
    instance = guest(traced_log())
    before: int | None = None
    with pytest.raises(GuestLimitError, match="below 5 others"):
        for _ in range(6):
            span = instance("start-span", "deeper")
            if before is not None:
                instance.drop(f"{INTERFACE}.span", before)
            before = span

    assert 1 == len(instance.context.resources)


def test_what_spans_say_is_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as they are open or seen; nothing is written of what has no room."""
    monkeypatch.setattr(span_tree, "LIVE_BYTES_MAX", 60_000)
    oplog = traced_log()
    instance = guest(oplog)
    half = text("x" * 29_000)
    spans = [instance("start-span", "work") for _ in range(3)]
    for _ in range(3):
        # Said again it takes no more.
        instance(f"{SPAN}set-attribute", spans[0], "k", half)
    instance(f"{SPAN}set-attribute", spans[2], "k", half)
    before = oplog.last_index
    with pytest.raises(GuestLimitError, match="more than 60000 bytes; finish and drop"):
        instance(f"{SPAN}set-attribute", spans[1], "k", half)
    with pytest.raises(GuestLimitError, match="more than 60000 bytes"):
        instance("start-span", "y" * 3_000)
    assert before == oplog.last_index

    seen = instance("current-context")
    instance.drop(f"{INTERFACE}.span", spans[2])
    with pytest.raises(GuestLimitError):
        instance(f"{SPAN}set-attribute", spans[1], "k", half)
    instance.drop(f"{INTERFACE}.invocation-context", seen)
    instance(f"{SPAN}set-attribute", spans[1], "k", half)


def test_the_number_of_spans_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that are kept: a guest may open any number, one after the other."""
    monkeypatch.setattr(span_tree, "LIVE_SPANS_MAX", 8)
    instance = guest(traced_log())
    for _ in range(20):
        instance.drop(f"{INTERFACE}.span", instance("start-span", "work"))
    with pytest.raises(GuestLimitError, match="more than 8 spans; finish and drop"):
        for _ in range(6):
            instance("start-span", "work")


def test_contexts_that_are_kept_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of earlier invocations; but never while the log is replayed, which had room for it."""
    oplog = begun_log(TraceContext(TRACE, (), encode_stacks([[local(CALLER, who="x" * 50_000)]])))
    instance = guest(oplog)
    instance("golem:api/host#get-oplog-index")
    monkeypatch.setattr(span_tree, "LIVE_BYTES_MAX", 10_000)
    with pytest.raises(GuestLimitError, match="more than 10000 bytes"):
        instance("current-context")
    again = guest(oplog)
    again("current-context")
    again("golem:api/host#get-oplog-index")
    with pytest.raises(GuestLimitError, match="more than 10000 bytes"):
        again("current-context")


def test_what_the_log_has_had_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay is bounded by its log alone: the one of a host that allowed more goes on."""
    oplog = traced_log()

    def body(instance: Instance) -> None:
        span = instance("start-span", "work")
        instance(f"{SPAN}set-attribute", span, "k", text("x" * 1_000))

    body(guest(oplog))
    monkeypatch.setattr(span_tree, "LIVE_BYTES_MAX", 100)
    again = guest(oplog)
    body(again)
    with pytest.raises(GuestLimitError):
        again("start-span", "work")
