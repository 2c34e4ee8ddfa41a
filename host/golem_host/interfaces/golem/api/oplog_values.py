"""
Payloads of entries as ``wit-value``: what `golem_host.interfaces.golem.api.oplog_entry` is made with.

Source: spec 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar

from golem_host.wire import Wire
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import HandleType, Prim, ResultType, TupleType
from golem_oplog.views import TypedValue, Undecodable
from golem_oplog.wit_value import to_wit_value

Fields: TypeAlias = Mapping[str, object]
Uri: TypeAlias = Callable[[HandleType, int], tuple[str, int]]
T = TypeVar("T")

_NOTHING: Final = TupleType(())
_FAILURE: Final = ResultType(None, Prim.STRING)


def expect(cls: type[T], value: object) -> T:
    """A field of a view as what it is."""
    assert isinstance(value, cls)
    return value


def text_value(text: str) -> Wire:
    return to_wit_value(Prim.STRING, text)


def not_shown(found: Undecodable) -> str:
    return f"not shown: {found.reason}"


def _typed_value(value: TypedValue, uri: Uri) -> Wire:
    try:
        return to_wit_value(value.type, value.wire, uri)
    except ValueTypeError as error:
        return text_value(not_shown(Undecodable(str(error))))


def value_of(value: object, uri: Uri) -> Wire:
    if isinstance(value, Undecodable):
        return text_value(not_shown(value))
    return _typed_value(expect(TypedValue, value), uri)


def values(value: object, uri: Uri) -> Wire:
    """The arguments of an exported function."""
    if isinstance(value, Undecodable):
        return [value_of(value, uri)]
    return [value_of(each, uri) for each in expect(tuple, value)]


def arguments(fields: Fields, uri: Uri) -> Wire:
    """The arguments of a host call as one value."""
    found = fields["request"]
    if isinstance(found, Undecodable):
        return value_of(found, uri)
    each: tuple[TypedValue, ...] = expect(tuple, found)
    whole = TupleType(tuple([argument.type for argument in each]))
    return _typed_value(TypedValue(whole, [argument.wire for argument in each]), uri)


def answer(fields: Fields, uri: Uri) -> Wire:
    """The result of a host call."""
    error = fields.get("error")
    if error is not None:
        return to_wit_value(_FAILURE, (1, error))
    found = fields["response"]
    return to_wit_value(_NOTHING, ()) if found is None else value_of(found, uri)


def result(fields: Fields, uri: Uri) -> Wire:
    """The result of an exported function."""
    found = fields["response"]
    return None if found is None else (value_of(found, uri),)


def resource_params(fields: Fields, uri: Uri) -> Wire:
    del uri
    return [text_value(text) for text in expect(tuple, fields["resource-params"])]
