"""
Python values to ``wit-value`` and back, by their WIT type.

====================  =====================================================================
WIT                   Python
====================  =====================================================================
integers, floats      int, float
bool, char, string    bool, str
list, tuple           list, tuple; ``list<u8>`` is bytes
record                an object with the fields as attributes; a mapping is taken as well
variant               `Case`, or the generated class of the case; one without a payload may
                      be given as its name
enum                  its name; a generated enum's member is taken as well
flags                 a set of names; a generated flag is taken as well
option                the value or None, inside of another option ``Some(value)`` or None
result                ``Ok`` or ``Err``
a resource            `Handle`
====================  =====================================================================

Names are those of the WIT, but attributes have underscores for hyphens.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import Enum, Flag
from types import SimpleNamespace
from typing import Any, NamedTuple

from componentize_py_types import Err, Ok, Some

from golem_guest._wit_reader import PRIMITIVES, Type
from golem_guest._world import imported

_TYPES = imported("golem:rpc/types", marker="WasmRpc", version="0.2.2")
_PRIMS = {
    name: getattr(_TYPES, f"WitNode_Prim{name.capitalize()}")
    for name in PRIMITIVES - {"f32", "f64"}
} | {"f32": _TYPES.WitNode_PrimFloat32, "f64": _TYPES.WitNode_PrimFloat64}
_RANGES = {
    f"{sign}{bits}": range(-(1 << bits - 1), 1 << bits - 1) if sign == "s" else range(1 << bits)
    for sign in "su"
    for bits in (8, 16, 32, 64)
}


class Case(NamedTuple):
    """A variant's case by its name in the WIT, and its payload if it has one."""

    name: str
    value: Any = None


class Handle(NamedTuple):
    """A resource of another worker, to be given back to it."""

    uri: str
    number: int


def encode(given: Type, value: object) -> Any:
    """
    A ``wit-value``.

    Raises:
        TypeError: The value is not of the type; says what was expected.
    """
    nodes: list[Any] = []
    _Writer(nodes).put(given, value)
    return _TYPES.WitValue(nodes)


def decode(given: Type, value: Any, at: int = 0) -> Any:
    """The value at a node of a ``wit-value`` that is of that type."""
    return _read(given, value.nodes, at)


class _Writer:
    def __init__(self, nodes: list[Any]) -> None:
        self._nodes = nodes

    def put(self, given: Type, value: Any) -> int:
        """Append a value and its parts; the place that it has."""
        at = len(self._nodes)
        # A part comes behind what it belongs to.
        self._nodes.append(None)
        self._nodes[at] = self._node(given, value)
        return at

    def _maybe(self, given: Type | None, value: Any) -> int | None:
        if given is None and value is not None:
            raise _mismatch("nothing", value)
        return None if given is None else self.put(given, value)

    def _node(self, given: Type, value: Any) -> Any:
        kind, parts, names = given.kind, given.parts, given.names
        if kind in PRIMITIVES:
            return _PRIMS[kind](_checked(kind, value))
        match kind:
            case "list":
                if not isinstance(value, (list, tuple, bytes, bytearray)):
                    raise _mismatch(kind, value)
                return _TYPES.WitNode_ListValue([self.put(_of(parts[0]), v) for v in value])
            case "tuple":
                if not isinstance(value, (list, tuple)) or len(value) != len(parts):
                    raise _mismatch(f"tuple of {len(parts)}", value)
                pairs = zip(parts, value, strict=True)
                return _TYPES.WitNode_TupleValue([self.put(_of(part), v) for part, v in pairs])
            case "record":
                fields = [_field(name, value) for name in names]
                pairs = zip(parts, fields, strict=True)
                return _TYPES.WitNode_RecordValue([self.put(_of(part), v) for part, v in pairs])
            case "variant":
                number, payload = _case(names, value)
                return _TYPES.WitNode_VariantValue((number, self._maybe(parts[number], payload)))
            case "enum":
                return _TYPES.WitNode_EnumValue(_place(names, value))
            case "flags":
                chosen = {_place(names, each) for each in _members(value)}
                return _TYPES.WitNode_FlagsValue([n in chosen for n in range(len(names))])
            case "option":
                return _TYPES.WitNode_OptionValue(self._option(_of(parts[0]), value))
            case "result":
                return _TYPES.WitNode_ResultValue(self._result(parts, value))
        if not isinstance(value, Handle):
            raise _mismatch(f"Handle of a {names[0]}", value)
        return _TYPES.WitNode_Handle((_TYPES.Uri(value.uri), value.number))

    def _option(self, inner: Type, value: Any) -> int | None:
        if value is None:
            return None
        if inner.kind == "option":
            if not isinstance(value, Some):
                raise _mismatch("Some(...) or None", value)
            value = value.value
        return self.put(inner, value)

    def _result(self, parts: tuple[Type | None, ...], value: Any) -> Any:
        if not isinstance(value, (Ok, Err)):
            raise _mismatch("Ok(...) or Err(...)", value)
        side = type(value)
        return side(self._maybe(parts[side is Err], value.value))


def _read(given: Type, nodes: list[Any], at: int) -> Any:
    kind, parts, names = given.kind, given.parts, given.names
    value = nodes[at].value
    if kind in PRIMITIVES:
        return value
    match kind:
        case "list":
            inner = _of(parts[0])
            found = [_read(inner, nodes, each) for each in value]
            return bytes(found) if inner.kind == "u8" else found
        case "tuple":
            pairs = zip(parts, value, strict=True)
            return tuple(_read(_of(part), nodes, each) for part, each in pairs)
        case "record":
            triples = zip(names, parts, value, strict=True)
            return SimpleNamespace(
                **{_snake(name): _read(_of(part), nodes, each) for name, part, each in triples}
            )
        case "variant":
            number, payload = value
            return Case(names[number], _read_maybe(parts[number], nodes, payload))
        case "enum":
            return names[value]
        case "flags":
            return {name for name, is_set in zip(names, value, strict=True) if is_set}
        case "option":
            if value is None:
                return None
            inner = _of(parts[0])
            found_value = _read(inner, nodes, value)
            return Some(found_value) if inner.kind == "option" else found_value
        case "result":
            side = type(value)
            return side(_read_maybe(parts[side is Err], nodes, value.value))
    uri, number = value
    return Handle(uri.value, number)


def _read_maybe(given: Type | None, nodes: list[Any], at: int | None) -> Any:
    return None if given is None or at is None else _read(given, nodes, at)


def _of(part: Type | None) -> Type:
    assert part is not None, "only results and variants have parts without a type"
    return part


def _checked(kind: str, value: Any) -> Any:
    if kind in _RANGES:
        # True is an int for Python, and a mistake here.
        if type(value) is not int or value not in _RANGES[kind]:
            raise _mismatch(kind, value)
        return value
    match kind:
        case "f32" | "f64":
            if type(value) not in {int, float}:
                raise _mismatch(kind, value)
            # As it will arrive, also when it is compared with what was sent.
            return (
                struct.unpack("<f", struct.pack("<f", value))[0] if kind == "f32" else float(value)
            )
        case "bool":
            is_right = isinstance(value, bool)
        case "char":
            is_right = isinstance(value, str) and len(value) == 1
        case _:
            is_right = isinstance(value, str)
    if not is_right:
        raise _mismatch(kind, value)
    return value


def _field(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        for key in (name, _snake(name)):
            if key in value:
                return value[key]
    elif hasattr(value, _snake(name)):
        return getattr(value, _snake(name))
    raise _mismatch(f"a record with {name}", value)


def _case(names: tuple[str, ...], value: Any) -> tuple[int, Any]:
    if isinstance(value, Case):
        return _place(names, value.name), value.value
    if isinstance(value, str):
        return _place(names, value), None
    # What componentize-py generates: the variant's name, an underscore, the case's.
    suffix = type(value).__name__.rpartition("_")[2]
    for number, name in enumerate(names):
        if suffix == "".join(word.capitalize() for word in name.split("-")):
            return number, getattr(value, "value", None)
    raise _mismatch(f"one of {', '.join(names)}", value)


def _place(names: tuple[str, ...], value: Any) -> int:
    name = value.name.lower().replace("_", "-") if isinstance(value, Enum) else value
    if name not in names:
        raise _mismatch(f"one of {', '.join(names)}", value)
    return names.index(name)


def _members(value: Any) -> Any:
    if isinstance(value, (Flag, set, frozenset, list, tuple)):
        return value
    raise _mismatch("a set of names", value)


def _snake(name: str) -> str:
    return name.replace("-", "_")


def _mismatch(expected: str, value: object) -> TypeError:
    shown = repr(value)
    return TypeError(
        f"expected {expected}, got {shown if len(shown) <= 60 else shown[:60] + '...'}"
    )
