"""
What may stand for a record, and where its fields are: part of `golem_oplog.wire_in`.

A mapping by WIT or snake_case names, or any object with snake_case attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

from golem_oplog.errors import ValueTypeError
from golem_oplog.shape import describe, mismatch, python_name, spellings, unfit, within
from golem_oplog.types import OptionType, RecordType

_ABSENT: Final = object()


def field_finder(ty: RecordType) -> Callable[[object], tuple[object, ...]]:
    """Finds the fields of anything that may stand for a record, in the record's order."""
    positions = spellings(name for name, _ in ty.fields)
    attributes = tuple(python_name(name) for name, _ in ty.fields)
    every = _getter(attributes)

    def find(value: object) -> tuple[object, ...]:
        if isinstance(value, Mapping):
            return _from_mapping(ty, positions, value)
        try:
            return every(value)
        except AttributeError:
            absent = [at for at, name in enumerate(attributes) if not hasattr(value, name)]
        if 0 < len(absent) < len(attributes):
            raise _no_field(ty, absent[0])
        # It has none of the attributes, so it was never meant as this record.
        raise mismatch(ty, value)

    return find


def _getter(attributes: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda value: tuple([getattr(value, name) for name in attributes])


def _from_mapping(
    ty: RecordType, positions: dict[str, int], value: Mapping[object, object]
) -> tuple[object, ...]:
    found = [_ABSENT] * len(ty.fields)
    for key, item in value.items():
        position = positions.get(key) if isinstance(key, str) else None
        if position is None:
            raise unfit(ty, f"unknown field {describe(key)}")
        if found[position] is not _ABSENT:
            raise unfit(ty, f"field {describe(key)} a second time")
        found[position] = item
    for at, (_, field) in enumerate(ty.fields):
        if found[at] is _ABSENT:
            if not isinstance(field, OptionType):
                raise _no_field(ty, at)
            found[at] = None
    return tuple(found)


def _no_field(ty: RecordType, at: int) -> ValueTypeError:
    name, field = ty.fields[at]
    error = unfit(field, "no such field")
    within(error, name)
    return error
