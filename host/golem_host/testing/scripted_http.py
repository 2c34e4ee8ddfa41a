"""
Answers to ``wasi:http`` without a network: what a test says, recorded as a real answer would be.

No grant is needed, since nothing leaves the process.  A request that is made again under the same
idempotency key, because a crash left nobody who knew its answer, is given the same answer again, as
a server that keeps to such keys does; each time is listed in `HttpScript.requests`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

from golem_host.net.http.client import HttpClient
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host.net.http.exchange import Exchange
    from golem_host.net.http.pipe import Bells
    from golem_host.net.http.request import Request, Resumed
    from golem_host.net.http.upload import Upload

REQUESTS_MAX: Final = 10_000
"""That one script answers; further ones fail."""
BODY_BYTES_MAX: Final = 64 << 20
"""Of one request; a larger one fails."""
_KEY: Final = "idempotency-key"


class UnexpectedRequestError(AssertionError):
    """A guest asked for something that its test has no answer to."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a guest has sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    """As they were sent; the host's own ones, such as the key, are among them."""
    body: bytes = b""
    attempt: int = 1
    """2 where it is the same request, made again after a crash; and so on."""

    def header(self, name: str) -> str | None:
        """The first header of a name, in upper or lower case."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def json(self) -> object:
        """
        The body.

        Raises:
            ValueError: It is no JSON.
        """
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, value: object, status: int = 200) -> HttpResponse:
        body = json.dumps(value).encode()
        return cls(status, body, (("content-type", "application/json"),))


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """No answer: ``code`` is a case of ``wasi:http/types.error-code``, one that carries nothing."""

    code: str = "connection-refused"


HttpAnswer: TypeAlias = HttpResponse | HttpFailure
HttpAnswers: TypeAlias = (
    Mapping[str, HttpAnswer] | Iterable[HttpAnswer] | Callable[[HttpRequest], HttpAnswer | None]
)
"""
By ``"GET https://example.org/path"``; one after the other; or a function of the request, which returns
None for what it does not expect.
"""


@dataclass(slots=True)
class HttpScript:
    """What is answered, and what was asked for."""

    answers: HttpAnswers = ()
    requests: list[HttpRequest] = field(default_factory=list)
    """In the order in which they came, repetitions included."""
    unexpected: list[HttpRequest] = field(default_factory=list)
    _given: dict[tuple[str, str, str], tuple[int, HttpAnswer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if not callable(self.answers) and not isinstance(self.answers, Mapping):
            self.answers = iter(self.answers)

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer to a request; None, and it is noted, where there is none."""
        with self._lock:
            if len(self.requests) >= REQUESTS_MAX:
                return None
            key = (request.header(_KEY) or "", request.method, request.url)
            attempt, known = self._given.get(key, (0, None))
            made = HttpRequest(
                request.method, request.url, request.headers, request.body, attempt + 1
            )
            self.requests.append(made)
            found = known or self._next(made)
            if found is None:
                self.unexpected.append(made)
            else:
                self._given[key] = (attempt + 1, found)
            return found

    def _next(self, request: HttpRequest) -> HttpAnswer | None:
        answers = self.answers
        if isinstance(answers, Mapping):
            return answers.get(str(request))
        if callable(answers):
            return answers(request)
        return next(iter(answers), None)

    def check(self) -> None:
        """
        Raises:
            UnexpectedRequestError: There was a request that no answer was given for.
        """
        if self.unexpected:
            listed = "\n".join(f"  {each}" for each in self.requests[-20:])
            raise UnexpectedRequestError(
                f"no answer to {self.unexpected[0]}: give one in Harness(http=...).  "
                f"Asked for so far:\n{listed}"
            )


class ScriptedHttpClient(HttpClient):
    """One host's, on a script that outlives it."""

    asks_grants = False

    def __init__(self, script: HttpScript, is_down: Callable[[], bool]) -> None:
        super().__init__()
        self._script = script
        self._is_down = is_down

    def send(
        self, request: Request, upload: Upload, bells: Bells, resumed: Resumed | None
    ) -> Exchange:
        from golem_host.net.http.exchange import Exchange  # noqa: PLC0415 - as in its base

        exchange = Exchange(request, upload, bells, resumed)
        threading.Thread(
            target=self._answer, args=(exchange,), name="golem-scripted-http", daemon=True
        ).start()
        return exchange

    def _answer(self, exchange: Exchange) -> None:
        from golem_host.net.http.errors import HttpError, internal  # noqa: PLC0415

        try:
            _deliver(exchange, self._find(exchange))
        except HttpError as error:
            exchange.fail(error)
        except Exception as error:  # noqa: BLE001 - a mistake in the script is the test's to see
            exchange.fail(internal(f"the test's answer failed: {type(error).__name__}: {error}"))
        finally:
            exchange.upload.cut()

    def _find(self, exchange: Exchange) -> HttpResponse:
        """
        Raises:
            HttpError: There is no response.
        """
        from golem_host.net.http.errors import HttpError, internal  # noqa: PLC0415 - as above

        body = _whole(exchange.upload)
        if self._is_down():
            raise HttpError("connection-terminated")
        asked = _asked(exchange.request, body)
        answer = self._script.answer(asked)
        if answer is None:
            raise internal(f"the test has no answer to {asked}")
        if isinstance(answer, HttpFailure):
            raise HttpError(answer.code)
        return answer


def _asked(request: Request, body: bytes) -> HttpRequest:
    scheme = "https" if request.origin.is_tls else "http"
    url = f"{scheme}://{request.authority}{request.target}"
    headers = tuple((name, value.decode("latin-1")) for name, value in request.headers)
    return HttpRequest(request.method, urlsplit(url).geturl(), headers, body)


def _whole(upload: Upload) -> bytes:
    """
    Raises:
        HttpError: The guest gave up, or it is too large.
    """
    from golem_host.net.http.errors import HttpError  # noqa: PLC0415 - as above

    body = bytearray()
    rung = threading.Event()
    with upload.bells.hung(rung):
        while not upload.is_cut:
            rung.clear()
            if not upload.is_ready:
                rung.wait()
                continue
            piece = upload.take()
            if piece is None:
                return bytes(body)
            body += piece
            if len(body) > BODY_BYTES_MAX:
                raise HttpError("HTTP-request-body-size", len(body))
    raise HttpError("connection-terminated", why="the guest gave the request up")


def _deliver(exchange: Exchange, answer: HttpResponse) -> None:
    from golem_host.net.http.request import Delivered, Head, differing  # noqa: PLC0415 - as above

    named = {name.lower() for name, _ in answer.headers}
    length = [] if "content-length" in named else [("content-length", b"%d" % len(answer.body))]
    head = Head(answer.status, [*((n, v.encode("latin-1")) for n, v in answer.headers), *length])
    body = answer.body
    if exchange.resumed is not None:
        # A rebuilt reader goes on behind what it has read.
        exchange.resumed.check_head(head)
        passed = Delivered()
        passed.add(body[: exchange.resumed.delivered.size])
        if not passed.matches(exchange.resumed.delivered):
            raise differing()
        body = body[passed.size :]
    exchange.begin_response(head)
    exchange.body.put(body)
    exchange.body.end()
