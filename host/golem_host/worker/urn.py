"""
Handles as others name them: the URI of the worker that has the resource, and a number there.

A number alone means a resource of the worker that is called; with a URI it is certain that no other
worker's is meant.

Source: spec 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Final

from golem_host.errors import InvalidRequestError
from golem_host.resources import handles
from golem_host.wire import Public
from golem_oplog.errors import ValueTypeError
from golem_oplog.public import ResourceRef
from golem_oplog.shape import HANDLE_MAX
from golem_oplog.types import FunctionType, HandleType

if TYPE_CHECKING:
    from golem_oplog.wit_value import FindHandle, NameHandle

_SCHEME: Final = "urn:worker:"


def worker_uri(component_id: str, worker_name: str) -> str:
    """``urn:worker:<component-uuid>/<worker-name>``."""
    return f"{_SCHEME}{component_id}/{worker_name}"


def naming(uri: str) -> NameHandle:
    """For `to_wit_value`: the handles of the worker with this URI."""
    return lambda _ty, number: (uri, number)


def finding(uri: str) -> FindHandle:
    """For `from_wit_value`: only handles of the worker with this URI can be passed to it."""

    def find(_ty: HandleType, given: str, number: int) -> int:
        if given != uri:
            raise ValueTypeError(path="", expected=f"a handle of {uri}", found=f"one of {given}")
        if number > HANDLE_MAX:
            raise ValueTypeError(path="", expected="the number of a handle", found=str(number))
        return number

    return find


def refuse_foreign(
    function: FunctionType, args: Iterable[Public], own_uri: Callable[[], str]
) -> None:
    """
    Raises:
        InvalidRequestError: A handle among the arguments names another worker as its own.
    """
    for (_, ty), value in zip(function.params, args, strict=False):
        # Most functions take none, and their arguments may be large.
        for ref in _refs(value) if any(handles(ty)) else ():
            if ref.uri is not None and ref.uri != (own := own_uri()):
                raise InvalidRequestError(
                    reason=f"{function.name}: {ref.resource} {ref.handle} is a handle of {ref.uri}, "
                    f"not of {own}"
                )


def _refs(value: object) -> Iterable[ResourceRef]:
    """Every handle in a public value, whatever its type is."""
    match value:
        case ResourceRef():
            yield value
        case str() | bytes() | bytearray() | int() | float() | None:
            pass
        case Mapping():
            yield from _all(value.values())
        case list() | tuple() | set() | frozenset():
            yield from _all(value)
        case _ if is_dataclass(value):
            yield from _all(getattr(value, each.name) for each in fields(value))
        case _:
            pass


def _all(values: Iterable[object]) -> Iterable[ResourceRef]:
    for each in values:
        yield from _refs(each)
