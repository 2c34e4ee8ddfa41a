"""
WIT types as ``golem:rpc/types.wit-type``: see `golem_oplog.wit_value`.

A resource's name and interface stand beside its node; its number is only distinct from those of
the other resources in the same type.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, assert_never

from golem_oplog.errors import ValueTypeError
from golem_oplog.shape import TYPE_DEPTH_MAX, check_depth
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
from golem_oplog.wit_nodes import MODES, WIT_TYPE_NODE, NodeReader

Wire: TypeAlias = Any
_Plain: TypeAlias = (
    Prim
    | ListType
    | OptionType
    | TupleType
    | ResultType
    | RecordType
    | VariantType
    | EnumType
    | FlagsType
)
Named: TypeAlias = tuple[tuple[str] | None, tuple[str] | None, tuple[int, Wire]]

_CASE: Final = {name: case for case, (name, _) in enumerate(WIT_TYPE_NODE.cases)}
_PRIMS: Final = {prim: _CASE[f"prim-{prim.value}-type"] for prim in Prim}
_PRIM_OF: Final = {case: prim for prim, case in _PRIMS.items()}
_OWNED: Final = MODES.index("owned")
_BORROWED: Final = MODES.index("borrowed")


def to_wit_type(ty: WitType) -> Wire:
    """
    A type as a ``wit-type``.

    Raises:
        ValueTypeError: It nests too deep.
    """
    check_depth(ty)
    writer = _Writer()
    writer.write(ty)
    return (writer.nodes,)


def from_wit_type(value: Wire) -> WitType:
    """
    The type that a ``wit-type`` stands for.

    Raises:
        ValueTypeError: It is no tree, nests too deep, or has a name twice or one that is none.
    """
    return _Reader(value[0]).read(0, TYPE_DEPTH_MAX)


class _Writer:
    def __init__(self) -> None:
        self.nodes: list[Named] = []
        self._resources: dict[str, int] = {}

    def write(self, ty: WitType) -> int:
        at = len(self.nodes)
        # Its place comes before those of its parts.
        self.nodes.append((None, None, (0, None)))
        self.nodes[at] = self._resource(ty) if isinstance(ty, HandleType) else self._plain(ty)
        return at

    def _plain(self, ty: _Plain) -> Named:
        name, payload = self._node(ty)
        return (None, None, (_CASE[name], payload))

    def _node(self, ty: _Plain) -> tuple[str, Wire]:
        match ty:
            case Prim():
                return f"prim-{ty.value}-type", None
            case ListType(element):
                return "list-type", self.write(element)
            case OptionType(payload):
                return "option-type", self.write(payload)
            case TupleType(elements):
                return "tuple-type", [self.write(element) for element in elements]
            case ResultType(ok, err):
                return "result-type", (self._maybe(ok), self._maybe(err))
            case RecordType(fields):
                return "record-type", [(name, self.write(field)) for name, field in fields]
            case VariantType(cases):
                return "variant-type", [(name, self._maybe(payload)) for name, payload in cases]
            case EnumType(names):
                return "enum-type", list(names)
            case FlagsType(names):
                return "flags-type", list(names)
        assert_never(ty)

    def _maybe(self, ty: WitType | None) -> tuple[int] | None:
        return None if ty is None else (self.write(ty),)

    def _resource(self, ty: HandleType) -> Named:
        owner, _, name = ty.resource.rpartition(".")
        number = self._resources.setdefault(ty.resource, len(self._resources))
        mode = _OWNED if ty.owned else _BORROWED
        return ((name,), (owner,) if owner else None, (_CASE["handle-type"], (number, mode)))


class _Reader(NodeReader[Named]):
    def read(self, at: int, depth_left: int) -> WitType:
        if not depth_left:
            raise _unfit(f"a type nested at most {TYPE_DEPTH_MAX} deep", "a deeper one")
        name, owner, (case, payload) = self.visit(at)
        if case in _PRIM_OF:
            return _PRIM_OF[case]
        left = depth_left - 1
        match WIT_TYPE_NODE.cases[case][0]:
            case "list-type":
                return ListType(self.read(payload, left))
            case "option-type":
                return OptionType(self.read(payload, left))
            case "tuple-type":
                return TupleType(tuple([self.read(part, left) for part in payload]))
            case "result-type":
                ok, err = payload
                return ResultType(self._maybe(ok, left), self._maybe(err, left))
            case "record-type":
                names = _names([field for field, _ in payload])
                parts = [self.read(part, left) for _, part in payload]
                return RecordType(tuple(zip(names, parts, strict=True)))
            case "variant-type":
                names = _names([label for label, _ in payload])
                sides = [self._maybe(part, left) for _, part in payload]
                return VariantType(tuple(zip(names, sides, strict=True)))
            case "enum-type":
                return EnumType(_names(payload))
            case "flags-type":
                return FlagsType(_names(payload))
            case _:
                number, mode = payload
                label = name[0] if name else f"resource-{number}"
                if not label or "." in label:
                    raise _unfit("a resource's name without a dot", repr(label))
                full = f"{owner[0]}.{label}" if owner and owner[0] else label
                return HandleType(full, owned=mode == _OWNED)

    def _maybe(self, part: tuple[int] | None, depth_left: int) -> WitType | None:
        return None if part is None else self.read(part[0], depth_left)


def _names(names: list[str]) -> tuple[str, ...]:
    if not all(names) or len(set(names)) != len(names):
        raise _unfit("distinct names", "an empty one or the same one twice")
    return tuple(names)


def _unfit(expected: str, found: str) -> ValueTypeError:
    return ValueTypeError(path="", expected=expected, found=found)
