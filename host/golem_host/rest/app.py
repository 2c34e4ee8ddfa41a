"""The web application: each route of the table around its action."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as WebRoute

from golem_host.errors import InvalidRequestError
from golem_host.rest.bounds import RETRY_AFTER_S, Bounds
from golem_host.rest.errors import (
    BodyTooLargeError,
    MediaTypeError,
    MethodNotAllowedError,
    NoSuchPathError,
    OverloadedError,
    SlowClientError,
    document_of,
    status_of,
)
from golem_host.rest.exchange import JSON, UPLOADS, Exchange, Raw, Stream, Waits
from golem_host.rest.guard import MAY_GRANT, drain
from golem_host.rest.openapi import PATH, openapi_document
from golem_host.rest.route import Route
from golem_host.rest.routes import ROUTES
from golem_host.rest.shapes import write
from golem_oplog.data_error import DataError
from golem_oplog.jsonform import parse_json

if TYPE_CHECKING:
    from golem_host.host import Host

_LOG: Final = logging.getLogger(__name__)

_UNREAD: Final = (BodyTooLargeError, SlowClientError, MediaTypeError, OverloadedError)
"""Errors after which a part of the body may be still to come."""

Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """Everything that the endpoints of one listener share."""

    def __init__(self, host: Host, waits: Waits, pool: Executor, bounds: Bounds) -> None:
        self.host = host
        self.waits = waits
        self.pool = pool
        self._bounds = bounds
        self._uploads = 0

    def app(self) -> Starlette:
        by_path: dict[str, dict[str, Endpoint]] = {PATH: {"GET": self._openapi}}
        for route in ROUTES:
            by_path.setdefault(route.path, {})[route.method] = self._endpoint(route)
        routes = [_web_route(path, endpoints) for path, endpoints in by_path.items()]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
        # An address with one more slash is another address.
        app.router.redirect_slashes = False
        return app

    async def _openapi(self, _request: Request) -> Response:
        return _json(openapi_document(), 200)

    def _endpoint(self, route: Route) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                content = await self._content(route, request)
                return await _unless_left(request, route, self._answer(route, request, content))
            except DataError as error:
                if isinstance(error, _UNREAD):
                    await drain(request.receive, self._bounds.drain_s)
                return _failure(error)
            except ClientDisconnect:
                return Response(status_code=499)
            except Exception as error:  # noqa: BLE001 - the client is told, the log has it
                _LOG.exception("a request failed", extra={"operation": route.name})
                return _failure(error)

        return endpoint

    async def _content(self, route: Route, request: Request) -> bytes:
        if route.body is None:
            return b""
        wanted = route.body if isinstance(route.body, str) else JSON
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given != wanted:
            raise MediaTypeError(reason=f"the body's content-type is {wanted}, not {given[:100]!r}")
        bounds = self._bounds
        if route.body not in UPLOADS:
            return await read_body(request, bounds.body_bytes_max, bounds.body_s)
        if self._uploads >= bounds.uploads_max:
            reason = f"more than {bounds.uploads_max} uploads at once; try again"
            raise OverloadedError(reason=reason)
        self._uploads += 1
        try:
            return await read_body(request, bounds.component_bytes_max, bounds.component_s)
        finally:
            self._uploads -= 1

    async def _answer(self, route: Route, request: Request, content: bytes) -> Response:
        def exchange() -> Exchange:
            is_json = isinstance(route.body, type)
            return Exchange(
                host=self.host,
                waits=self.waits,
                pool=self.pool,
                path=request.path_params,
                pairs=request.query_params.multi_items(),
                headers=request.headers,
                content=content,
                document=_parse(content) if is_json else None,
                may_grant=request.scope.get(MAY_GRANT, False),
            )

        def act() -> Response:
            return _response(route, route.action(exchange()))

        work = self.waits.loop.run_in_executor
        if not iscoroutinefunction(route.action):
            return await work(self.pool, act)
        answer = await route.action(await work(self.pool, exchange))
        return await work(self.pool, lambda: _response(route, answer))


def _web_route(path: str, endpoints: Mapping[str, Endpoint]) -> WebRoute:
    async def endpoint(request: Request) -> Response:
        return await endpoints[request.method](request)

    route = WebRoute(path, endpoint, methods=list(endpoints))
    # Starlette adds it; nobody asks for the head of what is made only for them.
    (route.methods or set()).discard("HEAD")
    return route


async def read_body(request: Request, size_bytes_max: int, deadline_s: float) -> bytes:
    """
    The whole body.

    Raises:
        BodyTooLargeError, SlowClientError: It is not read to its end.
    """
    too_large = BodyTooLargeError(reason=f"the body is larger than {size_bytes_max} bytes")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > size_bytes_max:
        raise too_large
    pieces: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(deadline_s):
            async for piece in request.stream():
                size_bytes += len(piece)
                if size_bytes > size_bytes_max:
                    raise too_large
                pieces.append(piece)
    except TimeoutError:
        reason = f"the body did not arrive within {deadline_s:.0f} seconds"
        raise SlowClientError(reason=reason) from None
    return b"".join(pieces)


def _parse(content: bytes) -> object:
    document = parse_json(content or b"{}")
    if b"\\u" in content:
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise InvalidRequestError(
                reason="body: half of a surrogate pair in a string"
            ) from error
    return document


async def _unless_left(
    request: Request, route: Route, answer: Coroutine[None, None, Response]
) -> Response:
    """The answer, unless the client goes away before it is there."""
    if not route.waits:
        return await answer
    working = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _response(route: Route, answer: object) -> Response:
    match answer:
        case Raw(data, media_type):
            return Response(data, media_type=media_type)
        case Stream(pieces, media_type):
            return StreamingResponse(pieces, media_type=media_type)
        case _:
            return _json(write(answer), route.status)


def _json(document: object, status: int) -> Response:
    return Response(json.dumps(document), status, media_type=JSON)


def _failure(error: BaseException) -> Response:
    response = _json(document_of(error), status_of(error))
    if isinstance(error, OverloadedError):
        response.headers["retry-after"] = str(RETRY_AFTER_S)
    if isinstance(error, _UNREAD):
        response.headers["connection"] = "close"
    return response


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path[:200]
    if error.status_code != 405:
        return _failure(NoSuchPathError(reason=f"no operation has the path {path!r}"))
    response = _failure(
        MethodNotAllowedError(reason=f"no operation {request.method} has the path {path!r}")
    )
    response.headers["allow"] = (error.headers or {}).get("Allow", "")
    return response
