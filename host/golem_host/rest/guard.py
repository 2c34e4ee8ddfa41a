"""
Who may ask, and how many at once: what stands between a listener and the application.

A page in a browser can send requests to loopback, under any name that resolves to it (DNS
rebinding).  So without a token the ``Host`` header must name loopback, and a request that says it
comes from another site (``Origin``, ``Sec-Fetch-Site``) is refused in any case.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from golem_host.rest.bounds import RETRY_AFTER_S, Bounds
from golem_host.rest.errors import (
    ForbiddenOriginError,
    OverloadedError,
    RestError,
    UnauthorizedError,
    document_of,
    status_of,
)
from golem_host.rest.exchange import JSON
from golem_oplog.lazy_dataclass import dataclass

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may use one listener."""

    token: str | None = None
    """What ``Authorization: Bearer`` must give; None for no token."""
    hosts: frozenset[str] | None = None
    """Names that the ``Host`` header may give; None for any."""
    may_grant: bool = False
    """Whether guests may be given what is this machine's: it is for whoever could use it anyway."""


MAY_GRANT: Final = "golem_host.may_grant"
"""Under this name the policy's answer is in the scope of a request."""

SOCKET_POLICY: Final = Policy(may_grant=True)
"""For a unix socket: the file's mode has decided."""


class Guard:
    """An ASGI application around the real one."""

    def __init__(self, app: ASGIApp, policy: Policy, bounds: Bounds) -> None:
        self._app = app
        self._policy = policy
        self._bounds = bounds
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self._requests >= self._bounds.requests_max:
            reason = f"more than {self._bounds.requests_max} requests at once; try again"
            await self._refuse(receive, send, OverloadedError(reason=reason))
            return
        self._requests += 1
        try:
            headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
            error = self._refusal(headers)
            if error is not None:
                await self._refuse(receive, send, error)
                return
            # Names in a path are taken apart before they are decoded: they may hold a slash.
            scope[MAY_GRANT] = self._policy.may_grant
            scope["path"] = scope["raw_path"].decode("ascii")
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1

    async def _refuse(self, receive: Receive, send: Send, error: RestError) -> None:
        await drain(receive, self._bounds.drain_s)
        await refuse(send, error)

    def _refusal(self, headers: dict[str, bytes]) -> RestError | None:
        host = _hostname(headers.get("host", b"").decode("latin-1"))
        if self._policy.hosts is not None and host not in self._policy.hosts:
            known = ", ".join(sorted(self._policy.hosts))
            return ForbiddenOriginError(reason=f"the header Host names {host!r}, not {known}")
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", b"none")
        if site not in {b"none", b"same-origin"} or (
            origin is not None and origin != _own(headers)
        ):
            return ForbiddenOriginError(reason="requests from web pages of other sites are refused")
        if self._policy.token is not None and not _fits(headers, self._policy.token):
            return UnauthorizedError(reason="give the token: Authorization: Bearer TOKEN")
        return None


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def _own(headers: dict[str, bytes]) -> bytes:
    return b"http://" + headers.get("host", b"")


def _fits(headers: dict[str, bytes], token: str) -> bool:
    scheme, _, given = headers.get("authorization", b"").partition(b" ")
    # Whatever was given, the comparison takes the same time.
    is_equal = hmac.compare_digest(given.strip(), token.encode())
    return scheme.lower() == b"bearer" and is_equal


async def drain(receive: Receive, deadline_s: float) -> None:
    """
    Throw away what is still to come of a body.

    A connection that is closed with something unread is reset, and the answer may be lost.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline_s):
            while (await receive()).get("more_body", False):
                pass


async def refuse(send: Send, error: BaseException) -> None:
    """Answer with an error, and close the connection: what else it holds is not read."""
    body = json.dumps(document_of(error)).encode()
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if isinstance(error, OverloadedError):
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if isinstance(error, UnauthorizedError):
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status_of(error), "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
