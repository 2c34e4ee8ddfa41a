"""
The linear memories and the tables that an instance of a component will have.

A component says so without being run: which core modules it instantiates, how often, and which
memories and tables each of them defines.  Nested components count as often as they are
instantiated.  What a component is *given* as a module or component (no toolchain makes such) counts
as having none; the engine is told how many there may be, so that one too many does not start.

The bytes may not have been validated: anything raises `MalformedError` at worst, and takes time
linear in their size.

Source: ``Binary.md`` of the component model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from golem_host.engine.binary import Cursor, MalformedError, sections

COUNT_MAX: Final = 10_000
"""Counting stops here: the engine gives no instance more."""

_NESTING_MAX: Final = 100

_PAGE_BYTES: Final = 65_536
_CORE_TABLE_SECTION: Final = 4
_CORE_MEMORY_SECTION: Final = 5
_TABLE_WITH_VALUE: Final = 0x40
_TYPED_REFERENCES: Final = (0x63, 0x64)
_LIMITS_HAVE_MAX: Final = 0x01
_LIMITS_HAVE_PAGE_SIZE: Final = 0x08

_CORE_SORT: Final = 0x00
_CORE_MODULE: Final = (_CORE_SORT, 0x11)
_COMPONENT: Final = (0x04, 0)
_SORT_MAX: Final = 0x05
_OUTER: Final = 0x02


class Extent(NamedTuple):
    """The limits of a memory in bytes, or of a table in elements; None: it declares no maximum."""

    initial: int
    maximum: int | None


class Extents(Counter[Extent]):
    """Those of all memories, or of all tables, with how often each comes."""

    @property
    def count(self) -> int:
        return min(self.total(), COUNT_MAX + 1)

    @property
    def initial(self) -> int:
        return sum(extent.initial * number for extent, number in self.items())

    def add(self, others: Extents) -> None:
        for extent, number in others.items():
            self[extent] = min(self[extent] + number, COUNT_MAX + 1)

    def share(self, maximum_of_all: int) -> int:
        """
        The most that each may have if all together have at most ``maximum_of_all``.

        What one cannot use, by its own maximum, is there for the others.
        """
        left, sharers = maximum_of_all, self.count
        for maximum, number in sorted(
            (extent.maximum, number)
            for extent, number in self.items()
            if extent.maximum is not None
        ):
            if maximum * sharers > left:
                break
            left -= maximum * number
            sharers -= number
        return left // sharers if sharers > 0 else maximum_of_all


ModuleExtents: TypeAlias = Callable[[memoryview], Extents]


def memories_of(component: bytes) -> Extents:
    """
    Raises:
        MalformedError: The bytes make no sense.
    """
    return _Component(None, 0, _memories_of_module).read(memoryview(component))


def tables_of(component: bytes) -> Extents:
    """
    Raises:
        MalformedError: The bytes make no sense.
    """
    return _Component(None, 0, _tables_of_module).read(memoryview(component))


class _Component:
    """What is known of one component while it is read: its index spaces, as far as they matter."""

    def __init__(self, outer: _Component | None, depth: int, of_module: ModuleExtents) -> None:
        if depth > _NESTING_MAX:
            message = "components are nested too deeply"
            raise MalformedError(message)
        self._outer = outer
        self._depth = depth
        self._of_module = of_module
        self._spaces: dict[tuple[int, int], list[Extents]] = {_CORE_MODULE: [], _COMPONENT: []}
        self._instantiated = Extents()

    def read(self, content: memoryview) -> Extents:
        """What an instance has."""
        modules, components = self._spaces[_CORE_MODULE], self._spaces[_COMPONENT]
        readers = {
            2: self._core_instance,
            5: self._instance,
            6: self._alias,
            10: self._import,
            11: self._export,
        }
        for section, payload in sections(content):
            if section == 1:
                modules.append(self._of_module(payload))
            elif section == 4:
                inner = _Component(self, self._depth + 1, self._of_module)
                components.append(inner.read(payload))
            elif section in readers:
                cursor = Cursor(payload)
                for _ in range(cursor.number()):
                    readers[section](cursor)
        return self._instantiated

    def find(self, sort: tuple[int, int], index: int) -> Extents:
        space = self._spaces[sort]
        if index >= len(space):
            message = "an index refers to nothing"
            raise MalformedError(message)
        return space[index]

    def _core_instance(self, cursor: Cursor) -> None:
        if cursor.byte() == 0:
            self._instantiated.add(self.find(_CORE_MODULE, cursor.number()))
        for _ in range(cursor.number()):
            cursor.name()
            cursor.byte()
            cursor.number()

    def _instance(self, cursor: Cursor) -> None:
        if cursor.byte() == 0:
            self._instantiated.add(self.find(_COMPONENT, cursor.number()))
            for _ in range(cursor.number()):
                cursor.name()
                self._sort(cursor)
                cursor.number()
            return
        for _ in range(cursor.number()):
            self._external_name(cursor)
            self._sort(cursor)
            cursor.number()

    def _alias(self, cursor: Cursor) -> None:
        sort, target = self._sort(cursor), cursor.byte()
        first = cursor.number()
        if target != _OUTER:
            cursor.name()
            self._define(sort, Extents())
            return
        index = cursor.number()
        if sort in self._spaces:
            self._define(sort, self._around(first).find(sort, index))

    def _import(self, cursor: Cursor) -> None:
        self._external_name(cursor)
        self._define(self._description(cursor), Extents())

    def _export(self, cursor: Cursor) -> None:
        self._external_name(cursor)
        sort = self._sort(cursor)
        index = cursor.number()
        if sort in self._spaces:
            # An export is one more name, with an index of its own, for the same thing.
            self._define(sort, self.find(sort, index))
        if cursor.byte():
            self._description(cursor)

    def _define(self, sort: tuple[int, int], extents: Extents) -> None:
        if sort in self._spaces:
            self._spaces[sort].append(extents)

    def _around(self, levels: int) -> _Component:
        if levels == 0:
            return self
        if self._outer is None:
            message = "an alias reaches beyond the outermost component"
            raise MalformedError(message)
        return self._outer._around(levels - 1)  # noqa: SLF001 - another of the same kind

    @staticmethod
    def _sort(cursor: Cursor) -> tuple[int, int]:
        sort = cursor.byte()
        if sort > _SORT_MAX:
            message = f"unknown sort {sort}"
            raise MalformedError(message)
        return (sort, cursor.byte()) if sort == _CORE_SORT else (sort, 0)

    @staticmethod
    def _external_name(cursor: Cursor) -> None:
        if cursor.byte() > 1:
            message = "unknown kind of name"
            raise MalformedError(message)
        cursor.name()

    @classmethod
    def _description(cls, cursor: Cursor) -> tuple[int, int]:
        """Skip the type of an import or export; its sort."""
        sort = cls._sort(cursor)
        # For a type, what follows is a bound: equal to a type, or a new resource without any.
        if sort != (0x03, 0) or cursor.byte() == 0:
            cursor.number()
        return sort


def _memories_of_module(content: memoryview) -> Extents:
    return _in_module(content, _CORE_MEMORY_SECTION, _memory)


def _tables_of_module(content: memoryview) -> Extents:
    return _in_module(content, _CORE_TABLE_SECTION, _table)


def _in_module(content: memoryview, wanted: int, read: Callable[[Cursor], Extent]) -> Extents:
    found = Extents()
    for section, payload in sections(content):
        if section == wanted:
            cursor = Cursor(payload)
            for _ in range(cursor.number()):
                found[read(cursor)] += 1
    return found


def _memory(cursor: Cursor) -> Extent:
    flags = cursor.number()
    pages = cursor.number()
    pages_max = cursor.number() if flags & _LIMITS_HAVE_MAX else None
    page_bytes = _PAGE_BYTES
    if flags & _LIMITS_HAVE_PAGE_SIZE:
        page_bytes = 1 << min(cursor.number(), 16)
    return Extent(pages * page_bytes, None if pages_max is None else pages_max * page_bytes)


def _table(cursor: Cursor) -> Extent:
    first = cursor.byte()
    has_value = first == _TABLE_WITH_VALUE
    if has_value:
        # A zero that is reserved, then the type.
        cursor.byte()
        first = cursor.byte()
    if first in _TYPED_REFERENCES:
        cursor.number()
    flags = cursor.number()
    elements = cursor.number()
    elements_max = cursor.number() if flags & _LIMITS_HAVE_MAX else None
    if has_value:
        _skip_value(cursor)
    return Extent(elements, elements_max)


_REF_NULL: Final = 0xD0
_REF_FUNC: Final = 0xD2
_GLOBAL_GET: Final = 0x23
_END: Final = 0x0B


def _skip_value(cursor: Cursor) -> None:
    """What every element of a table is at first: a reference, made without computing."""
    instruction = cursor.byte()
    while instruction != _END:
        if instruction not in {_REF_NULL, _REF_FUNC, _GLOBAL_GET}:
            message = f"instruction {instruction:#x} in the first value of a table"
            raise MalformedError(message)
        cursor.number()
        instruction = cursor.byte()
