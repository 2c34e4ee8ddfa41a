"""
One exchange of a guest, as a durable write of many steps (spec 4.7).

Its state follows from the guest's calls and the record, live and on replay alike.  What goes on
outside is begun by ``outgoing-handler.handle``.  After a replay there is nothing outside: it is begun
again when the guest, live again, wants something of an exchange that has no end in the log, with
the same idempotency key, and what it has already read of the response is passed over.

An exchange ends with an owner that moves on as the guest takes it apart: the future response, the
response, its body, the stream of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from golem_host.batch import Batch
from golem_host.context import InstanceContext
from golem_host.declare import WRITE_REMOTE_BATCHED, Recorded
from golem_host.interfaces.wasi.http.codes import (
    ERROR_CODE,
    FIELDS,
    code_wire,
    error_of_wire,
)
from golem_host.interfaces.wasi.http.part import Http
from golem_host.net.http.client import HttpClient
from golem_host.net.http.errors import HttpError
from golem_host.net.http.exchange import Exchange as Outside
from golem_host.net.http.pipe import Fields
from golem_host.net.http.request import Delivered, Head, Request, Resumed
from golem_host.net.http.upload import Upload
from golem_host.wire import Wire
from golem_oplog.types import FunctionType, OptionType, Prim, RecordType, ResultType, VariantType

_REQUEST: Final = (("uri", Prim.STRING), ("method", Prim.STRING), ("headers", FIELDS))
_GET: Final = Recorded(
    WRITE_REMOTE_BATCHED,
    FunctionType(
        "http::types::future_incoming_response::get",
        _REQUEST,
        VariantType(
            (
                ("pending", None),
                ("headers-received", RecordType((("status", Prim.U16), ("headers", FIELDS)))),
                ("http-error", ERROR_CODE),
                ("internal-error", OptionType(Prim.STRING)),
            )
        ),
    ),
)
_PENDING, _HEADERS, _HTTP_ERROR = range(3)
TRAILERS: Final = Recorded(
    WRITE_REMOTE_BATCHED,
    FunctionType(
        "golem http::types::future_trailers::get",
        _REQUEST,
        OptionType(ResultType(OptionType(FIELDS), ERROR_CODE)),
    ),
)


class Exchange:
    """
    Args:
        context: The instance's.
        batch: The write that this exchange is.
        request: What is sent, the key included.
        written: Its headers as the guest has given them: a fork's key is another one.
        upload: Its body.
    """

    def __init__(
        self,
        context: InstanceContext,
        batch: Batch,
        request: Request,
        written: Fields,
        upload: Upload,
    ) -> None:
        self.context = context
        self.part = context.part(Http)
        self.batch = batch
        self.upload = upload
        self._request = request
        self._written = written
        self._outside: Outside | None = None
        self._lost: HttpError | None = None
        self._owner: object = None
        self.is_over = False
        self.head: Head | None = None
        self._delivered = Delivered()
        """As of a replay: what is read live needs no second time."""
        self.is_read = False
        """Whether its body was read to its end, so that `trailers` are known."""
        self.trailers: Fields = []
        self._has_trailers = False
        self.part.enter(self)
        if batch.is_new:
            self.outside()
        elif batch.is_unfinished:
            upload.keep(context.services.files.scratch)
        else:
            upload.cut()

    # -- outside; live only -------------------------------------------------------------------

    @property
    def _client(self) -> HttpClient:
        return self.context.services.http

    def outside(self) -> Outside:
        """
        What goes on outside, begun again where an earlier instance has left it.

        Raises:
            AtMostOnceViolated: It may have happened, and may not be repeated.
            HttpError: It is lost: its invocation is over, or it was answered and may not be
                repeated.
        """
        if self._outside is None:
            if self._lost is None:
                self._lost = self._begin()
            if self._outside is None:
                assert self._lost is not None
                raise self._lost
        return self._outside

    def _begin(self) -> HttpError | None:
        """Begin it, or say why it cannot be."""
        batch, resumed = self.batch, None
        if not batch.is_unfinished:
            return HttpError(
                "connection-terminated", why="the connection was lost with an earlier instance"
            )
        if self.head is None:
            batch.refuse_repetition()
        elif not batch.may_repeat:
            return HttpError(
                "connection-terminated",
                why="the connection was lost with an earlier instance, and the request may not be "
                "repeated",
            )
        else:
            resumed = Resumed(self.head, self._delivered.copy())
        # No remote write leaves the process while an earlier entry could still be lost.
        self.part.before_output()
        if not batch.is_new:
            self.upload.resume()
        self._outside = self._client.send(self._request, self.upload, self.upload.bells, resumed)
        return None

    def is_ready(self, look: Callable[[Outside], bool]) -> bool:
        """Whether something can be had of it, a failure included."""
        if self.is_over:
            return True
        try:
            return look(self.outside())
        except HttpError:
            return True

    @property
    def is_under_way(self) -> bool:
        outside = self._outside
        return outside is not None and outside.error is None and not self.is_over

    @property
    def rest(self) -> Outside | None:
        """What still goes on outside; None where nothing does since a replay."""
        return self._outside

    def release(self) -> None:
        self.part.leave(self)
        if self._outside is not None:
            self._outside.abort()
        self.upload.cut()

    # -- owners -------------------------------------------------------------------------------

    def own(self, owner: object) -> None:
        """It ends with this one from now on."""
        self._owner = owner

    def dropped(self, owner: object) -> None:
        if owner is self._owner and not self.is_over:
            self.end()

    def end(self) -> None:
        """Nothing more is wanted of it."""
        self.finish()
        self.release()

    def finish(self) -> None:
        """It is never repeated; but what goes on outside goes on, until `release`."""
        if not self.is_over:
            self.is_over = True
            self.batch.end()

    # -- recorded steps -----------------------------------------------------------------------

    def _asked(self) -> tuple[Wire, ...]:
        request = self._request
        return (
            f"{request.authority}{request.target}",
            request.method,
            [[name, value] for name, value in self._written],
        )

    def get(self, before_look: Callable[[], None]) -> Head | None:
        """
        The head of the response, or None while it is not there.

        Args:
            before_look: Called where the log does not say.

        Raises:
            HttpError: There is none.
        """
        case, value = self.batch.call(_GET, self._asked(), lambda: self._look(before_look))
        if case == _PENDING:
            return None
        if case == _HEADERS:
            status, headers = value
            self.head = Head(status, [(name, bytes(each)) for name, each in headers])
        self.part.commit()
        if case == _HTTP_ERROR:
            raise error_of_wire(value)
        if self.head is None:
            raise HttpError("internal-error", value[0] if value else None)
        return self.head

    def _look(self, before_look: Callable[[], None]) -> Wire:
        before_look()
        try:
            outside = self.outside()
        except HttpError as error:
            return (_HTTP_ERROR, code_wire(error))
        if outside.error is not None:
            return (_HTTP_ERROR, code_wire(outside.error))
        if outside.head is None:
            return (_PENDING, None)
        head = outside.head
        return (_HEADERS, [head.status, [[name, value] for name, value in head.headers]])

    def note_read(self, data: bytes) -> None:
        if self._outside is None:
            self._delivered.add(data)
        self.part.after_read(len(data))

    def note_skipped(self, size: int) -> None:
        if self._outside is None:
            self._delivered.add_unseen(size)
        self.part.after_read(size)

    def recall_trailers(self) -> None:
        """Take them from the log where they come next."""
        if not self._has_trailers and self.batch.is_next(TRAILERS):
            self._note(self.batch.call(TRAILERS, self._asked(), lambda: None))

    def note_trailers(self, trailers: Fields) -> None:
        """Before the end of the body is recorded: whoever knows the end, then knows them as well."""
        if trailers and not self._has_trailers:
            wire = (0, ([[name, value] for name, value in trailers],))
            self._note(self.batch.call(TRAILERS, self._asked(), lambda: (wire,)))

    def _note(self, wire: Wire) -> None:
        ((_, fields),) = wire
        self.trailers = [(name, bytes(value)) for name, value in fields[0]]
        self._has_trailers = True

    def get_trailers(self, perform: Callable[[], Wire]) -> Wire:
        return self.batch.call(TRAILERS, self._asked(), perform)
