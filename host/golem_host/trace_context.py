"""
Which trace an invocation belongs to, as its caller says it.

Source: W3C Trace Context for ``traceparent`` and ``tracestate``; spec 1.7 for the ids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self

from golem_host.errors import InvalidRequestError
from golem_oplog.errors import MalformedPayloadError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.spans import ID_BYTES, ExternalSpan, decode_stacks, encode_stacks, with_own

if TYPE_CHECKING:
    from golem_host.services.world import Random

TRACE_PARENT: Final = "traceparent"
TRACE_STATE: Final = "tracestate"
STATES_MAX: Final = 32
STATES_CHARS_MAX: Final = 512
"""Of ``tracestate`` as a header: what does not fit in is left out, from its end."""
SPANS_BYTES_MAX: Final = 64 << 10
"""Of the caller's spans in stored form: they lie in entries themselves, and in each callee's too."""

_TRACE_ID_BYTES: Final = 16
_NOT_NULL: Final = bytes(7) + b"\x01"

# Compiled when they are first used: every host is opened with this module, and few are traced.
_TRACE_ID: Final = "[0-9a-f]{32}"
# A later version may have more fields behind these four.
_PARENT: Final = (
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}"
    r"(?P<more>-.*)?"
)
_STATE: Final = r"[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A trace, and the span in it that the invocation is called from."""

    trace_id: str
    """32 hexadecimal digits in lower case, not all 0."""
    states: tuple[str, ...] = ()
    """What vendors of tracing systems pass on: ``key=value`` each."""
    spans: bytes = b""
    """The caller's spans, as `golem_oplog.spans` stores them."""

    @classmethod
    def parse(cls, traceparent: str, tracestate: str = "") -> Self:
        """
        Of the two headers.  A ``tracestate`` that is none is left out, as the standard says.

        Raises:
            InvalidRequestError: ``traceparent`` is none.
        """
        found = cls.of_headers(traceparent, tracestate)
        if found is None:
            raise InvalidRequestError(
                reason=f"{traceparent[:100]!r} is no traceparent: "
                "00-(32 hexadecimal digits)-(16 of them)-(2 of them), neither id all 0"
            )
        return found

    def check(self) -> None:
        """
        Raises:
            InvalidRequestError: It was made by hand, and is none or too large.
        """
        if len(self.spans) > SPANS_BYTES_MAX:
            raise InvalidRequestError(
                reason=f"the trace context has more than {SPANS_BYTES_MAX} bytes of spans; give it "
                "fewer attributes"
            )
        try:
            decode_stacks(self.spans)
        except MalformedPayloadError as error:
            raise InvalidRequestError(reason=f"the trace context: {error}") from error
        if not is_trace_id(self.trace_id) or not are_states(self.states):
            raise InvalidRequestError(
                reason="the trace context has no valid trace_id or states; make it by "
                "TraceContext.parse"
            )

    def headers(self) -> dict[str, str]:
        """The two that say this; none for a trace without a span."""
        stacks = decode_stacks(self.spans)
        if not stacks or not stacks[0]:
            return {}
        found = {TRACE_PARENT: traceparent(self.trace_id, stacks[0][0].span_id)}
        return found | ({TRACE_STATE: ",".join(self.states)} if self.states else {})

    @classmethod
    def of_headers(cls, traceparent: str | None, tracestate: str | None) -> Self | None:
        """As `parse`; None where there is no trace to go on with, and another one begins."""
        found = None if traceparent is None else re.fullmatch(_PARENT, traceparent.strip())
        if found is None or (found["version"] == "00" and found["more"] is not None):
            return None
        trace_id, span_id = found["trace"], found["span"]
        if not int(trace_id, 16) or not int(span_id, 16):
            return None
        spans = encode_stacks([[ExternalSpan(span_id)]])
        return cls(trace_id, _states(tracestate or ""), spans)


def is_trace_id(text: str) -> bool:
    return re.fullmatch(_TRACE_ID, text) is not None and int(text, 16) != 0


def are_states(members: Sequence[str]) -> bool:
    """Whether `TraceContext.states` may be this; a header is made of it."""
    return len(members) <= STATES_MAX and all(re.fullmatch(_STATE, each) for each in members)


def traceparent(trace_id: str, span_id: str) -> str:
    """The header for a call from within this span."""
    return f"00-{trace_id}-{span_id}-00"


def _states(header: str) -> tuple[str, ...]:
    members = [member.strip() for member in header.split(",", STATES_MAX + 1)]
    members = [member for member in members if member]
    if not are_states(members):
        return ()
    while sum(map(len, members)) + len(members) - 1 > STATES_CHARS_MAX:
        members.pop()
    return tuple(members)


def begun_trace(given: TraceContext | None, random: Random) -> tuple[str, tuple[str, ...], bytes]:
    """
    What the entry of an invocation that begins says of its trace: id, states, and spans in stored
    form, its own with the rest.  Without a caller's trace it has its own.
    """
    drawn = random.bytes(_TRACE_ID_BYTES + ID_BYTES)
    own = drawn[_TRACE_ID_BYTES:]
    own = own if any(own) else _NOT_NULL
    if given is None:
        # An id of 0 only is none, however unlikely.
        trace_id = drawn[:_TRACE_ID_BYTES]
        trace_id = trace_id if any(trace_id) else _NOT_NULL * 2
        return trace_id.hex(), (), with_own(own, b"")
    # A log may come from anywhere, and a call that waits in it is worth more than its trace: this
    # entry is larger than the one that the call waits in, and may not be too large for the log.
    callers = given.spans if len(given.spans) <= SPANS_BYTES_MAX else b""
    try:
        return given.trace_id, given.states, with_own(own, callers)
    except MalformedPayloadError:
        return given.trace_id, given.states, with_own(own, b"")
