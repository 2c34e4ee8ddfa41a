"""The functions that a log knows by name and type, and the numbers its entries use instead."""

from __future__ import annotations

from collections.abc import Iterable

from golem_oplog.cbor import encode_type
from golem_oplog.codec import decode_definition, decode_function, encode_definition
from golem_oplog.errors import MalformedEntryError, UnknownFunctionError
from golem_oplog.types import FunctionType


class Definitions:
    """
    The definitions of one log, by id and by type.

    An id that was interned counts as written once an entry has used it; ids that no entry used are
    forgotten with the process, so their numbers may come back with another meaning.  Not safe for
    several threads, but for `function`.
    """

    def __init__(self) -> None:
        self._forms: dict[int, bytes] = {}
        self._ids: dict[bytes, int] = {}
        self._types: dict[int, FunctionType] = {}
        self._interned: dict[FunctionType, int] = {}
        self._written: set[int] = set()
        self._next_id = 0
        self.size_bytes = 0
        """Of all of them in CBOR."""

    def learn(self, rows: Iterable[object]) -> None:
        """
        Take over definitions read from a log.

        Raises:
            MalformedEntryError: A row is no definition, or gives an id a second meaning.
        """
        for row in rows:
            number, form = decode_definition(row)
            if number not in self._forms:
                self._forms[number] = form
                self.size_bytes += len(form)
            elif self._forms[number] != form:
                raise MalformedEntryError(kind="definition", reason=f"{number} is defined twice")
            self._ids.setdefault(form, number)
            self._written.add(number)
            self._next_id = max(self._next_id, number + 1)

    def copy(self) -> Definitions:
        """The same definitions, to go on with separately."""
        copy = Definitions()
        copy._forms.update(self._forms)
        copy._ids.update(self._ids)
        copy._written.update(self._written)
        copy._next_id = self._next_id
        copy.size_bytes = self.size_bytes
        return copy

    def intern(self, function: FunctionType) -> int:
        """The id of a function; the same for an equal one."""
        number = self._interned.get(function)
        if number is None:
            form = encode_type(function)
            number = self._ids.setdefault(form, self._next_id)
            if number == self._next_id:
                self._forms[number] = form
                self.size_bytes += len(form)
                self._next_id += 1
            self._interned[function] = number
        return number

    def find(self, function: FunctionType) -> int | None:
        """The id of a function that is defined already."""
        number = self._interned.get(function)
        return self._ids.get(encode_type(function)) if number is None else number

    def function(self, number: int) -> FunctionType:
        """
        The function behind an id.

        Raises:
            UnknownFunctionError: There is none.
        """
        function = self._types.get(number)
        if function is None:
            form = self._forms.get(number)
            if form is None:
                raise UnknownFunctionError(function=number)
            function = self._types[number] = decode_function(form)
        return function

    def is_written(self, number: int) -> bool:
        return number in self._written

    def use(self, number: int) -> bytes:
        """
        The packed definition, which the caller writes beside the entry that is its first user.

        Raises:
            UnknownFunctionError: There is no such definition.
        """
        packed = encode_definition(number, self.function(number))
        self._written.add(number)
        return packed

    def packed(self) -> list[bytes]:
        """All that are written, for the beginning of a segment."""
        return [
            encode_definition(number, self.function(number)) for number in sorted(self._written)
        ]


def ignore_definitions(rows: Iterable[object]) -> None:
    """For readers of a log whose definitions are known."""
