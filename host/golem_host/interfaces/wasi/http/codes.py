"""``error-code`` and the other types that what is recorded of HTTP is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from golem_host.interfaces.signatures import signatures
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.net.http.errors import HttpError
from golem_host.wire import Public, Wire
from golem_oplog.types import ListType, OptionType, Prim, TupleType, VariantType, WitType
from golem_oplog.values import Err, Ok, Variant, from_wire, to_wire

Q = ParamSpec("Q")

DOMAIN: Final = "wasi:http"


def _error_code() -> WitType:
    """As ``wit/`` has it: 39 cases, which need not stand here as well."""
    (signature,) = signatures().of("wasi:http/types", "http-error-code")
    found = signature.type.result
    assert isinstance(found, OptionType)
    return found.payload


ERROR_CODE: Final = _error_code()
FIELDS: Final = ListType(TupleType((Prim.STRING, ListType(Prim.U8))))
STREAM_ERROR: Final = VariantType((("last-operation-failed", ERROR_CODE), ("closed", None)))

_code_to_wire: Final = to_wire(ERROR_CODE)
_code_from_wire: Final = from_wire(ERROR_CODE)


def code_wire(error: HttpError) -> Wire:
    return _code_to_wire(error.public())


def error_of_wire(wire: Wire) -> HttpError:
    return error_of(_code_from_wire(wire))


def error_of(public: Public) -> HttpError:
    return HttpError(public.case, public.value)


def io_error(error: HttpError) -> IoError:
    return IoError(str(error), DOMAIN, error.public())


class RefusedError(Exception):
    """The guest gets the error of a ``result``, whatever that is."""

    def __init__(self, public: Public = None) -> None:
        super().__init__(public)
        self.public = public


def fallible(action: Callable[Q, Public]) -> Callable[Q, Ok[object] | Err[object]]:
    """What a method gives and refuses, as the interface's ``result``."""

    @wraps(action)
    def answer(*args: Q.args, **named: Q.kwargs) -> Ok[object] | Err[object]:
        try:
            return Ok(action(*args, **named))
        except RefusedError as refused:
            return Err(refused.public)
        except HttpError as error:
            return Err(error.public())

    return answer


def require(condition: object, public: str = "") -> None:
    """Refuse with a case without payload, or with the empty error."""
    if not condition:
        raise RefusedError(Variant(public) if public else None)
