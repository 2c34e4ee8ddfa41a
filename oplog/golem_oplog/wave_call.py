"""
Calls as people write them: ``ns:pkg/iface.{fn}("a", 1)``.

A call is read in two steps, since the types of its arguments are known only when its name has been
looked up.
"""

from __future__ import annotations

import re

from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.shape import check_depth, kind
from golem_oplog.types import FunctionType, OptionType
from golem_oplog.wave_cursor import Cursor
from golem_oplog.wave_lexer import Kind, Lexer, printable
from golem_oplog.wave_parser import Parser

_SPACE = " \t\r\n"
_NAME = re.compile(r"[A-Za-z0-9:/@.+_#\[\]{}%-]*+")


@dataclass(frozen=True, slots=True)
class Call:
    """A call as written: its function's name, and where in the text the arguments begin."""

    name: str
    text: str
    args_at: int
    """Position of the opening parenthesis, or the end of the text where there is none."""


def parse_call(text: str) -> Call:
    """
    The name of ``name(arguments)``; a bare name is a call without arguments.

    A name is ``fn``, ``ns:pkg/iface#fn`` or ``ns:pkg/iface@1.0.0.{fn}``; which function it means is
    for the caller to find out. The arguments are only read by `parse_args`.

    Raises:
        WaveError: There is no name, or something follows it that is no list of arguments.
    """
    start = len(text) - len(text.lstrip(_SPACE))
    found = _NAME.match(text, start)
    assert found is not None  # it matches the empty text
    name = found[0]
    if not name:
        raise Cursor(text, start).fail("a function's name")
    if name.count("{") != name.count("}"):
        expected = "a name with its braces closed, such as ns:pkg/iface.{fn}"
        raise Lexer(text).fail(start, expected, printable(name))
    after = Cursor(text, found.end())
    if not after.at("(") and after.token.kind is not Kind.END:
        raise after.fail("'(' or end of text")
    return Call(name, text, after.token.start)


def parse_args(call: Call, function: FunctionType) -> list[object]:
    """
    The arguments of a call as public values, one per parameter.

    Option arguments at the end may be left out.

    Raises:
        WaveError: There are too few or too many, or one is not of its parameter's type.
        ValueTypeError: A parameter's type nests too deep.
    """
    for _, ty in function.params:
        check_depth(ty)
    parser = Parser(call.text, call.args_at)
    bare = parser.token.kind is Kind.END
    if not bare:
        parser.skip("(")
    out: list[object] = []
    for name, ty in function.params:
        if not bare and not parser.at(")"):
            out.append(parser.value(ty))
            parser.comma(")")
        elif isinstance(ty, OptionType):
            out.append(None)
        else:
            raise parser.fail(f"argument {name}: {kind(ty)}")
    if not bare:
        count = len(function.params)
        parser.skip(")", f"')' after {count} argument{'' if count == 1 else 's'}")
    parser.end()
    return out
