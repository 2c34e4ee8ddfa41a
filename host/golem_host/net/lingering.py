"""
Closed connections that still send what they kept, so that the end of a process does not swallow it.

Apart from `golem_host.net.sockets`, since a host without a network need not import that.
"""

from __future__ import annotations

import threading
from typing import Final

LINGER_S: Final = 5
"""How long a closed connection still tries, and a host that closes waits for it."""

_threads: set[threading.Thread] = set()


def enter(thread: threading.Thread) -> None:
    """A thread sends for a connection that is closed."""
    _threads.add(thread)


def leave(thread: threading.Thread) -> None:
    """Sent, or given up."""
    _threads.discard(thread)


def wait() -> None:
    """Until everything is sent or given up; all of them give up at about the same time."""
    for thread in tuple(_threads):
        thread.join(2 * LINGER_S)
