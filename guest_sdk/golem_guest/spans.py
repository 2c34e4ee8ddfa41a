"""Named stretches of work, for those who follow a request from worker to worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from golem_guest._world import imported

_CONTEXT = imported("golem:api/context", marker="start_span", version="1.1.7")


@contextmanager
def span(name: str, **attributes: object) -> Iterator[None]:
    """A span around the block, below the one that is current; attributes are kept as text."""
    opened = _CONTEXT.start_span(name)
    with opened:
        for key, value in attributes.items():
            opened.set_attribute(key, _CONTEXT.AttributeValue_String(str(value)))
        yield
        opened.finish()


def trace_headers() -> dict[str, str]:
    """The HTTP headers that carry the current trace on."""
    with _CONTEXT.current_context() as current:
        return dict(current.trace_context_headers())
