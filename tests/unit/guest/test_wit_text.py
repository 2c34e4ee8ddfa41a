"""WIT text read into types: all that is shipped, what else the language has, and mistakes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.declare import without_version
from golem_host.errors import InvalidRequestError
from golem_host.guest.shipped import wit_packages
from golem_host.guest.wit_text import WitText, read_wit
from golem_host.interfaces.signatures import signatures
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
)

SHIPPED = [
    (f"{package}/{name}", text)
    for package, files in wit_packages().items()
    for name, text in files.items()
]

EVERYTHING = """
package acme:pay@1.0.0; // the package

use wasi:io/poll@0.2.9;

/// Pays.
interface api {
  use types.{money as cash, %from};
  use other:types/more@0.1.0.{mood};

  /// What is left
  /// of it.
  flags rights { read, write }
  @since(version = 1.0.0)
  variant failure {
    /// Too much.
    declined(string),
    gone,
  }
  type cents = u32;
  resource till {
    constructor(name: string);
    ring: func(cash: cash) -> result<_, failure>;
    all: static func() -> list<till>;
    eat: static func(it: till, others: list<borrow<till>>);
  }
  resource empty;
  /* a comment { */
  charge: func(%list: tuple<cents, char>, mood: option<mood>,) -> result<%from>;
  rights-of: func(r: rights) -> result;
}

interface types {
  record money { cents: u64, currency: enum-of }
  enum enum-of { eur, usd, }
  record %from { at: list<u8> }
}

world shop {
  import api;
  import log: func(text: string);
  import inline: interface { f: func(); }
  import wasi:io/poll@0.2.9;
  export run: func();
  include other:types/w@0.1.0;
}
"""
OTHER = """
package other:types@0.1.0 {
  interface more { enum mood { good } }
  world w { import more; }
}
package wasi:io@0.2.9 { interface poll { resource pollable { ready: func() -> bool; } } }
"""


def read(text: str = EVERYTHING) -> WitText:
    return read_wit([("api.wit", text)], [("other.wit", OTHER)])


def test_all_that_is_shipped_has_the_types_of_the_table() -> None:
    """Which was made by another reader, and is what components are linked by."""
    found = read_wit(SHIPPED)
    compared = 0
    for name, interface in found.interfaces.items():
        for function in interface.functions:
            known = signatures().of(name, function.name)
            if known:
                expected = known[0].type
                full = f"{without_version(name)}.{{{function.name}}}"
                assert expected == FunctionType(full, function.params, function.result), name
                compared += 1
    assert compared > 250


def test_every_kind_of_item_is_read() -> None:
    """With names from other interfaces, packages and files, escaped ones and gates."""
    found = read()
    api = found.interfaces["acme:pay/api@1.0.0"]
    money = RecordType((("cents", Prim.U64), ("currency", EnumType(("eur", "usd")))))
    failure = VariantType((("declined", Prim.STRING), ("gone", None)))
    own, borrow = (HandleType("acme:pay/api.till", owned=owned) for owned in (True, False))

    assert (
        FunctionType("[constructor]till", (("name", Prim.STRING),), own),
        FunctionType(
            "[method]till.ring", (("self", borrow), ("cash", money)), ResultType(None, failure)
        ),
        FunctionType("[static]till.all", (), ListType(own)),
        FunctionType("[static]till.eat", (("it", own), ("others", ListType(borrow))), None),
        FunctionType(
            "charge",
            (
                ("list", TupleType((Prim.U32, Prim.CHAR))),
                ("mood", OptionType(EnumType(("good",)))),
            ),
            ResultType(RecordType((("at", ListType(Prim.U8)),)), None),
        ),
        FunctionType("rights-of", (("r", FlagsType(("read", "write"))),), ResultType(None, None)),
    ) == api.functions
    assert ("till", "empty") == api.resources
    assert {"rights": FlagsType(("read", "write")), "failure": failure, "cents": Prim.U32} == dict(
        api.types
    )
    assert {"": "Pays.", "rights": "What is left\nof it."} == api.docs
    assert ("acme:pay/api@1.0.0", "wasi:io/poll@0.2.9") == found.imported
    assert (("acme:pay/api@1.0.0", "acme:pay/types@1.0.0"), True) == (found.own, found.has_world)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("package a:b;\ninterface x {\n  f: func(\n}", "a.wit, line 4: expected a name, found '}'"),
        ("interface x { f: fun(); }", "line 1: expected 'func', found 'fun'"),
        ("interface x { f: func() -> stream<u8>; }", "this host carries no stream"),
        ("interface x { f: func() -> list<u8, u8>; }", "expected a type, found 'list'"),
        ("interface x { f: func(a: nothing); }", "x: there is no type nothing"),
        ("interface x { use y.{z}; f: func(a: z); }", "x refers to y, which is not among"),
        ("interface x { type a = b; type b = a; f: func(a: a); }", "nested too deep, or in itself"),
        ("package a:b; world w { import c:d/e@1.0.0; }", "a world refers to c:d/e@1.0.0"),
        ("wrld x {}", "expected an interface or a world, found 'wrld'"),
        ("world x { import", "expected a name, found ''"),
        ("world x { export y: func(", "expected the end of a statement"),
        ("interface x { record r { a: " + "list<" * 200, "nested at most 100 deep"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, said: str) -> None:
    """In one line."""
    with pytest.raises(InvalidRequestError) as caught:
        read_wit([("a.wit", text)])

    assert said in caught.value.reason
    assert "\n" not in caught.value.reason


@given(
    st.integers(0, len(EVERYTHING)), st.integers(0, 12), st.sampled_from(["", "{", "}", ";", "<"])
)
def test_any_damage_is_a_mistake_or_other_wit(at: int, size: int, put: str) -> None:
    """Nothing but a text and what it says comes out."""
    damaged = EVERYTHING[:at] + put + EVERYTHING[at + size :]
    with suppress(InvalidRequestError):
        assert read(damaged).interfaces
