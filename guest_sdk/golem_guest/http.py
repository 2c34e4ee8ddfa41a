"""
HTTP requests by way of ``wasi:http``, in the manner of the package ``requests``.

They need no sockets and no ``ssl`` in the guest, are recorded, and carry an ``idempotency-key``
that stays the same when a crash makes the host send one again.
"""

from __future__ import annotations

import json as json_module
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from componentize_py_types import Err

from golem_guest._limits import LIST_BYTES_MAX, check_size
from golem_guest._world import imported

_HANDLER = imported("wasi:http/outgoing-handler", marker="handle", version="0.2.9")
_TYPES = imported("wasi:http/types", marker="OutgoingRequest", version="0.2.9")
_STREAMS = imported("wasi:io/streams", marker="InputStream", version="0.2.9")

TIMEOUT_S = 60.0
PIECE_BYTES = 64 << 10
TIMEOUT_S_MAX = 1e9
"""Thirty years; what is longer is that long."""
_NS = 1_000_000_000
_PLAIN = "/%:@!$&'()*+,;=~-._?"
"""What may stand in a path and in a query as it is; a ``%`` begins what is quoted already."""
_METHODS = {
    name: getattr(_TYPES, f"Method_{name.capitalize()}")
    for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
}
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})


class HttpError(Exception):
    """There is no response: the reason has the name that ``wasi:http`` gives it."""

    def __init__(self, reason: object, url: str) -> None:
        name = type(reason).__name__.removeprefix("ErrorCode_")
        said = getattr(reason, "value", None)
        super().__init__(f"{url}: {name}" + (f" ({said})" if said else ""))
        self.reason = reason
        self.name = name
        """Such as ``ConnectionRefused`` or ``HttpRequestDenied``."""


class StatusError(Exception):
    """A response that tells of a failure; `Response.raise_for_status` raises it."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.url}: status {response.status}")
        self.response = response


class Headers:
    """Names and values in their order; looking one up ignores upper and lower case."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a name."""
        return next(iter(self.all(name)), default)

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.pairs if each.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"


class Response:
    """A response whose body is read when it is asked for, or piece by piece."""

    def __init__(self, url: str, status: int, headers: Headers, pieces: Iterator[bytes]) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self._pieces = pieces
        self._content: bytes | None = None

    def __repr__(self) -> str:
        return f"<Response {self.status} of {self.url}>"

    @property
    def ok(self) -> bool:
        return self.status < 400

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes, each piece once."""
        return self._pieces

    @property
    def content(self) -> bytes:
        if self._content is None:
            self._content = b"".join(self._pieces)
        return self._content

    @property
    def text(self) -> str:
        """As UTF-8; what is none is replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        return json_module.loads(self.content)

    def raise_for_status(self) -> None:
        if not self.ok:
            raise StatusError(self)


def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | str | Mapping[str, object] | None = None,
    json: object = None,
    timeout: float | None = TIMEOUT_S,
) -> Response:
    """
    Send a request and read the whole response.

    Args:
        method: ``GET`` and so on.
        url: Absolute, http or https.  The host must allow it: ``golem-host run --net``.
        params: Added to the query.
        headers: As they are to be sent.
        data: The body; a mapping is sent as a form.
        json: The body as a value, in place of ``data``.
        timeout: Seconds for connecting, for the first byte, and between bytes; None for those of
            the host.

    Raises:
        HttpError: There is no whole response.
        ValueError: The URL, the method, a header or the timeout cannot be, or the headers are
            megabytes; a body may have any size.
    """
    with stream(
        method, url, params=params, headers=headers, data=data, json=json, timeout=timeout
    ) as response:
        response.content  # noqa: B018 - read while the connection is there
        return response


@contextmanager
def stream(
    method: str,
    url: str,
    *,
    params: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | str | Mapping[str, object] | None = None,
    json: object = None,
    timeout: float | None = TIMEOUT_S,
) -> Iterator[Response]:
    """As `request`, for a body that is read piece by piece inside of the block."""
    fields = dict(headers or {})
    given = {name.lower() for name in fields}
    kind = "application/json"
    if json is not None:
        data = json_module.dumps(json, ensure_ascii=False, separators=(",", ":"))
    elif isinstance(data, Mapping):
        data, kind = urlencode(data, doseq=True), "application/x-www-form-urlencoded"
    else:
        kind = ""
    if kind and "content-type" not in given:
        fields["content-type"] = kind
    body = data.encode() if isinstance(data, str) else data
    assert not isinstance(body, Mapping)
    if body is None and method.upper() in _WITH_BODY:
        body = b""
    if body is not None and "content-length" not in given:
        fields["content-length"] = str(len(body))
    asked = _outgoing(method, url, params, fields)
    # One that is asked for is sent, if only to say that it is empty: many servers refuse a GET so.
    upload = None if body is None else asked.body()
    try:
        future = _HANDLER.handle(asked, _options(timeout))
    except Err as error:
        raise HttpError(error.value, url) from None
    with future:
        if upload is not None:
            _write(upload, body or b"")
        with future.subscribe() as ready:
            ready.block()
        outcome = future.get().value
    if isinstance(outcome, Err):
        raise HttpError(outcome.value, url)
    with outcome.value as incoming:
        with incoming.headers() as found:
            pairs = [(name, value.decode("latin-1")) for name, value in found.entries()]
        with incoming.consume() as incoming_body, incoming_body.stream() as pieces:
            yield Response(url, incoming.status(), Headers(pairs), _read(pieces, url))


def _outgoing(
    method: str, url: str, params: Mapping[str, object] | None, headers: Mapping[str, str]
) -> Any:
    parts = urlsplit(url)
    schemes = {"http": _TYPES.Scheme_Http, "https": _TYPES.Scheme_Https}
    if parts.scheme not in schemes or not parts.hostname:
        message = f"{url!r} is no http or https URL"
        raise ValueError(message)
    authority, headers = _authority(parts, headers)
    asked = _TYPES.OutgoingRequest(_fields(headers))
    known = _METHODS.get(method.upper())
    query = "&".join(filter(None, (parts.query, urlencode(params or {}, doseq=True))))
    path = quote(parts.path or "/", safe=_PLAIN.replace("?", ""))
    try:
        asked.set_scheme(schemes[parts.scheme]())
        asked.set_authority(authority)
        asked.set_path_with_query(path + (f"?{quote(query, safe=_PLAIN)}" if query else ""))
    except Err:
        message = f"{url!r} cannot be asked: it has something that no URL may have"
        raise ValueError(message) from None
    try:
        asked.set_method(_TYPES.Method_Other(method) if known is None else known())
    except Err:
        message = f"{method!r} is no method"
        raise ValueError(message) from None
    return asked


def _authority(parts: SplitResult, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Host and port; who asks is said in a header, as every client does."""
    user, at, place = parts.netloc.rpartition("@")
    if not at or any(name.lower() == "authorization" for name in headers):
        return place, headers
    word = b64encode(unquote(user).encode()).decode()
    return place, {**headers, "authorization": f"Basic {word}"}


def _fields(headers: Mapping[str, str]) -> Any:
    pairs = [(name, value.encode("latin-1")) for name, value in headers.items()]
    size = sum(len(name) + len(value) for name, value in pairs)
    check_size("the headers of a request", size, LIST_BYTES_MAX, "send it as the body")
    try:
        return _TYPES.Fields.from_list(pairs)
    except Err:
        for pair in pairs:
            try:
                _TYPES.Fields.from_list([pair])
            except Err as error:
                reason = type(error.value).__name__.removeprefix("HeaderError_")
                message = f"the header {pair[0]!r} cannot be sent: {reason}"
                raise ValueError(message) from None
        raise


def _options(timeout: float | None) -> Any:
    if timeout is None:
        return None
    if not timeout >= 0:
        message = f"{timeout!r} is no timeout: seconds, or None"
        raise ValueError(message)
    timeout = min(timeout, TIMEOUT_S_MAX)
    options = _TYPES.RequestOptions()
    for set_timeout in (
        options.set_connect_timeout,
        options.set_first_byte_timeout,
        options.set_between_bytes_timeout,
    ):
        set_timeout(round(timeout * _NS))
    return options


def _write(upload: Any, body: bytes) -> None:
    try:
        with upload.write() as out:
            left = memoryview(body)
            while left:
                room = out.check_write()
                if not room:
                    with out.subscribe() as ready:
                        ready.block()
                    continue
                out.write(bytes(left[:room]))
                left = left[room:]
        _TYPES.OutgoingBody.finish(upload, None)
    except Err:
        # The other side wants no more of it, and its answer says why.
        return


def _read(pieces: Any, url: str) -> Iterator[bytes]:
    while True:
        try:
            piece = pieces.blocking_read(PIECE_BYTES)
        except Err as error:
            if isinstance(error.value, _STREAMS.StreamError_Closed):
                return
            raise HttpError(error.value, url) from None
        yield piece


def get(url: str, **options: Any) -> Response:
    return request("GET", url, **options)


def head(url: str, **options: Any) -> Response:
    return request("HEAD", url, **options)


def post(url: str, **options: Any) -> Response:
    return request("POST", url, **options)


def put(url: str, **options: Any) -> Response:
    return request("PUT", url, **options)


def patch(url: str, **options: Any) -> Response:
    return request("PATCH", url, **options)


def delete(url: str, **options: Any) -> Response:
    return request("DELETE", url, **options)
