"""The worker itself: keys for its effects, copies of it, its log."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from golem_guest._world import host, uuid_of

_HOST = host()


class Forked(Enum):
    """Which of the two a worker is after `fork`."""

    ORIGINAL = "original"
    FORKED = "forked"


def idempotency_key() -> UUID:
    """
    A fresh key that is the same again when this point is repeated.

    Send it along with a request, and a service that knows keys does it once.
    """
    return uuid_of(_HOST.generate_idempotency_key())


def fork(name: str) -> Forked:
    """
    Become two: a new worker of this name goes on from here with everything that this one knows.

    Each learns which of the two it is.  Traps if there is a worker of this name.
    """
    return Forked[_HOST.fork(name).name]


def commit(replicas: int = 1) -> None:
    """
    Return when everything so far is on disk.

    Args:
        replicas: How many copies are wished for, at most 255.

    Raises:
        ValueError: They are more, or fewer than 0.
    """
    if not 0 <= replicas <= 255:
        message = f"{replicas} copies cannot be asked for: 0 to 255"
        raise ValueError(message)
    _HOST.oplog_commit(replicas)
