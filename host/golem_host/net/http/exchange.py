"""
One request on its way and its response: a coroutine on the loop, looked at by the guest's thread.

Nothing waits here for the guest but as its bodies do: a response that it does not read, and a
request that it does not write, hold up their own connection only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Final, TypeAlias

import h11

from golem_host.net.http.connection import HEAD_BYTES_MAX, Connection, fields_of, is_too_large
from golem_host.net.http.errors import HttpError, internal, of_response
from golem_host.net.http.pipe import Bells, Fields, LoopBell, Pipe
from golem_host.net.http.request import Delivered, Head, Request, Resumed, differing
from golem_host.net.http.upload import Upload

CONTINUE_S: Final = 1.0
"""How long a body that asks for ``100-continue`` waits for it, as servers may not know of it."""
INTERIM_MAX: Final = 32
"""Responses of one exchange that are not the last one."""

Connect: TypeAlias = Callable[[Request, bool], Awaitable[Connection]]
"""A connection for a request; with True one that was used before will do."""


class _StaleError(Exception):
    """A connection that had been used before was dead before anything came of it."""


class Exchange:
    """
    Args:
        request: What is sent.
        upload: Its body.
        bells: Who is told when something has happened.
        resumed: Where the response was read before: what was read is passed over.
    """

    def __init__(
        self, request: Request, upload: Upload, bells: Bells, resumed: Resumed | None
    ) -> None:
        self._request = request
        self._upload = upload
        self.bells = bells
        self._resumed = resumed
        self.head: Head | None = None
        self.error: HttpError | None = None
        """Why there is no `head`."""
        self.body = Pipe(bells)
        self._abort: Callable[[], None] = self._abort_early
        self._is_aborted = False

    # -- the guest's side ---------------------------------------------------------------------

    @property
    def is_decided(self) -> bool:
        return self.head is not None or self.error is not None

    def abort(self) -> None:
        """Nobody cares any more; the connection is closed unless everything has been received."""
        self.body.cut()
        self._abort()

    def _abort_early(self) -> None:
        self._is_aborted = True

    # -- the loop's side ----------------------------------------------------------------------

    def start(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[None, None, None]
    ) -> None:
        """Called on the loop."""
        task = loop.create_task(coroutine)

        def cancel() -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

        self._abort = cancel
        if self._is_aborted:
            task.cancel()

    async def run(self, connect: Connect, keep: Callable[[Connection], None]) -> None:
        """Carry it out; every failure is told to the guest's side."""
        try:
            await self._attempts(connect, keep)
        except HttpError as error:
            self.fail(error)
        except asyncio.CancelledError:
            self.fail(HttpError("connection-terminated", why="the exchange was given up"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            self.fail(internal(f"{type(error).__name__}: {error}"))
        finally:
            self._upload.cut()

    def fail(self, error: HttpError) -> None:
        if self.head is None:
            self.error = error
        self.body.fail(error)

    async def _attempts(self, connect: Connect, keep: Callable[[Connection], None]) -> None:
        may_be_used = self._request.may_repeat and self._resumed is None
        while True:
            connection = await connect(self._request, may_be_used)
            try:
                trailers = await _Attempt(self, connection, may_be_stale=connection.is_used).run()
            except _StaleError as error:
                # The second time on a connection of its own.
                if not self._upload.rewind():
                    raise HttpError("connection-terminated") from error
                may_be_used = False
            else:
                # First: the next request may follow as soon as the end is known.
                keep(connection)
                self.body.end(trailers)
                return
            finally:
                if not connection.is_parked:
                    connection.close()

    @property
    def request(self) -> Request:
        return self._request

    @property
    def upload(self) -> Upload:
        return self._upload

    @property
    def resumed(self) -> Resumed | None:
        return self._resumed

    def begin_response(self, head: Head) -> None:
        self.head = head
        self.bells.ring()


class _Attempt:
    """One exchange on one connection."""

    def __init__(self, exchange: Exchange, connection: Connection, *, may_be_stale: bool) -> None:
        self._exchange = exchange
        self._request = exchange.request
        self._connection = connection
        self._may_be_stale = may_be_stale
        self._may_send_body = asyncio.Event()
        self._upload_error: HttpError | None = None
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._loop.time()
        self._is_sending = False
        """Whether the network, and not the guest, holds up the request."""
        self._is_sent = False

    async def run(self) -> Fields:
        """Everything but to tell the end of the body, before which trailers stand."""
        sender = self._loop.create_task(self._send())
        try:
            return await self._receive()
        except (OSError, h11.RemoteProtocolError) as error:
            raise self._explained(error) from error
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def _explained(self, error: OSError | h11.RemoteProtocolError) -> Exception:
        if self._upload_error is not None:
            return self._upload_error
        has_received = self._connection.has_received
        if self._may_be_stale and not has_received:
            return _StaleError()
        if self._connection.has_ended:
            code = "HTTP-response-incomplete" if has_received else "connection-terminated"
            return HttpError(code, why=str(error))
        if is_too_large(error):
            return self._too_large()
        return of_response(error, has_begun=has_received)

    def _too_large(self) -> HttpError:
        part = "header" if self._exchange.head is None else "trailer"
        return HttpError(f"HTTP-response-{part}-section-size", HEAD_BYTES_MAX)

    # -- sending ------------------------------------------------------------------------------

    async def _send(self) -> None:
        try:
            await self._send_all()
        except OSError:
            # The response may be there all the same, and says more.
            self._exchange.upload.cut()
        except Exception as error:  # noqa: BLE001 - whatever it is, the receiver has to tell it
            text = f"the request: {error}"
            self._upload_error = error if isinstance(error, HttpError) else internal(text)
            self._connection.close()

    async def _send_all(self) -> None:
        request, upload = self._request, self._exchange.upload
        headers = [("host", request.authority.encode()), *request.headers]
        named = {name.lower() for name, _ in headers}
        if request.length is None:
            headers.append(("transfer-encoding", b"chunked"))
        elif "content-length" not in named and (request.length or request.method in _WITH_BODY):
            headers.append(("content-length", b"%d" % request.length))
        await self._put(
            h11.Request(
                method=request.method,
                target=request.target,
                headers=[(name.encode(), value.strip(b" \t")) for name, value in headers],
            )
        )
        if request.awaits_continue and request.length != 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(CONTINUE_S):
                    await self._may_send_body.wait()
        bell = LoopBell()
        with self._exchange.bells.hung(bell):
            while True:
                await bell.until(lambda: upload.is_ready)
                data = upload.take()
                if data is None:
                    break
                if data:
                    await self._put(h11.Data(data=data))
        trailers = [(name.encode(), value.strip(b" \t")) for name, value in upload.trailers]
        await self._put(h11.EndOfMessage(headers=trailers))
        self._is_sent = True

    async def _put(self, event: h11.Event) -> None:
        self._is_sending = True
        self._sent_at = self._loop.time()
        await self._connection.send(event)
        self._sent_at = self._loop.time()
        self._is_sending = False

    # -- receiving ----------------------------------------------------------------------------

    async def _receive(self) -> Fields:
        exchange = self._exchange
        response = await self._response()
        head = Head(response.status_code, fields_of(response, self._too_large()))
        if exchange.resumed is not None:
            exchange.resumed.check_head(head)
        exchange.begin_response(head)
        self._may_send_body.set()
        passed = Delivered()
        bell = LoopBell()
        with exchange.bells.hung(bell):
            while True:
                event = await self._next_of_body()
                if isinstance(event, h11.Data):
                    data = self._pass_over(bytes(event.data), passed)
                    if data:
                        exchange.body.put(data)
                        await bell.until(lambda: exchange.body.room > 0)
                elif isinstance(event, h11.EndOfMessage):
                    break
        resumed = exchange.resumed
        if resumed is not None and passed.size < resumed.delivered.size:
            raise differing()
        return fields_of(event, self._too_large())

    def _pass_over(self, data: bytes, passed: Delivered) -> bytes:
        """What its reader has not got yet."""
        resumed = self._exchange.resumed
        if resumed is None or passed.size == resumed.delivered.size:
            return data
        old = data[: resumed.delivered.size - passed.size]
        passed.add(old)
        if passed.size == resumed.delivered.size and not passed.matches(resumed.delivered):
            raise differing()
        return data[len(old) :]

    async def _response(self) -> h11.Response:
        for _ in range(INTERIM_MAX):
            event = await self._first()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.InformationalResponse) and event.status_code == 100:
                self._may_send_body.set()
        raise HttpError("HTTP-protocol-error", why="too many interim responses")

    async def _first(self) -> h11.Event:
        """The next event before the body; the time begins when the request is sent."""
        limit = self._request.timeouts.first_byte
        while True:
            deadline = self._sent_at + limit
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._connection.receive()
            except TimeoutError as error:
                if self._is_sending and deadline >= self._sent_at + limit:
                    raise HttpError("connection-write-timeout") from error
                if self._is_sent and deadline >= self._sent_at + limit:
                    raise HttpError("connection-read-timeout") from error
                if not self._is_sending and not self._is_sent:
                    # It is the guest that has not gone on with its body.
                    self._sent_at = self._loop.time()

    async def _next_of_body(self) -> h11.Event:
        try:
            async with asyncio.timeout(self._request.timeouts.between_bytes):
                return await self._connection.receive()
        except TimeoutError as error:
            raise HttpError("connection-read-timeout") from error


_WITH_BODY: Final = frozenset(("POST", "PUT", "PATCH"))
"""Methods whose requests say that they have no body."""
