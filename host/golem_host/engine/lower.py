"""
Lowering: wire values to cells of the component ABI.

A value is built bottom-up out of ``bytes`` objects: a parent holds the addresses of its children,
and ``keep`` (the ``append`` of a list) keeps the children alive until the call has read them.  The
arguments of an export are passed as they lie there.  The result of a host function must be made of
wasmtime's memory, so one deep copy follows (`golem_host.engine.trampoline`).

Everything that could make wasmtime abort the process raises here instead: surrogates in chars and
strings, case numbers out of range, reps that are not u32.  So does every value that does not fit
its type, with whatever exception comes first; the caller says what the value was for.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from golem_host.engine import abi
from golem_host.engine.abi import CELL_BYTES, address_of
from golem_host.engine.codegen import Namespace, unpacking
from golem_host.engine.resources import (
    HandlePlan,
    give_guest_handle,
    lend_box,
    lend_guest_handle,
)
from golem_host.engine.scalars import BITS, SCALARS, Scalar, scalar_value
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

SIZED: Final = "B7xQQ8x"
"""Kind, size and address: a string, list, record, tuple, enum or flags cell."""
POINTED: Final = "B7xQ16x"
"""Kind and address: an option or resource cell."""


@dataclass(frozen=True, slots=True)
class CellWriter:
    """
    How to write one cell.

    ``steps`` maps the name of a variable to the statements that prepare it and to the expressions
    that ``format`` packs.
    """

    format: str
    steps: Callable[[str], tuple[list[str], list[str]]]


def no_payload(value: object, _keep: object, _cx: object) -> int:
    """Lowers the payload of a case that has none."""
    if value is not None:
        message = "a payload for a case that has none"
        raise TypeError(message)
    return 0


class Lowerer:
    """Writes lowering functions into a namespace, at most one per type."""

    def __init__(self, namespace: Namespace, handles: HandlePlan) -> None:
        self._namespace = namespace
        self._handles = handles
        self._products: dict[WitType, str] = {}
        self._boxed: dict[tuple[WitType, bool], str] = {}
        self._lists: dict[WitType, str] = {}
        self._tables: dict[WitType, str] = {}
        self._flags: dict[WitType, str] = {}
        namespace.globals.update(
            OFF=abi.BYTES_OFFSET,
            BITS=BITS,
            array=array,
            scalar_value=scalar_value,
            address_of=address_of,
            no_payload=no_payload,
            lend_box=lend_box,
            lend_guest_handle=lend_guest_handle,
            give_guest_handle=give_guest_handle,
        )

    def packed(
        self, types: Sequence[WitType], variables: Sequence[str], names: Sequence[str] = ()
    ) -> tuple[list[str], str]:
        """
        Statements, and an expression for the bytes of the cells that hold the variables' values.

        With ``names`` the cells are entries of a record.
        """
        text, statements, fields = "<", [], []
        for index, (ty, variable) in enumerate(zip(types, variables, strict=True)):
            if names:
                size, address = self._name(names[index])
                text += "QQ"
                fields += [size, address]
            writer = self.cell(ty)
            mine, packed = writer.steps(variable)
            text += writer.format
            statements += mine
            fields += packed
        pack = self._namespace.constant(struct.Struct(text).pack, "k")
        return statements, f"{pack}({','.join(fields)})"

    def boxed(self, ty: WitType, *, wrapped: bool = False) -> str:
        """
        The function ``(value, keep, cx) -> address of a cell``.

        ``wrapped`` values are 1-tuples: the payload of an option.
        """
        name = self._boxed.get((ty, wrapped))
        if name is None:
            statements, cell = self.packed([ty], ["x"])
            name = self._boxed[ty, wrapped] = self._namespace.function(
                "x",
                "x,keep,cx",
                [*(["x,=x"] if wrapped else []), *statements, *self._kept(cell)],
            )
        return name

    def cell(self, ty: WitType) -> CellWriter:
        match ty:
            case Prim.STRING:
                return CellWriter(SIZED, self._string)
            case Prim():
                scalar = SCALARS[ty]
                return CellWriter(
                    f"B7x{scalar.stored_code}{24 - scalar.size}x",
                    lambda v: ([], [str(scalar.kind), scalar.lowered(v)]),
                )
            case ListType():
                return self._sized(abi.KIND_LIST, self._list(ty))
            case RecordType() | TupleType():
                return self._product_cell(ty)
            case OptionType(payload):
                function = self.boxed(payload, wrapped=True)
                return CellWriter(
                    POINTED,
                    lambda v: (
                        [],
                        [str(abi.KIND_OPTION), f"(0 if {v} is None else {function}({v},keep,cx))"],
                    ),
                )
            case HandleType():
                call = self._handle(ty)
                return CellWriter(POINTED, lambda v: ([], [str(abi.KIND_RESOURCE), call(v)]))
            case ResultType():
                return self._result(ty)
            case VariantType():
                return self._variant(ty)
            case EnumType():
                return self._enum(ty)
            case FlagsType():
                return self._sized(abi.KIND_FLAGS, self._flags_function(ty))

    def _name(self, name: str) -> tuple[str, str]:
        """Size and address of a name that lives as long as the namespace."""
        encoded = name.encode()
        constant = self._namespace.constant(encoded, "n")
        return str(len(encoded)), f"id({constant})+OFF"

    @staticmethod
    def _kept(cell: str) -> list[str]:
        return [f"r={cell}", "keep(r)", "return id(r)+OFF"]

    def _string(self, value: str) -> tuple[list[str], list[str]]:
        encoded = self._namespace.name("s")
        return (
            [f"{encoded}={value}.encode()", f"keep({encoded})"],
            [str(abi.KIND_STRING), f"len({encoded})", f"id({encoded})+OFF"],
        )

    def _sized(self, kind: int, function: str) -> CellWriter:
        """A cell whose size and address a function returns."""

        def steps(value: str) -> tuple[list[str], list[str]]:
            size, address = self._namespace.names("q", 2)
            return [f"{size},{address}={function}({value},keep,cx)"], [str(kind), size, address]

        return CellWriter(SIZED, steps)

    def _product_cell(self, ty: RecordType | TupleType) -> CellWriter:
        if isinstance(ty, RecordType):
            kind, names, elements = abi.KIND_RECORD, *zip(*ty.fields, strict=True)
        else:
            kind, names, elements = abi.KIND_TUPLE, (), ty.elements
        function = self._products.get(ty)
        if function is None:
            variables = self._namespace.names("v", len(elements))
            statements, cells = self.packed(elements, variables, names)
            function = self._products[ty] = self._namespace.function(
                "t", "v,keep,cx", [f"{unpacking(variables)}=v", *statements, *self._kept(cells)]
            )
        call = f"{function}({{}},keep,cx)"
        return CellWriter(SIZED, lambda v: ([], [str(kind), str(len(elements)), call.format(v)]))

    def _handle(self, ty: HandleType) -> Callable[[str], str]:
        if self._handles.is_host(ty):
            resource_id = self._handles.host_ids[ty.resource]
            return lambda v: f"lend_box({v},{ty.owned},{resource_id},cx)"
        function = "give_guest_handle" if ty.owned else "lend_guest_handle"
        return lambda v: f"{function}({v},{ty.resource!r},cx)"

    def _payload(self, ty: WitType | None) -> str:
        return "no_payload" if ty is None else self.boxed(ty)

    def _result(self, ty: ResultType) -> CellWriter:
        table = self._tables.get(ty)
        if table is None:
            rows = {0: self._payload(ty.ok), 1: self._payload(ty.err)}
            table = self._tables[ty] = self._namespace.table("o", rows)

        def steps(value: str) -> tuple[list[str], list[str]]:
            tag, payload, address = self._namespace.names("w", 3)
            return (
                [f"{tag},{payload}={value}", f"{address}={table}[{tag}]({payload},keep,cx)"],
                [str(abi.KIND_RESULT), f"1-{tag}", address],
            )

        return CellWriter("B7xB7xQ8x", steps)

    def _variant(self, ty: VariantType) -> CellWriter:
        table = self._tables.get(ty)
        if table is None:
            rows = {}
            for index, (case, payload) in enumerate(ty.cases):
                size, address = self._name(case)
                rows[index] = f"({size},{address},{self._payload(payload)})"
            table = self._tables[ty] = self._namespace.table("c", rows)

        def steps(value: str) -> tuple[list[str], list[str]]:
            index, payload, size, name, lower, address = self._namespace.names("w", 6)
            return (
                [
                    f"{index},{payload}={value}",
                    f"{size},{name},{lower}={table}[{index}]",
                    f"{address}={lower}({payload},keep,cx)",
                ],
                [str(abi.KIND_VARIANT), size, name, address],
            )

        return CellWriter("B7xQQQ", steps)

    def _enum(self, ty: EnumType) -> CellWriter:
        table = self._tables.get(ty)
        if table is None:
            rows = {i: "({},{})".format(*self._name(name)) for i, name in enumerate(ty.names)}
            table = self._tables[ty] = self._namespace.table("c", rows)

        def steps(value: str) -> tuple[list[str], list[str]]:
            size, name = self._namespace.names("w", 2)
            return [f"{size},{name}={table}[{value}]"], [str(abi.KIND_ENUM), size, name]

        return CellWriter(SIZED, steps)

    def _flags_function(self, ty: FlagsType) -> str:
        function = self._flags.get(ty)
        if function is None:
            names = [self._name(name) for name in ty.names]
            pairs = {1 << bit: "({},{})".format(*pair) for bit, pair in enumerate(names)}
            table = self._namespace.table("f", pairs)
            every = (1 << len(ty.names)) - 1
            self._namespace.globals["struct"] = struct
            function = self._flags[ty] = self._namespace.function(
                "f",
                "v,keep,cx",
                [
                    f"if v&~{every}: raise ValueError('a flag that is not declared')",
                    f"l=[q for bit,pair in {table}.items() if v&bit for q in pair]",
                    "r=struct.pack(f'<{len(l)}Q',*l)",
                    "keep(r)",
                    "return len(l)//2,id(r)+OFF",
                ],
            )
        return function

    def _list(self, ty: ListType) -> str:
        name = self._lists.get(ty)
        if name is None:
            scalar = SCALARS.get(ty.element) if isinstance(ty.element, Prim) else None
            body = self._scalar_list(scalar) if scalar else self._general_list(ty.element)
            name = self._lists[ty] = self._namespace.function(
                "l", "v,keep,cx", ["n=len(v)", "if not n: return 0,0", *body]
            )
        return name

    def _scalar_list(self, scalar: Scalar) -> list[str]:
        """All kinds in one strided store, all values in another."""
        kind = self._namespace.constant(bytes([scalar.kind]))
        code, first = scalar.stored_code, 8 // scalar.size
        values = scalar.lowered_list("v")
        store = (
            f"b[8::{CELL_BYTES}]={values}"
            if code == "B"
            else f'memoryview(b).cast("{code}")[{first}::{CELL_BYTES // scalar.size}]='
            f'array("{code}",{values})'
        )
        return [
            f"b=bytearray({CELL_BYTES}*n)",
            f"b[::{CELL_BYTES}]={kind}*n",
            store,
            "keep(b)",
            "return n,address_of(b)",
        ]

    def _general_list(self, element: WitType) -> list[str]:
        statements, cell = self.packed([element], ["x"])
        return [
            "o=[]",
            "for x in v:",
            *(f" {statement}" for statement in statements),
            f" o.append({cell})",
            'r=b"".join(o)',
            "keep(r)",
            "return n,id(r)+OFF",
        ]
