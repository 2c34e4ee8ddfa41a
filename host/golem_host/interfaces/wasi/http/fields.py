"""``fields``: headers and trailers, in order, a name more than once if need be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, constructor, function, resource, static
from golem_host.failures import GuestLimitError
from golem_host.interfaces.wasi.http.codes import fallible, require
from golem_host.interfaces.wasi.http.syntax import FORBIDDEN, is_token, is_value
from golem_host.net.http.pipe import Fields as Entries

FIELDS_BYTES_MAX: Final = 131_072
"""Of all names and values of one resource."""
ENTRY_COST_BYTES: Final = 32


class Fields:
    """Behind a ``fields`` handle."""

    def __init__(self, entries: Entries | None = None, *, is_immutable: bool = False) -> None:
        self.entries: Entries = entries if entries is not None else []
        self.is_immutable = is_immutable
        self._size = sum(map(_cost, self.entries))

    def view(self) -> Fields:
        """The same, as part of a message."""
        return Fields(self.entries, is_immutable=True)

    def values(self, name: str) -> list[bytes]:
        wanted = name.lower()
        return [value for each, value in self.entries if each.lower() == wanted]

    def replace(self, name: str, values: Iterable[bytes]) -> None:
        """
        The first of the old ones gives the place.

        Raises:
            GuestLimitError: They become too large.
        """
        wanted = name.lower()
        at = next(
            (i for i, (each, _) in enumerate(self.entries) if each.lower() == wanted),
            len(self.entries),
        )
        kept = [entry for entry in self.entries if entry[0].lower() != wanted]
        kept[at:at] = [(name, value) for value in values]
        self._size = _bounded(sum(map(_cost, kept)))
        self.entries = kept

    def add(self, name: str, value: bytes) -> None:
        self._size = _bounded(self._size + _cost((name, value)))
        self.entries.append((name, value))


def _cost(entry: tuple[str, bytes]) -> int:
    return len(entry[0]) + len(entry[1]) + ENTRY_COST_BYTES


def _bounded(size: int) -> int:
    if size > FIELDS_BYTES_MAX:
        raise GuestLimitError(f"fields of more than {FIELDS_BYTES_MAX} bytes")
    return size


def _check_name(name: str) -> None:
    require(is_token(name), "invalid-syntax")
    require(name.lower() not in FORBIDDEN, "forbidden")


def _check(of: Fields, name: str, *values: bytes) -> None:
    require(not of.is_immutable, "immutable")
    _check_name(name)
    require(all(map(is_value, values)), "invalid-syntax")


@resource("wasi:http/types", "fields")
class FieldsResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext) -> Fields:
        return Fields()

    @static(UNRECORDED)
    @fallible
    def from_list(self, context: InstanceContext, entries: Entries) -> Fields:
        made = Fields()
        for name, value in entries:
            _check(made, name, value)
            made.add(name, value)
        return made

    @function(UNRECORDED)
    def get(self, context: InstanceContext, of: Fields, name: str) -> list[bytes]:
        return of.values(name)

    @function(UNRECORDED)
    def has(self, context: InstanceContext, of: Fields, name: str) -> bool:
        return bool(of.values(name))

    @function(UNRECORDED)
    @fallible
    def set(self, context: InstanceContext, of: Fields, name: str, value: list[bytes]) -> None:
        _check(of, name, *value)
        of.replace(name, value)

    @function(UNRECORDED)
    @fallible
    def delete(self, context: InstanceContext, of: Fields, name: str) -> None:
        _check(of, name)
        of.replace(name, ())

    @function(UNRECORDED)
    @fallible
    def append(self, context: InstanceContext, of: Fields, name: str, value: bytes) -> None:
        _check(of, name, value)
        of.add(name, value)

    @function(UNRECORDED)
    def entries(self, context: InstanceContext, of: Fields) -> Entries:
        return list(of.entries)

    @function(UNRECORDED)
    def clone(self, context: InstanceContext, of: Fields) -> Fields:
        return Fields(list(of.entries))
