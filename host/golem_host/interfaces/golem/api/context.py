"""
``golem:api/context``: spans of the invocation that runs, and what is known of those around it.

Source: spec 1.7 and 2.17, with the project's remark R49.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface, on_drop, resource
from golem_host.interfaces.wasi.clocks.wall_clock import Datetime
from golem_host.span_tree import Span
from golem_host.tracing import Tracing, trace_headers
from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Variant

INTERFACE: Final = "golem:api/context"


@dataclass(frozen=True, slots=True)
class Attribute:
    """``attribute``."""

    key: str
    value: Variant


@dataclass(frozen=True, slots=True)
class AttributeChain:
    """``attribute-chain``: the first value is the innermost."""

    key: str
    values: list[Variant]


@dataclass(frozen=True, slots=True)
class Seen:
    """Behind a handle ``invocation-context``: a span, and the trace that it belongs to."""

    trace_id: str
    states: tuple[str, ...]
    span: Span


@interface(INTERFACE)
class ContextFunctions:
    @function(UNRECORDED)
    def start_span(self, context: InstanceContext, name: str) -> Span:
        return context.part(Tracing).start((("name", name),))

    @function(UNRECORDED)
    def current_context(self, context: InstanceContext) -> Seen:
        tracing = context.part(Tracing)
        return Seen(tracing.trace_id, tracing.states, tracing.look())

    @function(UNRECORDED)
    def allow_forwarding_trace_context_headers(self, context: InstanceContext, allow: bool) -> bool:
        tracing = context.part(Tracing)
        before, tracing.forwards = tracing.forwards, allow
        return before


@resource(INTERFACE, "span")
class SpanResource:
    @function(UNRECORDED)
    def started_at(self, context: InstanceContext, span: Span) -> Datetime:
        return Datetime.from_unix_ns(span.start_ns)

    @function(UNRECORDED)
    def set_attribute(
        self, context: InstanceContext, span: Span, name: str, value: Variant
    ) -> None:
        context.part(Tracing).say(span, name, _text(value))

    @function(UNRECORDED)
    def set_attributes(
        self, context: InstanceContext, span: Span, attributes: list[Public]
    ) -> None:
        for each in attributes:
            context.part(Tracing).say(span, each["key"], _text(each["value"]))

    @function(UNRECORDED)
    def finish(self, context: InstanceContext, span: Span) -> None:
        context.part(Tracing).finish(span)

    @on_drop
    def drop(self, context: InstanceContext, span: Span) -> None:
        context.part(Tracing).finish(span)


@resource(INTERFACE, "invocation-context")
class InvocationContextResource:
    @function(UNRECORDED)
    def trace_id(self, context: InstanceContext, seen: Seen) -> str:
        return seen.trace_id

    @function(UNRECORDED)
    def span_id(self, context: InstanceContext, seen: Seen) -> str:
        return seen.span.span_id

    @function(UNRECORDED)
    def parent(self, context: InstanceContext, seen: Seen) -> Seen | None:
        above = seen.span.parent
        return None if above is None else Seen(seen.trace_id, seen.states, above)

    @function(UNRECORDED)
    def get_attribute(
        self, context: InstanceContext, seen: Seen, key: str, inherited: bool
    ) -> Variant | None:
        found = (s.attributes[key] for s in _within(seen, inherited) if key in s.attributes)
        return next(map(_value, found), None)

    @function(UNRECORDED)
    def get_attributes(
        self, context: InstanceContext, seen: Seen, inherited: bool
    ) -> list[Attribute]:
        """The innermost value of each key."""
        chains = _chains(_within(seen, inherited))
        return [Attribute(key, _value(values[0])) for key, values in chains.items()]

    @function(UNRECORDED)
    def get_attribute_chain(self, context: InstanceContext, seen: Seen, key: str) -> list[Variant]:
        return [_value(s.attributes[key]) for s in seen.span.lookup() if key in s.attributes]

    @function(UNRECORDED)
    def get_attribute_chains(self, context: InstanceContext, seen: Seen) -> list[AttributeChain]:
        chains = _chains(seen.span.lookup())
        return [AttributeChain(key, [*map(_value, values)]) for key, values in chains.items()]

    @function(UNRECORDED)
    def trace_context_headers(self, context: InstanceContext, seen: Seen) -> list[tuple[str, str]]:
        return trace_headers(seen.trace_id, seen.states, seen.span)


def _text(value: Variant) -> str:
    assert isinstance(value.value, str)
    return value.value


def _value(text: str) -> Variant:
    return Variant("string", text)


def _within(seen: Seen, inherited: bool) -> Iterator[Span]:
    return seen.span.lookup() if inherited else iter((seen.span,))


def _chains(spans: Iterable[Span]) -> dict[str, list[str]]:
    """The values of each key, innermost first; keys in the order in which they are met."""
    chains: dict[str, list[str]] = {}
    for span in spans:
        for key, value in span.attributes.items():
            chains.setdefault(key, []).append(value)
    return chains


CONTEXT: Final = (ContextFunctions(), SpanResource(), InvocationContextResource())
