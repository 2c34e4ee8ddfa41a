"""
The types of all functions that components may import, as ``wit/`` and its dialects declare them.

They lie in ``signatures.json``, made by ``python -m docs.generate_signatures``, and are read when
the first component with imports is linked; types are made of those that it asks for.

The table has two parts::

    functions: {interface without version: {import name: [[dialect, [[param, type], ...], result]]}}
    types:     [["list", type], ["record", [field, type], ...], ["own", resource], ...]

where a type is the name of a primitive one, the number of a row, or null.  A row refers to rows
before it.  A function has several types where the dialects of its interface differ; the first is
that of ``wit/``, if it has the function, and its dialect is called "".
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, cast

from golem_host.declare import without_version
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)

TABLE: Final = Path(__file__).with_suffix(".json")

_Functions: TypeAlias = dict[str, dict[str, list[tuple[str, list[tuple[str, object]], object]]]]


@dataclass(frozen=True, slots=True)
class Signature:
    """One type that a function may be imported with."""

    dialect: str
    """The first one that has it; empty for ``wit/`` itself."""
    type: FunctionType
    """Named by interface without version and import name."""

    def fits(self, imported: FunctionType) -> bool:
        """
        Whether an import of this type can be answered.

        Names of parameters are part of WASI's types, where all versions agree on them.  Golem has
        renamed some and kept the version, and nothing that is passed depends on them.
        """
        expected = self.type
        if expected.result != imported.result:
            return False
        if expected.name.startswith("wasi:"):
            return expected.params == imported.params
        return [ty for _, ty in expected.params] == [ty for _, ty in imported.params]


class Signatures:
    """The table; its types are made when they are asked for."""

    def __init__(self, functions: _Functions, rows: list[object]) -> None:
        self._functions = functions
        self._rows = rows
        self._made: dict[int, WitType] = {}

    def of(self, interface: str, name: str) -> tuple[Signature, ...]:
        """All types of a function; none where the table does not know it."""
        home = without_version(interface)
        rows = self._functions.get(home, {}).get(name, ())
        return tuple(
            Signature(
                dialect,
                FunctionType(
                    f"{home}.{{{name}}}",
                    tuple((param, self._type(ref)) for param, ref in params),
                    self._optional(result),
                ),
            )
            for dialect, params, result in rows
        )

    def match(self, interface: str, name: str, imported: FunctionType) -> Signature | None:
        """The signature that an import fits, with its dialect; None where it fits none."""
        found = self.of(interface, name)
        return next((signature for signature in found if signature.fits(imported)), None)

    def _optional(self, ref: object) -> WitType | None:
        return None if ref is None else self._type(ref)

    def _type(self, ref: object) -> WitType:
        if isinstance(ref, str):
            return Prim(ref)
        assert isinstance(ref, int)
        made = self._made.get(ref)
        if made is None:
            made = self._made[ref] = self._row(self._rows[ref])
        return made

    def _row(self, row: object) -> WitType:
        match row:
            case ["list", element]:
                return ListType(self._type(element))
            case ["option", payload]:
                return OptionType(self._type(payload))
            case ["tuple", *elements]:
                return TupleType(tuple([self._type(element) for element in elements]))
            case ["result", ok, err]:
                return ResultType(self._optional(ok), self._optional(err))
            case ["record", *fields]:
                return RecordType(tuple([(n, self._type(ty)) for n, ty in _members(fields)]))
            case ["variant", *cases]:
                return VariantType(tuple([(n, self._optional(ty)) for n, ty in _members(cases)]))
            case ["enum", *names]:
                return EnumType(tuple(map(str, names)))
            case ["flags", *names]:
                return FlagsType(tuple(map(str, names)))
            case ["own", str(resource)]:
                return HandleType(resource, owned=True)
            case ["borrow", str(resource)]:
                return HandleType(resource, owned=False)
        raise AssertionError(row)


def _members(row: list[object]) -> list[tuple[str, object]]:
    return cast("list[tuple[str, object]]", row)


@cache
def signatures() -> Signatures:
    """The table of this package."""
    document = json.loads(TABLE.read_bytes())
    return Signatures(document["functions"], document["types"])
