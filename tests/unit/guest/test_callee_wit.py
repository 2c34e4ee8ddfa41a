"""What `golem_guest` reads out of a project's WIT, as a call to another worker needs it."""

from __future__ import annotations

import pytest

from docs.generate_signatures import Resolver, source
from golem_guest._wit import Wit
from golem_guest._wit_reader import Type, WitError
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
from tests.support.repository import ROOT

WIT = ROOT / "wit"

SHOP = """
package my:shop@1.2.0-rc.1;

/* The one. */
interface api {
  use things.{%item as thing, other};
  use wasi:io/poll@0.2.9.{pollable};
  /// Sells.
  @since(version = 1.2.0)
  sell: func(what:thing, %use: option<u8>,) -> result<_, string>;
  both: func() -> result<tuple<u8, list<other>>>;
  wait: func(on: borrow<pollable>) -> result;
  async-one: async func();
}

interface things {
  record item { name: string, inner: f32 }
  type other = item;
  both: func();
}

world shop {
  use things.{item};
  include wasi:cli/imports@0.2.9 with { a as b }
  import log: func(text: string);
  import inline: interface { log: func(); }
  import wasi:io/poll@0.2.9;
  export api;
  export go: func(of: item);
  export named: interface { flags f { a, b } hm: func() -> f; }
}
"""
POLL = "package wasi:io@0.2.9 { interface poll { resource pollable; both: func(); } }"


def test_every_shipped_function_is_read_as_the_table_of_imports_has_it() -> None:
    """Two readers that know nothing of each other agree on all of ``wit/``."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(WIT.rglob("*.wit"))]
    wit, interfaces = Wit(texts), source(WIT)
    resolver = Resolver(interfaces)
    expected = {
        (interface, function.name): (
            tuple((name, _plain(ty)) for name, ty in function.params),
            None if function.result is None else _plain(function.result),
        )
        for interface in interfaces
        for function in resolver.functions(interface)
    }

    found = {}
    for interface, name in expected:
        kind, _, member = name.rpartition("]")
        function = wit.function(f"{member}.new" if kind == "[constructor" else member, interface)
        found[interface, name] = (function.params, function.result)

    assert len(expected) > 250
    assert expected == found


def _plain(ty: WitType | None) -> Type | None:
    match ty:
        case None:
            return None
        case Prim():
            return Type(ty.value)
        case ListType(element):
            return Type("list", (_plain(element),))
        case OptionType(payload):
            return Type("option", (_plain(payload),))
        case TupleType(elements):
            return Type("tuple", tuple(map(_plain, elements)))
        case ResultType(ok, err):
            return Type("result", (_plain(ok), _plain(err)))
        case RecordType(fields):
            return Type("record", tuple(_plain(t) for _, t in fields), tuple(n for n, _ in fields))
        case VariantType(cases):
            return Type("variant", tuple(_plain(t) for _, t in cases), tuple(n for n, _ in cases))
        case EnumType(names):
            return Type("enum", names=names)
        case FlagsType(names):
            return Type("flags", names=names)
        case HandleType(resource):
            return Type("handle", names=(resource.rpartition(".")[2],))
    raise AssertionError(ty)


def test_functions_have_their_whole_names() -> None:
    """With version and interface; what a world exports by itself has its own alone."""
    wit = Wit([SHOP, POLL])
    item = Type("record", (Type("string"), Type("f32")), ("name", "inner"))
    sell = wit.function("sell")

    assert "my:shop/api@1.2.0-rc.1.{sell}" == sell.name
    assert (("what", item), ("use", Type("option", (Type("u8"),)))) == sell.params
    assert Type("result", (None, Type("string"))) == sell.result
    assert "go" == wit.function("go").name
    assert (("of", item),) == wit.function("go").params
    assert "named.{hm}" == wit.function("hm").name
    assert Type("flags", (), ("a", "b")) == wit.function("hm").result
    assert (("on", Type("handle", (), ("pollable",))),) == wit.function("wait").params
    assert None is wit.function("async-one").result
    assert "wasi:io/poll@0.2.9.{both}" == wit.function("both", "wasi:io/poll").name


@pytest.mark.parametrize(
    "asked",
    [
        ("both", "my:shop/api"),
        ("both", "api"),
        ("both", "my:shop/api@1.2.0-rc.1"),
        ("my:shop/api@1.2.0-rc.1.{both}", None),
        ("my:shop/api.{both}", None),
    ],
)
def test_a_name_that_two_have_is_said_in_full(asked: tuple[str, str | None]) -> None:
    """By interface; a host's function of that name is not meant."""
    wit = Wit([SHOP, POLL])

    assert "my:shop/api@1.2.0-rc.1.{both}" == wit.function(*asked).name
    with pytest.raises(WitError, match=r"'both' may be .*/api.*, .*/things.*: say which"):
        wit.function("both")


@pytest.mark.parametrize("name", ["log", "nothing", "api", "[method]x.y"])
def test_what_nobody_exports_is_not_found(name: str) -> None:
    """Imports are no functions for others; the error says what to do."""
    with pytest.raises(WitError, match=r"copy the callee's WIT to a folder below wit/deps/$"):
        Wit([SHOP, POLL]).function(name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("package a:b; interface i { f: func(x: stream<u8>); }", "a stream cannot be passed"),
        ("package a:b; interface i { f: func(", "a file in wit/ ends too soon"),
        ("package a:b; interface i { f: fun(); }", "wit/ has 'fun' in place of 'func'"),
    ],
)
def test_what_is_not_understood_is_an_error_of_who_needs_it(text: str, why: str) -> None:
    """And of nobody else."""
    wit = Wit([text, SHOP, POLL])

    assert "go" == wit.function("go").name
    with pytest.raises(WitError, match=why):
        wit.function("f")


def test_a_type_from_a_file_that_is_not_there_is_told() -> None:
    """Since nothing that the world needs uses it, the toolchain has not missed it."""
    with pytest.raises(WitError, match=r"no type 'pollable' for my:shop/api@1\.2\.0"):
        Wit([SHOP]).function("wait")
