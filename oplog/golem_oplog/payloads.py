"""
The payloads of entries as typed values.

If the bytes cannot be read an `Undecodable` stands in their place, so that one bad payload does not
hide the rest of a log.
"""

from __future__ import annotations

from collections.abc import Callable

from golem_oplog.cbor import decode_args, decode_value
from golem_oplog.codec import decode_wire
from golem_oplog.entries import (
    BlobRef,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Payload,
)
from golem_oplog.errors import MalformedPayloadError, OplogError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.log_pages import has_page, without_page
from golem_oplog.protocol import ReadableOplog
from golem_oplog.spans import Invoked, decode_stacks, public_stacks
from golem_oplog.types import FunctionType, WitType
from golem_oplog.wire_check import check_wire
from golem_oplog.wire_out import from_wire


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value that says of which WIT type it is; for an argument, also its parameter's name."""

    type: WitType
    wire: object
    name: str = ""

    @property
    def value(self) -> object:
        """The public form."""
        return from_wire(self.type)(self.wire)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A payload that is missing, or holds no value of its type."""

    reason: str


@dataclass(eq=False, kw_only=True)
class _LargeError(OplogError):
    """A payload of more bytes than were asked for."""

    size_bytes: int
    size_bytes_max: int

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes, and at most {self.size_bytes_max} are shown"


class Payloads:
    """How the payloads of one entry become values."""

    def __init__(
        self, log: ReadableOplog, invoked: FunctionType | None, payload_bytes_max: int
    ) -> None:
        self._log = log
        self._invoked = invoked
        """The exported function that a completed invocation belongs to."""
        self._payload_bytes_max = payload_bytes_max

    def name(self, function: int) -> str:
        try:
            return self._log.function(function).name
        except OplogError:
            return f"function {function}"

    def imported_request(self, entry: ImportedFunctionInvoked) -> object:
        return self._arguments(entry.function, entry.request, decode_wire)

    def imported_response(self, entry: ImportedFunctionInvoked) -> object:
        if entry.response is None:
            return None
        payload = entry.response

        def response() -> TypedValue | None:
            function = self._log.function(entry.function)
            # Its page is left out: the size is no reason to hide the rest.
            load = self._log.load if has_page(function) else self._load
            ty, wire = without_page(function, decode_wire(load(payload)))
            return _typed_or_none(ty, wire)

        return _guarded(response)

    def spans(self, entry: ExportedFunctionInvoked) -> object:
        """``list<list<span-data>>``; no stack where the log is from before there were spans."""
        invoked = Invoked(entry.timestamp, entry.idempotency_key, self.name(entry.function))
        return _guarded(lambda: public_stacks(decode_stacks(entry.spans), invoked))

    def exported_request(self, function: int, request: Payload) -> object:
        return self._arguments(function, request, decode_args)

    def exported_response(self, payload: Payload | None) -> object:
        if payload is None:
            return None
        invoked = self._invoked
        if invoked is None:
            return Undecodable("the invocation that it completes is not in this log")
        ty = invoked.result
        return _guarded(lambda: _typed_or_none(ty, decode_value(self._load(payload))))

    def snapshot(self, payload: Payload) -> object:
        return _guarded(lambda: self._load(payload))

    def _load(self, payload: Payload) -> bytes:
        size_bytes = payload.size_bytes if isinstance(payload, BlobRef) else len(payload)
        if size_bytes > self._payload_bytes_max:
            raise _LargeError(size_bytes=size_bytes, size_bytes_max=self._payload_bytes_max)
        return self._log.load(payload)

    def _arguments(
        self, number: int, payload: Payload, decode: Callable[[bytes], object]
    ) -> object:
        def arguments() -> tuple[TypedValue, ...]:
            function = self._log.function(number)
            wires = decode(self._load(payload))
            if not isinstance(wires, (list, tuple)) or len(wires) != len(function.params):
                raise MalformedPayloadError(reason=f"no list of {len(function.params)} arguments")
            pairs = zip(function.params, wires, strict=True)
            return tuple(_typed(ty, wire, name) for (name, ty), wire in pairs)

        return _guarded(arguments)


def _typed_or_none(ty: WitType | None, wire: object) -> TypedValue | None:
    return None if ty is None else _typed(ty, wire)


def _typed(ty: WitType, wire: object, name: str = "") -> TypedValue:
    check_wire(ty, wire)
    return TypedValue(ty, wire, name)


def _guarded(decode: Callable[[], object]) -> object:
    try:
        return decode()
    except OplogError as error:
        return Undecodable(str(error))
