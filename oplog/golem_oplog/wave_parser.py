"""
WAVE text to values, directed by the type.

Every function here knows the type of what it reads, so text nests no deeper than its type does, and
an error can say what would have been right. Looser than the reference in one place: where the type
leaves no doubt, a case named like a keyword may be written without its ``%``. One addition: a
handle is written as the reference leaves it open, ``counter(3)``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isinf
from typing import assert_never

from golem_oplog.floats import fits_f32, round_f32
from golem_oplog.public import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.shape import (
    HANDLE_MAX,
    INT_RANGES,
    check_depth,
    choices,
    is_bytes,
    kind,
    resource_label,
)
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
from golem_oplog.wave_cursor import Cursor
from golem_oplog.wave_lexer import Kind, Token

_INT = re.compile(r"-?[0-9]{1,20}")


def parse_value(text: str, ty: WitType) -> object:
    """
    The public value that a text stands for.

    Raises:
        WaveError: The text is no WAVE, or no value of this type; it says where.
        ValueTypeError: The type itself nests too deep.
    """
    check_depth(ty)
    parser = Parser(text)
    value = parser.value(ty)
    parser.end()
    return value


class Parser(Cursor):
    """Reads values one after the other; callers have checked the types' depth."""

    def value(self, ty: WitType) -> object:
        match ty:
            case Prim():
                return self._primitive(ty)
            case ListType():
                return self._list(ty)
            case TupleType():
                return self._tuple(ty)
            case RecordType():
                return self._record(ty)
            case VariantType():
                return self._variant(ty)
            case EnumType(names):
                return self.name(names, ty)[1].value
            case OptionType():
                return self._option(ty)
            case ResultType():
                return self._result(ty)
            case FlagsType():
                return self._flags(ty)
            case HandleType():
                return self._handle(ty)
        assert_never(ty)

    def _primitive(self, prim: Prim) -> object:
        match prim:
            case Prim.BOOL:
                if not self.at_keyword("true", "false"):
                    raise self.fail("bool: true or false")
                return self.take().text == "true"
            case Prim.CHAR:
                return self.scalar(Kind.CHAR, "char in single quotes").value
            case Prim.STRING:
                return self.scalar(Kind.STRING, "string in double quotes").value
            case Prim.F32 | Prim.F64:
                return self._float(prim)
            case _:
                return self._int(prim, *INT_RANGES[prim])

    def _int(self, expected: WitType | str, low: int, high: int) -> int:
        token = self.scalar(Kind.NUMBER, expected)
        # More digits than the widest type has are out of range, and costly to convert.
        if _INT.fullmatch(token.text):
            number = int(token.text)
            if low <= number <= high:
                return number
        raise self.fail(expected, token)

    def _float(self, prim: Prim) -> float:
        if self.token.kind is not Kind.NUMBER and not self.at_keyword("nan", "inf"):
            raise self.fail(f"{prim.value}: a number, nan, inf or -inf")
        token = self.take()
        number = float(token.value)
        if isinf(number):
            in_range = token.value.endswith("inf")
        else:
            in_range = prim is Prim.F64 or fits_f32(number)
        if not in_range:
            raise self.fail(f"{prim.value}: a number in its range, or inf", token)
        # An f32 is rounded here, so that the value is the same one that the guest will see.
        return number if prim is Prim.F64 else round_f32(number)

    def _list(self, ty: ListType) -> object:
        self.skip("[", f"{kind(ty)} in '[...]'")
        if is_bytes(ty):
            return bytes(self.separated("]", lambda: self._int(Prim.U8, *INT_RANGES[Prim.U8])))
        return self.separated("]", lambda: self.value(ty.element))

    def _tuple(self, ty: TupleType) -> tuple[object, ...]:
        self.skip("(", f"{kind(ty)} in '(...)'")
        out = []
        for at, element in enumerate(ty.elements, start=1):
            if self.at(")"):
                raise self.fail(f"element {at} of {len(ty.elements)}: {kind(element)}")
            out.append(self.value(element))
            self.comma(")")
        self.skip(")", f"')' after {len(out)} elements")
        return tuple(out)

    def _record(self, ty: RecordType) -> dict[str, object]:
        self.skip("{", f"{kind(ty)} in '{{...}}'")
        names = tuple(name for name, _ in ty.fields)
        given: dict[str, object] = {}
        if self.at(":"):
            # The record of which every field is left out.
            self.take()
        elif self.at("}"):
            raise self.fail(f"a field ({choices(names)}) or ':'")
        else:
            while not self.at("}"):
                self._field(ty, names, given)
        closing = self.token
        self.skip("}")
        return {name: self._given(given, name, field, closing) for name, field in ty.fields}

    def _field(self, ty: RecordType, names: Sequence[str], given: dict[str, object]) -> None:
        at, token = self.name(names, f"a field ({choices(names)})")
        if token.value in given:
            rest = choices(name for name in names if name not in given) or "no other field"
            raise self.fail(rest, token, f"{token} a second time")
        self.skip(":", f"':' after field {token.value}")
        given[token.value] = self.value(ty.fields[at][1])
        self.comma("}")

    def _given(self, given: dict[str, object], name: str, field: WitType, closing: Token) -> object:
        if name in given:
            return given[name]
        if isinstance(field, OptionType):
            return None
        raise self.fail(f"field {name}: {kind(field)}", closing)

    def _variant(self, ty: VariantType) -> Variant:
        at, token = self.name([name for name, _ in ty.cases], ty)
        return Variant(token.value, self._payload(token.value, ty.cases[at][1]))

    def _payload(self, case: str, ty: WitType | None) -> object:
        """What stands in parentheses after a case: exactly where its type has something."""
        if ty is None:
            if self.at("("):
                raise self.fail(f"{case} without payload")
            return None
        self.skip("(", f"'(' and the payload of {case}: {kind(ty)}")
        value = self.value(ty)
        self.skip(")")
        return value

    def _option(self, ty: OptionType) -> object:
        if self.at_keyword("none"):
            self.take()
            return None
        if self.at_keyword("some"):
            self.take()
            value = self._payload("some", ty.payload)
            return Some(value) if isinstance(ty.payload, OptionType) else value
        return self._flat(ty.payload, f"{kind(ty)}: some(...) or none")

    def _flat(self, payload: WitType | None, expected: str) -> object:
        """A payload without its ``some(...)`` or ``ok(...)``, where that is not ambiguous."""
        if payload is None or isinstance(payload, OptionType | ResultType):
            raise self.fail(expected)
        return self.value(payload)

    def _result(self, ty: ResultType) -> Ok[object] | Err[object]:
        if self.at_keyword("ok"):
            self.take()
            return Ok(self._payload("ok", ty.ok))
        if self.at_keyword("err"):
            self.take()
            return Err(self._payload("err", ty.err))
        return Ok(self._flat(ty.ok, "result: ok or err"))

    def _flags(self, ty: FlagsType) -> frozenset[str]:
        self.skip("{", f"{kind(ty)} in '{{...}}'")
        given: set[str] = set()

        def flag() -> None:
            _, token = self.name(ty.names, f"a flag ({choices(ty.names)})")
            if token.value in given:
                rest = choices(name for name in ty.names if name not in given) or "no other flag"
                raise self.fail(rest, token, f"{token} a second time")
            given.add(token.value)

        self.separated("}", flag)
        return frozenset(given)

    def _handle(self, ty: HandleType) -> ResourceRef:
        label = resource_label(ty)
        expected = f"a handle such as {label}(1)"
        self.name((label,), expected)
        self.skip("(", expected)
        handle = self._int(expected, 0, HANDLE_MAX)
        self.skip(")")
        return ResourceRef(ty.resource, handle)
