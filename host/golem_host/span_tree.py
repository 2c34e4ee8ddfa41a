"""
Spans within each other, and what they take of the host's memory.

Source: spec 1.7 and 5.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from golem_host.failures import GuestLimitError
from golem_oplog.entries import Pairs
from golem_oplog.spans import ExternalSpan, LocalSpan, OwnSpan, Stacks
from golem_oplog.spans import Span as StoredSpan

LIVE_SPANS_MAX: Final = 10_000
"""Of one instance: those that are open, those that a handle shows, and all that lie above them."""
LIVE_BYTES_MAX: Final = 1 << 20
"""Of the attributes of these spans."""
_FRAME_BYTES: Final = 64
"""What an attribute takes besides its key and its value, however short they are."""


class Held:
    """What the spans of one instance hold of the host's memory; each gives back its own."""

    __slots__ = ("size_bytes", "spans")

    def __init__(self) -> None:
        self.spans = 0
        self.size_bytes = 0

    def check(self, more_bytes: int = 0, more_spans: int = 0) -> None:
        """
        Raises:
            GuestLimitError: There is no room for so many more.
        """
        if self.spans + more_spans > LIVE_SPANS_MAX:
            raise GuestLimitError(f"more than {LIVE_SPANS_MAX} spans; finish and drop some")
        if self.size_bytes + more_bytes > LIVE_BYTES_MAX:
            raise GuestLimitError(
                f"attributes of spans take more than {LIVE_BYTES_MAX} bytes; finish and drop spans"
            )


class Span:
    """One span, with those above it."""

    __slots__ = (
        "_held",
        "_size_bytes",
        "attributes",
        "depth",
        "is_external",
        "is_made_up",
        "is_open",
        "linked",
        "parent",
        "span_id",
        "start_ns",
    )

    def __init__(
        self,
        span_id: str,
        parent: Span | None,
        start_ns: int = 0,
        attributes: Pairs = (),
        *,
        held: Held,
        is_external: bool = False,
    ) -> None:
        self.span_id = span_id
        self.parent = parent
        self.linked: Span | None = None
        """What is looked at before the parent, if anything."""
        self.start_ns = start_ns
        self.attributes: dict[str, str] = {}
        self.is_external = is_external
        self.is_open = True
        self.is_made_up = False
        """Whether the log does not have its start, and so nothing of it."""
        self.depth: int = 0 if parent is None else parent.depth + 1
        self._held = held
        self._size_bytes = 0
        held.spans += 1
        for key, value in attributes:
            self.say(key, value)

    def __del__(self) -> None:
        self._held.spans -= 1
        self._held.size_bytes -= self._size_bytes

    def growth(self, key: str, value: str) -> int:
        """By how many bytes it takes more when this is said of it."""
        before = self.attributes.get(key)
        return held_by(key, value) - (0 if before is None else held_by(key, before))

    def say(self, key: str, value: str) -> None:
        """Set an attribute."""
        more = self.growth(key, value)
        self.attributes[key] = value
        self._size_bytes += more
        self._held.size_bytes += more

    def up(self) -> Iterator[Span]:
        """Itself and what is above it."""
        span: Span | None = self
        while span is not None:
            yield span
            span = span.parent

    def lookup(self) -> Iterator[Span]:
        """Where inherited attributes are looked for, in order; a link of a link is not followed."""
        for span in self.up():
            yield span
            if span.linked is not None:
                yield from span.linked.up()


class Said(NamedTuple):
    """Of the span of an invocation; or of an instance before its first one."""

    start_ns: int
    attributes: Pairs


def size_of(key: str, value: str) -> int:
    """Bytes of an attribute."""
    return len(key.encode()) + len(value.encode())


def held_by(key: str, value: str) -> int:
    """What an attribute takes of `LIVE_BYTES_MAX`."""
    return size_of(key, value) + _FRAME_BYTES


def tree(stacks: Stacks, own: Said, held: Held) -> Span:
    """The innermost span of the first stack."""
    linked = [_chain(stack, own, held) for stack in stacks[1:]]
    top = _chain(stacks[0], own, held)
    assert top is not None
    for span, stored in zip(top.up(), stacks[0], strict=True):
        if isinstance(stored, LocalSpan) and stored.linked is not None:
            # Counted from the outer list's beginning, whose first is this one.
            at = stored.linked - 1
            span.linked = linked[at] if 0 <= at < len(linked) else None
    return top


def _chain(stack: Sequence[StoredSpan], own: Said, held: Held) -> Span | None:
    span: Span | None = None
    for stored in reversed(stack):
        match stored:
            case ExternalSpan(span_id):
                span = Span(span_id, span, held=held, is_external=True)
            case OwnSpan(span_id):
                span = Span(span_id, span, own.start_ns, own.attributes, held=held)
            case LocalSpan(span_id, start_ns, _, _, attributes, _):
                span = Span(span_id, span, start_ns, attributes, held=held)
    return span


def stored_span(span: Span, said: Pairs) -> StoredSpan:
    """As another worker is given it, saying this."""
    if span.is_external:
        return ExternalSpan(span.span_id)
    parent = None if span.parent is None else span.parent.span_id
    return LocalSpan(span.span_id, span.start_ns, parent, None, said, inherited=True)
