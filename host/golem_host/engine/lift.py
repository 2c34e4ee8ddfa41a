"""
Lifting: cells of the component ABI to wire values.

Reading is all it does: nothing is freed here.  For each type there is a `CellReader`, the piece of a
``struct`` format that picks the interesting fields out of one cell, and an expression over those
fields.  Pieces are joined, so that all parameters of a function, or all fields of a record, come out
of one ``unpack_from``.

Generated functions take ``cx``, the `StoreContext`, because handles need it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from golem_host.engine.abi import CELL_BYTES, CHARS, MEMORY
from golem_host.engine.codegen import Namespace, unpacking
from golem_host.engine.resources import HandlePlan, keep_guest_handle, take_rep
from golem_host.engine.scalars import SCALARS, Scalar
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import (
    EnumType,
    FlagsType,
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

SIZED: Final = "8xQQ8x"
"""Picks size and address out of a string, list, enum or flags cell."""


@dataclass(frozen=True, slots=True)
class CellReader:
    """How to read one cell: its format, the number of fields it yields, the value made of them."""

    format: str
    fields: int
    value: Callable[[Sequence[str]], str]


class Lifter:
    """Writes lifting functions into a namespace, at most one per type."""

    def __init__(self, namespace: Namespace, handles: HandlePlan) -> None:
        self._namespace = namespace
        self._handles = handles
        self._products: dict[WitType, str] = {}
        self._boxed: dict[WitType, str] = {}
        self._lists: dict[WitType, str] = {}
        self._tables: dict[WitType, str] = {}
        self._flags: dict[WitType, str] = {}
        namespace.globals.update(
            M=MEMORY, A=CHARS, take_rep=take_rep, keep_guest_handle=keep_guest_handle
        )

    def fields(
        self, types: Sequence[WitType], *, before: str = ""
    ) -> tuple[str, list[str], list[str]]:
        """Format, field names and value expressions for cells that lie one after the other."""
        text, names, values = "<", [], []
        for ty in types:
            reader = self.cell(ty)
            mine = self._namespace.names("a", reader.fields)
            text += before + reader.format
            names += mine
            values.append(reader.value(mine))
        return text, names, values

    def boxed(self, ty: WitType) -> str:
        """The function ``(address of a cell, cx) -> value``."""
        name = self._boxed.get(ty)
        if name is None:
            name = self._boxed[ty] = self._reading_function("b", [ty], lambda v: v[0])
        return name

    def cell(self, ty: WitType) -> CellReader:
        match ty:
            case Prim.STRING:
                return CellReader(
                    SIZED, 2, lambda a: f"(A[{a[1]}:{a[1]}+{a[0]}].decode() if {a[0]} else '')"
                )
            case Prim():
                scalar = SCALARS[ty]
                return CellReader(
                    f"8x{scalar.code}{24 - scalar.size}x", 1, lambda a: scalar.lifted(a[0])
                )
            case ListType():
                function = self._list(ty)
                return CellReader(SIZED, 2, lambda a: f"{function}({a[0]},{a[1]},cx)")
            case RecordType() | TupleType():
                function = self._product(ty)
                return CellReader("16xQ8x", 1, lambda a: f"{function}({a[0]},cx)")
            case OptionType(payload):
                function = self.boxed(payload)
                return CellReader(
                    "8xQ16x", 1, lambda a: f"(({function}({a[0]},cx),) if {a[0]} else None)"
                )
            case HandleType():
                if self._handles.is_host(ty):
                    return CellReader("8xQ16x", 1, lambda a: f"take_rep({a[0]},cx)")
                keep = f"keep_guest_handle({{}},{ty.resource!r},cx)"
                return CellReader("8xQ16x", 1, lambda a: keep.format(a[0]))
            case ResultType() | VariantType() | EnumType() | FlagsType():
                return self._named(ty)

    def _named(self, ty: ResultType | VariantType | EnumType | FlagsType) -> CellReader:
        """Types whose cells carry a discriminant, mostly as a name."""
        match ty:
            case ResultType(ok, err):
                first, second = self._payload(ok), self._payload(err)
                return CellReader(
                    "8x?7xQ8x",
                    2,
                    lambda a: f"((0,{first(a[1])}) if {a[0]} else (1,{second(a[1])}))",
                )
            case VariantType():
                function = self._variant(ty)
                return CellReader("8xQQQ", 3, lambda a: f"{function}({a[0]},{a[1]},{a[2]},cx)")
            case EnumType(names):
                table = self._tables.get(ty)
                if table is None:
                    rows = {name.encode(): str(index) for index, name in enumerate(names)}
                    table = self._tables[ty] = self._namespace.table("e", rows)
                return CellReader(SIZED, 2, lambda a: f"{table}[A[{a[1]}:{a[1]}+{a[0]}]]")
            case FlagsType():
                function = self._flags_function(ty)
                return CellReader(SIZED, 2, lambda a: f"{function}({a[0]},{a[1]})")

    def _payload(self, ty: WitType | None) -> Callable[[str], str]:
        if ty is None:
            return lambda _: "None"
        function = self.boxed(ty)
        return lambda address: f"{function}({address},cx)"

    def _reading_function(
        self,
        prefix: str,
        types: Sequence[WitType],
        result: Callable[[list[str]], str],
        *,
        before: str = "",
    ) -> str:
        text, names, values = self.fields(types, before=before)
        unpack = self._namespace.constant(struct.Struct(text).unpack_from, "u")
        return self._namespace.function(
            prefix, "p,cx", [f"{unpacking(names)}={unpack}(M,p)", f"return {result(values)}"]
        )

    def _product(self, ty: RecordType | TupleType) -> str:
        name = self._products.get(ty)
        if name is None:
            # A record's cells stand behind the names of its fields.
            elements, before = (
                ([t for _, t in ty.fields], "16x")
                if isinstance(ty, RecordType)
                else (list(ty.elements), "")
            )
            name = self._products[ty] = self._reading_function(
                "p", elements, lambda v: f"({unpacking(v)})", before=before
            )
        return name

    def _variant(self, ty: VariantType) -> str:
        name = self._tables.get(ty)
        if name is None:
            rows = {
                case.encode(): f"({index},{self.boxed(payload) if payload else None})"
                for index, (case, payload) in enumerate(ty.cases)
            }
            table = self._namespace.table("v", rows)
            name = self._tables[ty] = self._namespace.function(
                "v",
                "n,d,p,cx",
                [f"i,f={table}[A[d:d+n]]", "return (i,f(p,cx) if f is not None else None)"],
            )
        return name

    def _flags_function(self, ty: FlagsType) -> str:
        name = self._flags.get(ty)
        if name is None:
            rows = {flag.encode(): str(1 << bit) for bit, flag in enumerate(ty.names)}
            table = self._namespace.table("f", rows)
            entries = self._namespace.constant(struct.Struct("<QQ").iter_unpack, "u")
            name = self._flags[ty] = self._namespace.function(
                "f",
                "n,d",
                [f"return sum([{table}[A[p:p+s]] for s,p in {entries}(M[d:d+16*n])]) if n else 0"],
            )
        return name

    def _list(self, ty: ListType) -> str:
        name = self._lists.get(ty)
        if name is None:
            name = self._lists[ty] = self._namespace.function(
                "l", "n,p,cx", [self._list_body(ty.element)]
            )
        return name

    def _list_body(self, element: WitType) -> str:
        if element is Prim.U8:
            return f'return A[p+8:p+{CELL_BYTES}*n:{CELL_BYTES}] if n else b""'
        scalar: Scalar | None = SCALARS.get(element) if isinstance(element, Prim) else None
        if scalar is not None:
            # One cast of the cells to numbers of the element's size, then every n-th of them.
            first, step = 8 // scalar.size, CELL_BYTES // scalar.size
            column = f'M[p:p+{CELL_BYTES}*n].cast("{scalar.code}")[{first}::{step}].tolist()'
            return f"return {scalar.lifted_list(column)} if n else []"
        reader = self.cell(element)
        names = self._namespace.names("a", reader.fields)
        cells = self._namespace.constant(struct.Struct("<" + reader.format).iter_unpack, "u")
        return (
            f"return [{reader.value(names)} for {unpacking(names)} in "
            f"{cells}(M[p:p+{CELL_BYTES}*n])] if n else []"
        )
