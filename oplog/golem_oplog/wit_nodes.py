"""The types of ``golem:rpc/types`` that hold values and types as flat trees, and how one is read."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from golem_oplog.errors import ValueTypeError
from golem_oplog.types import (
    EnumType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)

_INDEX: Final = Prim.S32
_INDEXES: Final = ListType(_INDEX)
_MAYBE: Final = OptionType(_INDEX)
_NAMES: Final = ListType(Prim.STRING)
URI: Final = RecordType((("value", Prim.STRING),))
WIT_NODE: Final = VariantType(
    (
        ("record-value", _INDEXES),
        ("variant-value", TupleType((Prim.U32, _MAYBE))),
        ("enum-value", Prim.U32),
        ("flags-value", ListType(Prim.BOOL)),
        ("tuple-value", _INDEXES),
        ("list-value", _INDEXES),
        ("option-value", _MAYBE),
        ("result-value", ResultType(_MAYBE, _MAYBE)),
        ("prim-u8", Prim.U8),
        ("prim-u16", Prim.U16),
        ("prim-u32", Prim.U32),
        ("prim-u64", Prim.U64),
        ("prim-s8", Prim.S8),
        ("prim-s16", Prim.S16),
        ("prim-s32", Prim.S32),
        ("prim-s64", Prim.S64),
        ("prim-float32", Prim.F32),
        ("prim-float64", Prim.F64),
        ("prim-char", Prim.CHAR),
        ("prim-bool", Prim.BOOL),
        ("prim-string", Prim.STRING),
        ("handle", TupleType((URI, Prim.U64))),
    )
)
WIT_VALUE: Final = RecordType((("nodes", ListType(WIT_NODE)),))

MODES: Final = ("owned", "borrowed")
WIT_TYPE_NODE: Final = VariantType(
    (
        ("record-type", ListType(TupleType((Prim.STRING, _INDEX)))),
        ("variant-type", ListType(TupleType((Prim.STRING, _MAYBE)))),
        ("enum-type", _NAMES),
        ("flags-type", _NAMES),
        ("tuple-type", _INDEXES),
        ("list-type", _INDEX),
        ("option-type", _INDEX),
        ("result-type", TupleType((_MAYBE, _MAYBE))),
        ("prim-u8-type", None),
        ("prim-u16-type", None),
        ("prim-u32-type", None),
        ("prim-u64-type", None),
        ("prim-s8-type", None),
        ("prim-s16-type", None),
        ("prim-s32-type", None),
        ("prim-s64-type", None),
        ("prim-f32-type", None),
        ("prim-f64-type", None),
        ("prim-char-type", None),
        ("prim-bool-type", None),
        ("prim-string-type", None),
        ("handle-type", TupleType((Prim.U64, EnumType(MODES)))),
    )
)
NAMED_WIT_TYPE_NODE: Final = RecordType(
    (
        ("name", OptionType(Prim.STRING)),
        ("owner", OptionType(Prim.STRING)),
        ("type", WIT_TYPE_NODE),
    )
)
WIT_TYPE: Final = RecordType((("nodes", ListType(NAMED_WIT_TYPE_NODE)),))
VALUE_AND_TYPE: Final = RecordType((("value", WIT_VALUE), ("typ", WIT_TYPE)))

N = TypeVar("N")


class NodeReader(Generic[N]):
    """The nodes of one tree, each of which may be visited once."""

    __slots__ = ("_left", "_nodes")

    def __init__(self, nodes: list[N]) -> None:
        self._nodes = nodes
        self._left = len(nodes)

    def visit(self, at: int) -> N:
        """
        A node by its position.

        Raises:
            ValueTypeError: There is no such node, or more were visited than there are.
        """
        if not 0 <= at < len(self._nodes):
            raise ValueTypeError(
                path="", expected=f"a node of {len(self._nodes)}", found=f"node {at}"
            )
        if not self._left:
            raise ValueTypeError(
                path="", expected="a tree of nodes", found="nodes that are part of several others"
            )
        self._left -= 1
        return self._nodes[at]
