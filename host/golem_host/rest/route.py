"""One operation of the REST API: what it takes, what it answers, what it may refuse with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from golem_host.rest import bodies as b
from golem_host.rest.exchange import Exchange
from golem_oplog.lazy_dataclass import dataclass

Action: TypeAlias = Callable[[Exchange], object]
"""Run in a thread of the pool, or on the event loop if it is a coroutine function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation."""

    name: str
    """The operation's id, as in OpenAPI."""
    method: str
    path: str
    summary: str
    action: Action
    query: type = b.NoQuery
    body: type | str | None = None
    """A dataclass for JSON, or the media type of what is taken as it is."""
    reply: object = b.Nothing
    """A type for JSON, or a media type."""
    errors: tuple[str, ...] = ()
    """Classes beyond those that every route may answer with."""
    status: int = 200
    takes_key: bool = False
    """Whether the header ``Idempotency-Key`` means something."""
    waits: bool = False
    """Whether it may take long: it ends when its client goes away."""

    @property
    def path_names(self) -> list[str]:
        pieces = [piece.partition("}")[0] for piece in self.path.split("{")[1:]]
        return [piece.partition(":")[0] for piece in pieces]


COMMON_ERRORS: Final = (
    "InvalidRequestError",
    "UnauthorizedError",
    "ForbiddenOriginError",
    "StateDirError",
    "OverloadedError",
    "HostClosingError",
)

COMPONENT: Final = "/v1/components/{component}"
WORKERS: Final = f"{COMPONENT}/workers"
WORKER: Final = f"{WORKERS}/{{worker}}"

COMPONENT_ERRORS: Final = ("ComponentNotFoundError",)
WORKER_ERRORS: Final = (*COMPONENT_ERRORS, "WorkerNotFoundError", "CorruptOplogError")
BODY_ERRORS: Final = ("BodyTooLargeError", "MediaTypeError", "SlowClientError")
