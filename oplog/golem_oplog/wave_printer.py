"""
Values to WAVE text on one line.

Works on wire values, so that a log is shown without converting it; public values are checked and
converted first. Everything unprintable in text is escaped: a guest cannot write to the terminal
of whoever looks at its values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from golem_oplog.floats import f32_from_bits, f64_from_bits, shortest_f32
from golem_oplog.shape import check_depth, is_bytes, resource_label
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
from golem_oplog.wave_lexer import KEYWORDS
from golem_oplog.wire_in import Wire, to_wire

_ESCAPES: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\\": r"\\"}
_ELLIPSIS: Final = "..."


def render_value(value: object, ty: WitType) -> str:
    """
    A public value as WAVE.

    Raises:
        ValueTypeError: The value does not fit the type.
    """
    return render_wire(to_wire(ty)(value), ty)


def render_call(function: FunctionType, values: Iterable[object]) -> str:
    """A call with public arguments: ``name(a, b)``, as `golem_oplog.wave.parse_call` reads it."""
    pairs = zip(values, function.params, strict=True)
    return f"{function.name}({', '.join(render_value(value, ty) for value, (_, ty) in pairs)})"


def render_wire(wire: Wire, ty: WitType, chars_max: int | None = None) -> str:
    """
    A wire value that fits its type as WAVE.

    With ``chars_max`` the text is cut there and ends in ``...``; however large the value, the work
    is proportional to what is shown.
    """
    check_depth(ty)
    printer = _Printer(chars_max)
    try:
        printer.value(wire, ty)
    except _FullError:
        return "".join(printer.out)[:chars_max] + _ELLIPSIS
    return "".join(printer.out)


class _FullError(Exception):
    """As much has been printed as was asked for."""


class _Printer:
    def __init__(self, chars_max: int | None) -> None:
        self.out: list[str] = []
        self._chars_max = chars_max
        self._size = 0

    def _put(self, text: str) -> None:
        self.out.append(text)
        self._size += len(text)
        if self._chars_max is not None and self._size > self._chars_max:
            raise _FullError

    def value(self, wire: Wire, ty: WitType) -> None:
        match ty:
            case Prim():
                self._put(_primitive(wire, ty, self._chars_max))
            case ListType(element):
                self._list(wire, ty, element)
            case TupleType(elements):
                self._members("(", [("", *pair) for pair in zip(wire, elements, strict=True)], ")")
            case RecordType(fields):
                self._record(wire, fields)
            case VariantType(cases):
                name, payload = cases[wire[0]]
                self._case(_escaped_name(name), wire[1], payload)
            case EnumType(names):
                self._put(_escaped_name(names[wire]))
            case OptionType(payload):
                if wire is None:
                    self._put("none")
                else:
                    self._case("some", wire[0], payload)
            case ResultType(ok, err):
                self._case(*(("err", wire[1], err) if wire[0] else ("ok", wire[1], ok)))
            case FlagsType(names):
                present = [name for bit, name in enumerate(names) if wire >> bit & 1]
                self._put(f"{{{', '.join(present)}}}")
            case HandleType():
                self._put(f"{resource_label(ty)}({wire})")
            case _:
                assert_never(ty)

    def _list(self, wire: Wire, ty: ListType, element: WitType) -> None:
        if is_bytes(ty) and self._chars_max is None:
            self._put(str(list(wire)))
        else:
            self._members("[", (("", item, element) for item in wire), "]")

    def _record(self, wire: Wire, fields: tuple[tuple[str, WitType], ...]) -> None:
        shown = [
            (f"{name}: ", item, field)
            for item, (name, field) in zip(wire, fields, strict=True)
            if item is not None  # only an absent option is None
        ]
        if shown:
            self._members("{", shown, "}")
        else:
            self._put("{:}")

    def _members(self, start: str, members: Iterable[tuple[str, Wire, WitType]], end: str) -> None:
        before = start
        for label, item, ty in members:
            self._put(before + label)
            self.value(item, ty)
            before = ", "
        self._put(end if before == ", " else start + end)

    def _case(self, name: str, wire: Wire, payload: WitType | None) -> None:
        self._put(name)
        if payload is not None:
            self._put("(")
            self.value(wire, payload)
            self._put(")")


def _escaped_name(name: str) -> str:
    return f"%{name}" if name in KEYWORDS else name


def _primitive(wire: Wire, prim: Prim, chars_max: int | None) -> str:
    match prim:
        case Prim.BOOL:
            return "true" if wire else "false"
        case Prim.STRING:
            return f'"{_escaped(wire[:chars_max], chr(34))}"'
        case Prim.CHAR:
            return f"'{_escaped(wire, chr(39))}'"
        case Prim.F32:
            return _float(shortest_f32(f32_from_bits(wire)))
        case Prim.F64:
            return _float(f64_from_bits(wire))
        case _:
            return str(wire)


def _float(number: float) -> str:
    # Python writes the exponent with two digits at least, WAVE without leading zeros.
    return repr(number).replace("e-0", "e-")


def _escaped(text: str, quote: str) -> str:
    if text.isprintable() and "\\" not in text and quote not in text:
        return text
    return "".join([_escaped_char(char, quote) for char in text])


def _escaped_char(char: str, quote: str) -> str:
    if char == quote:
        return f"\\{char}"
    if char.isprintable() and char != "\\":
        return char
    return _ESCAPES.get(char) or f"\\u{{{ord(char):x}}}"
