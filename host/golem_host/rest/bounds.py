"""Every bound of the REST API, in one place; docs/rest.md lists them."""

from __future__ import annotations

from typing import Final

REQUESTS_MAX: Final = 1_024
"""Requests in work at the same time on one listener; the next one gets 503 and ``Retry-After``."""

CONNECTIONS_MAX: Final = 2_048
"""Open connections of one listener; the next one gets 503 and is closed."""

UPLOADS_MAX: Final = 2
"""Component uploads at the same time: each may hold `COMPONENT_BYTES_MAX` in memory."""

THREADS_MAX: Final = 32
"""Threads for what blocks: opening logs, compiling, waiting for the disk.  A caller that waits for
an invocation or for output holds none."""

HEAD_BYTES_MAX: Final = 32 << 10
"""Request line and headers together."""

BODY_BYTES_MAX: Final = 16 << 20
COMPONENT_BYTES_MAX: Final = 256 << 20

HEAD_S: Final = 10.0
"""From the first byte (or the opening of the connection) to the end of the headers."""

BODY_S: Final = 60.0
"""From the end of the headers to the end of the body."""

COMPONENT_S: Final = 600.0

WRITE_S: Final = 30.0
"""How long a client may read nothing while there is something for it."""

KEEP_ALIVE_S: Final = 15.0
"""How long a connection may be idle between two requests."""

SHUTDOWN_S: Final = 3.0
"""How long requests in work may take to end after the host has begun to close."""

PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 1_000
"""Items of a page."""

PAGE_BYTES_MAX: Final = 4 << 20
"""A page of oplog entries ends when it is this large, as JSON."""

WAIT_S_MAX: Final = 24 * 3600.0
"""The longest time that a request may ask to wait."""

NOTICES_MAX: Final = 100
"""Notices that wait for a slow reader of a worker's output; the oldest go first.  Output itself
waits in the log."""

MARK_S: Final = 15.0
"""How often a stream of output that has nothing to say tells where it stands."""

FORM_DEPTH_MAX: Final = 64
"""Nesting of a JSON document outside of guest values."""

RETRY_AFTER_S: Final = 1

assert REQUESTS_MAX <= CONNECTIONS_MAX
