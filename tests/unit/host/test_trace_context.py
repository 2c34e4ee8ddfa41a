"""The trace that a caller names: the headers of W3C Trace Context, and what is not one."""

from __future__ import annotations

import pytest

from golem_host import InvalidRequestError, TraceContext
from golem_host.trace_context import SPANS_BYTES_MAX, STATES_CHARS_MAX, STATES_MAX, begun_trace
from golem_oplog.spans import ExternalSpan, LocalSpan, OwnSpan, decode_stacks, encode_stacks
from tests.support.world import ScriptedRandom

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def spans_of(size_bytes: int) -> bytes:
    """A span in stored form, of exactly this size."""
    frame = len(_spans_saying("x" * 300)) - 300
    return _spans_saying("x" * (size_bytes - frame))


def _spans_saying(text: str) -> bytes:
    return encode_stacks([[LocalSpan(SPAN, 1, None, None, (("k", text),), inherited=False)]])


def test_a_trace_is_named_by_its_headers() -> None:
    """Id, the caller's span, and what vendors say, in order."""
    found = TraceContext.parse(PARENT, " a=1, b@c=2 2 ,,")

    assert (TRACE, ("a=1", "b@c=2 2")) == (found.trace_id, found.states)
    assert ((ExternalSpan(SPAN),),) == decode_stacks(found.spans)
    assert {"traceparent": f"00-{TRACE}-{SPAN}-00", "tracestate": "a=1,b@c=2 2"} == found.headers()
    assert found == TraceContext.of_headers(f" {PARENT} ", " a=1, b@c=2 2 ,,")


def test_a_later_version_may_say_more() -> None:
    """As the standard asks: what is known of it is taken."""
    found = TraceContext.of_headers(f"cc-{TRACE}-{SPAN}-01-what-comes-later", None)

    assert found is not None
    assert (TRACE, ()) == (found.trace_id, found.states)
    assert "tracestate" not in found.headers()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        PARENT + "-more",
        PARENT[:-1],
        PARENT.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{PARENT}, {PARENT}",
    ],
)
def test_what_names_no_trace_is_left_or_refused(header: str) -> None:
    """A client's begins a trace of its own; who passes one on by hand is told."""
    assert TraceContext.of_headers(header, "a=1") is None
    assert TraceContext.of_headers(None, "a=1") is None
    with pytest.raises(InvalidRequestError, match="is no traceparent"):
        TraceContext.parse(header)


@pytest.mark.parametrize(
    "header",
    ["a", "A=1", "a=", "a=1,b", "a=b=c", "a=\x7f", ",".join(f"a{n}=1" for n in range(40)), "é=1"],
)
def test_vendors_who_break_the_rules_are_left_out(header: str) -> None:
    """All of them: nobody can say where one ends.  The trace goes on."""
    found = TraceContext.parse(PARENT, header)

    assert (TRACE, ()) == (found.trace_id, found.states)


def test_what_vendors_say_is_bounded() -> None:
    """So many are taken, and of long ones those that fit in, from the left."""
    many = [f"k{n}=v" for n in range(STATES_MAX)]
    long = [f"{letter}={'v' * 250}" for letter in "abc"]

    assert tuple(many) == TraceContext.parse(PARENT, ",".join(many)).states
    assert tuple(long[:2]) == TraceContext.parse(PARENT, ",".join(long)).states
    assert len(",".join(long[:2])) <= STATES_CHARS_MAX


def test_a_trace_without_a_span_has_no_headers() -> None:
    """There is nothing to name as a parent."""
    assert {} == TraceContext(TRACE).headers()
    assert {} == TraceContext(TRACE, (), encode_stacks([[]])).headers()


class Drawn(ScriptedRandom):
    def bytes(self, count: int) -> bytes:
        return bytes(range(1, count + 1))


def test_an_invocation_without_a_trace_begins_one() -> None:
    """Of the host's random numbers; none of its ids is 0 only."""
    digits = bytes(range(1, 25)).hex()
    trace_id, states, spans = begun_trace(None, Drawn())
    assert (digits[:32], ()) == (trace_id, states)
    assert ((OwnSpan(digits[32:]),),) == decode_stacks(spans)

    trace_id, _, spans = begun_trace(None, ScriptedRandom())
    ((own,),) = decode_stacks(spans)
    assert int(trace_id, 16)
    assert int(own.span_id, 16)


def test_an_invocation_lies_in_its_callers_trace() -> None:
    """Below the span that it was called from."""
    caller = LocalSpan(SPAN, 1, None, None, (), inherited=True)
    given = TraceContext(TRACE, ("a=1",), encode_stacks([[caller]]))
    trace_id, states, spans = begun_trace(given, Drawn())

    assert (TRACE, ("a=1",)) == (trace_id, states)
    assert ((OwnSpan(bytes(range(17, 25)).hex()), caller),) == decode_stacks(spans)


@pytest.mark.parametrize(
    "made",
    [
        TraceContext(""),
        TraceContext("0" * 32),
        TraceContext(TRACE.upper()),
        TraceContext(TRACE, ("a=1\r\nx: y",)),
        TraceContext(TRACE, ("a=1",) * 40),
        TraceContext(TRACE, (), b"no spans"),
        TraceContext(TRACE, (), spans_of(SPANS_BYTES_MAX + 1)),
    ],
)
def test_what_is_made_by_hand_is_looked_at(made: TraceContext) -> None:
    """Headers are made of it; who says the rest properly is let through."""
    TraceContext.parse(PARENT, "a=1").check()
    with pytest.raises(InvalidRequestError, match="trace context"):
        made.check()


@pytest.mark.parametrize("spans", [b"no spans", encode_stacks([]), spans_of(SPANS_BYTES_MAX + 1)])
def test_a_call_is_worth_more_than_what_its_log_says_of_spans(spans: bytes) -> None:
    """A log from elsewhere may hold anything: the invocation begins, in its trace."""
    trace_id, _, begun = begun_trace(TraceContext(TRACE, (), spans), Drawn())

    assert TRACE == trace_id
    assert (OwnSpan(bytes(range(17, 25)).hex()),) == decode_stacks(begun)[0]


def test_spans_may_be_as_large_as_there_is_room_for() -> None:
    """They are let through, and are there."""
    given = TraceContext(TRACE, (), spans_of(SPANS_BYTES_MAX))
    given.check()

    assert SPANS_BYTES_MAX == len(given.spans)
    assert 2 == len(decode_stacks(begun_trace(given, Drawn())[2])[0])
