"""
The spans of one instance: what is open, which one is current, and what is said of each.

`start`, `finish` and `say` are for guests (``golem:api/context``) and for whatever in the host opens
spans on their behalf; each leaves an entry.  The tree itself is made again by a replay.

Source: spec 1.7, 2.17, 3.2 and 5.3, with the project's remark R49: a span ends once.
"""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import Final, Self

from golem_host.context import InstanceContext
from golem_host.failures import GuestLimitError
from golem_host.replay import Perform
from golem_host.span_tree import Held, Said, Span, held_by, size_of, stored_span, tree
from golem_host.trace_context import (
    SPANS_BYTES_MAX,
    TraceContext,
    are_states,
    is_trace_id,
    traceparent,
)
from golem_oplog.entries import (
    ExportedFunctionInvoked,
    FinishSpan,
    Pairs,
    SetSpanAttribute,
    StartSpan,
)
from golem_oplog.errors import MalformedPayloadError
from golem_oplog.spans import (
    Invoked,
    OwnSpan,
    Stacks,
    decode_stacks,
    encode_stacks,
)

DEPTH_MAX: Final = 1_000
"""Spans above a span, the caller's included."""
INHERITED_MAX: Final = 100
"""Spans that another worker is given: the innermost ones."""
ATTRIBUTES_MAX: Final = 1_000
"""Of one span."""
ATTRIBUTE_BYTES_MAX: Final = 64 << 10
"""Of one attribute, key and value together."""
_STORED_SPAN_BYTES_MAX: Final = 64
"""Of one span in stored form, without its attributes."""
_STORED_PAIR_BYTES_MAX: Final = 11
"""Around key and value of an attribute in stored form."""
_ID_DIGITS: Final = 16
_TRACE_ID_DIGITS: Final = 32


class Tracing:
    """The `Part` of one instance."""

    def __init__(self, context: InstanceContext) -> None:
        self._context = context
        self.forwards = True
        """Whether outgoing requests name the trace; the guest's own setting (spec 0.3)."""
        self._invoked = context.invoked
        self._unrecorded = 0
        self._held = Held()
        self._begin()

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        return cls(context)

    def close(self) -> None:
        """Nothing of the host's was lent."""

    # -- the trace of the invocation that runs ------------------------------------------------

    def _begin(self) -> None:
        context, invoked = self._context, self._context.invoked
        self._invoked = invoked
        ids = _derived_ids(context)
        self._trace_id = ids[:_TRACE_ID_DIGITS]
        self._states: tuple[str, ...] = ()
        stacks: Stacks = ((OwnSpan(ids[_TRACE_ID_DIGITS:]),),)
        if invoked is not None and is_trace_id(invoked.trace_id):
            self._trace_id = invoked.trace_id
            self._states = invoked.trace_states if are_states(invoked.trace_states) else ()
            stacks = _decoded(invoked.spans) or stacks
        self._current = tree(stacks, self._said_of(invoked), self._held)

    def _said_of(self, invoked: ExportedFunctionInvoked | None) -> Said:
        identity = self._context.services.identity
        worker = ("worker_id", f"{identity.component_id}/{identity.worker_name}")
        if invoked is None:
            return Said(identity.created_ns, (worker,))
        name = self._context.oplog.function(invoked.function).name
        said = Invoked(invoked.timestamp, invoked.idempotency_key, name).attributes
        return Said(invoked.timestamp, (*said, worker))

    def _refresh(self) -> None:
        if self._invoked is not self._context.invoked:
            self._begin()

    @property
    def trace_id(self) -> str:
        self._refresh()
        return self._trace_id

    @property
    def states(self) -> tuple[str, ...]:
        self._refresh()
        return self._states

    @property
    def current(self) -> Span:
        self._refresh()
        return self._current

    def look(self) -> Span:
        """
        The current span, for as long as the guest likes.

        Raises:
            GuestLimitError: What is kept of earlier invocations takes too much.
        """
        current = self.current
        if self._context.replay.live:
            self._held.check()
        return current

    def headers(self) -> list[tuple[str, str]]:
        """What an outgoing request says of the trace; nothing where the guest does not want it."""
        if not self.forwards:
            return []
        return trace_headers(self.trace_id, self.states, self.current)

    def for_callee(self) -> TraceContext:
        """
        What another worker that is called now is given: this trace, and the spans around here.

        Attributes for which there is no room are left out, those of the outer spans first.
        """
        stack = []
        room = SPANS_BYTES_MAX - INHERITED_MAX * _STORED_SPAN_BYTES_MAX
        for span in islice(self.current.up(), INHERITED_MAX):
            said = []
            for key, value in span.attributes.items():
                size = size_of(key, value) + _STORED_PAIR_BYTES_MAX
                if size <= room:
                    room -= size
                    said.append((key, value))
            stack.append(stored_span(span, tuple(said)))
        return TraceContext(self.trace_id, self.states, encode_stacks([stack]))

    # -- spans --------------------------------------------------------------------------------

    def start(self, attributes: Pairs) -> Span:
        """
        Open a span below the current one, which it is from now on.

        Raises:
            GuestLimitError: It says too much, lies too deep, or there are too many.
        """
        context, parent = self._context, self.current
        if parent.depth >= DEPTH_MAX:
            raise GuestLimitError(f"a span below {DEPTH_MAX} others")
        for key, value in attributes:
            _check_size(key, value)
        found = context.replay.start_span()
        is_made_up = found is None
        if not isinstance(found, StartSpan):
            # What is in the log had room; whether there is any may depend on the host's version.
            self._held.check(sum(held_by(key, value) for key, value in attributes), 1)
        if isinstance(found, Perform):
            span_id = _new_id(context)
            found = StartSpan(context.clock_ns(), span_id, parent.span_id, None, attributes)
            context.append(found)
        elif found is None:
            # The log has none: the same one in each replay.
            self._unrecorded += 1
            span_id = _derived_ids(context, f"{context.agreed_index}/{self._unrecorded}")
            time_ns = context.replay.time_ns
            found = StartSpan(time_ns, span_id[:_ID_DIGITS], None, None, attributes)
        self._current = Span(
            found.span_id, parent, found.timestamp, found.attributes, held=self._held
        )
        self._current.is_made_up = is_made_up
        return self._current

    def finish(self, span: Span) -> None:
        """Close a span, once; if it is the current one, the nearest open one above it is that."""
        if not span.is_open:
            return
        span.is_open = False
        if self.current is span:
            self._current = next(each for each in span.up() if each.is_open)
        context = self._context
        end = FinishSpan(context.clock_ns(), span.span_id)
        if span.is_made_up:
            context.replay.made_up(end)
        elif isinstance(context.replay.finish_span(span.span_id), Perform):
            context.append(end)

    def say(self, span: Span, key: str, value: str) -> None:
        """
        Set an attribute; a span that is closed says nothing more.

        Raises:
            GuestLimitError: It is too large, the span has too many, or all together say too much.
        """
        if not span.is_open:
            return
        _check_size(key, value)
        if key not in span.attributes and len(span.attributes) >= ATTRIBUTES_MAX:
            raise GuestLimitError(f"more than {ATTRIBUTES_MAX} attributes of one span")
        context = self._context
        attribute = SetSpanAttribute(context.clock_ns(), span.span_id, key, value)
        if span.is_made_up:
            self._held.check(span.growth(key, value))
            context.replay.made_up(attribute)
        elif isinstance(context.replay.set_span_attribute(attribute), Perform):
            self._held.check(span.growth(key, value))
            context.append(attribute)
        span.say(key, value)


def _decoded(stored: bytes) -> Stacks:
    """None where a log from elsewhere holds none: nothing that a guest does may depend on that."""
    try:
        stacks = decode_stacks(stored)
    except MalformedPayloadError:
        return ()
    return stacks if stacks and stacks[0] else ()


def trace_headers(trace_id: str, states: tuple[str, ...], span: Span) -> list[tuple[str, str]]:
    """The headers that carry on a trace from within a span."""
    named = [("traceparent", traceparent(trace_id, span.span_id))]
    return [*named, ("tracestate", ",".join(states))] if states else named


def _check_size(key: str, value: str) -> None:
    if size_of(key, value) > ATTRIBUTE_BYTES_MAX:
        raise GuestLimitError(f"an attribute of a span is larger than {ATTRIBUTE_BYTES_MAX} bytes")


def _new_id(context: InstanceContext) -> str:
    drawn = context.services.random.bytes(_ID_DIGITS // 2)
    # An id of 0 only is none.
    return drawn.hex() if any(drawn) else f"{1:0{_ID_DIGITS}x}"


def _derived_ids(context: InstanceContext, *more: str) -> str:
    """Digits that are the same in each replay, where the log has no id."""
    identity = context.services.identity
    who = (identity.component_id, identity.worker_name, str(identity.created_ns), context.key)
    return hashlib.sha256("/".join((*who, *more)).encode()).hexdigest()[
        : _TRACE_ID_DIGITS + _ID_DIGITS
    ]
