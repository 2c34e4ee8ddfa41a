"""Every bound of the REST API, in one place; docs/rest.md lists them."""

from __future__ import annotations

from typing import Final

from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one listener takes on."""

    requests_max: int = 1_024
    """Requests in work at the same time; the next one gets 503 and ``Retry-After``."""
    connections_max: int = 2_048
    """Open connections; the next one gets 503 and is closed."""
    uploads_max: int = 2
    """Component uploads at the same time: each may hold `component_bytes_max` in memory."""
    threads_max: int = 32
    """Threads for what blocks: opening logs, compiling, waiting for the disk.  A caller that waits
    for an invocation or for output holds none."""
    head_bytes_max: int = 32 << 10
    """Request line and headers together."""
    body_bytes_max: int = 16 << 20
    """A body of JSON."""
    component_bytes_max: int = 256 << 20
    """A component."""
    head_s: float = 10.0
    """From the opening of the connection, or the first byte of a later request, to the end of the
    headers."""
    body_s: float = 60.0
    """From the end of the headers to the end of a body of JSON."""
    component_s: float = 600.0
    """The same for a component."""
    drain_s: float = 2.0
    """How long the body of a refused request is read and thrown away, so that its sender gets to
    read why."""
    write_s: float = 30.0
    """How long a client may read nothing while there is something for it."""
    keep_alive_s: int = 15
    """How long a connection may be idle between two requests."""
    shutdown_s: int = 3
    """How long requests in work may take to end after the host has begun to close."""

    def __post_init__(self) -> None:
        assert self.requests_max <= self.connections_max


PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1_000
"""Items of a page."""

PAGE_BYTES_MAX: Final = 4 << 20
"""A page of oplog entries ends when it is this large, as JSON."""

SCAN_ENTRIES_MAX: Final = 100_000
"""A page of oplog entries ends when so many were looked at, whether or not they are in it."""

SCAN_COST_MAX: Final = 64 << 20
"""The same for the characters that a query was held against, by `golem_oplog.Search.cost`."""

WAIT_S_MAX: Final = 24 * 3600.0
"""The longest time that a request may ask to wait."""

NOTICES_MAX: Final = 100
"""Notices that wait for a slow reader of a worker's output; the oldest go first.  Output itself
waits in the log."""

MARK_S: Final = 15.0
"""How often a stream of output that has nothing to say tells where it stands."""

TYPE_DEPTH_MAX: Final = 64
"""Nesting of a type that a client gives."""

RETRY_AFTER_S: Final = 1
