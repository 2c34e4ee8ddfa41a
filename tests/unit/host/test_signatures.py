"""The types that functions may be imported with, and what the host says of any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate_signatures import Resolver, source, table
from golem_host.declare import (
    READ_LOCAL,
    UNRECORDED,
    WRITE_REMOTE,
    HostFunction,
    Registry,
    function,
    interface,
)
from golem_host.dispatch import Dispatcher
from golem_host.errors import DeclarationError
from golem_host.interfaces.offered import registry
from golem_host.interfaces.signatures import TABLE, Signature, signatures
from golem_host.resources import handles
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
from golem_oplog.wit_value import VALUE_AND_TYPE, WIT_TYPE, WIT_VALUE
from tests.support.scripted_guest import Params, imported

OWN = HandleType("wasi:io/error.error", owned=True)
BORROWED = HandleType("wasi:io/error.error", owned=False)


def test_the_table_is_fresh() -> None:
    """What is compared at link time is what ``wit/`` and its dialects say now."""
    assert table() == TABLE.read_text(encoding="utf-8"), "run: python -m docs.generate_signatures"


@pytest.mark.parametrize("offered", registry().functions(), ids=lambda f: f.full_name)
def test_every_offered_function_has_a_type(offered: HostFunction) -> None:
    """Nothing that this host offers of itself escapes the comparison."""
    found = signatures().of(offered.interface, offered.import_name)

    assert found
    assert {offered.full_name} == {signature.type.name for signature in found}


def recorded() -> Iterator[tuple[str, Signature]]:
    for offered in registry().functions():
        if offered.declaration.kind is not None:
            for signature in signatures().of(offered.interface, offered.import_name):
                yield f"{offered.full_name}/{signature.dialect}", signature


@pytest.mark.parametrize(("name", "signature"), list(recorded()))
def test_no_recorded_function_makes_or_takes_a_resource(name: str, signature: Signature) -> None:
    """Whatever dialect asks, an answer from the log leaves the handles as the call did."""
    given_up = [h for _, ty in signature.type.params for h in handles(ty) if h.owned]

    assert [] == [*given_up, *handles(signature.type.result)], name


EVERYTHING = """
package a:b@1.0.0;
interface other { use kinds.{thing as stuff, stamp}; take: func(t: stuff) -> stamp; }
interface kinds {
  type stamp = u64;
  record point { %x: f32, y: option<stamp> }
  enum colour { red, blue }
  flags mode { read, write }
  variant shape { dot, line(tuple<point, point>) }
  resource thing {
    constructor(name: string);
    look: func(at: borrow<thing>) -> result<shape>;
    join: static func(a: thing, b: own<thing>) -> result<_, colour>;
  }
  all: func(many: list<list<u8>>, how: mode) -> result;
  none: func();
}
"""
POINT = RecordType((("x", Prim.F32), ("y", OptionType(Prim.U64))))
THING = HandleType("a:b/kinds.thing", owned=True)
LENT = HandleType("a:b/kinds.thing", owned=False)
SHAPE = VariantType((("dot", None), ("line", TupleType((POINT, POINT)))))


def test_the_reader_knows_every_kind_of_type(tmp_path: Path) -> None:
    """Types are followed through names, aliases and uses down to what passes the border."""
    (tmp_path / "all.wit").write_text(EVERYTHING, encoding="utf-8")
    resolver = Resolver(source(tmp_path))
    colour = ResultType(None, EnumType(("red", "blue")))

    assert [FunctionType("take", (("t", THING),), Prim.U64)] == [*resolver.functions("a:b/other")]
    assert [
        FunctionType("[constructor]thing", (("name", Prim.STRING),), THING),
        FunctionType("[method]thing.look", (("self", LENT), ("at", LENT)), ResultType(SHAPE, None)),
        FunctionType("[static]thing.join", (("a", THING), ("b", THING)), colour),
        FunctionType(
            "all",
            (("many", ListType(ListType(Prim.U8))), ("how", FlagsType(("read", "write")))),
            ResultType(None, None),
        ),
        FunctionType("none", (), None),
    ] == [*resolver.functions("a:b/kinds")]


def test_the_dialect_that_was_matched_is_known() -> None:
    """The same function by two names of its field is two signatures, and each says whose it is."""
    dialects = [s.dialect for s in signatures().of("golem:api/host@1.1.7", "get-self-metadata")]
    matched = [
        signatures().match("golem:api/host", "get-self-metadata", signature.type)
        for signature in signatures().of("golem:api/host", "get-self-metadata")
    ]

    assert ["", "agents", "without-config-vars"] == dialects
    assert dialects == [signature.dialect for signature in matched if signature is not None]


DATETIME = RecordType((("seconds", Prim.U64), ("nanoseconds", Prim.U32)))
FIRST = FunctionType("wasi:a/b.{f}", (("old", DATETIME), ("new", BORROWED)), OptionType(OWN))


@pytest.mark.parametrize(
    ("params", "result"),
    [
        ((("new", DATETIME), ("old", BORROWED)), OptionType(OWN)),
        ((("old", DATETIME),), OptionType(OWN)),
        ((("old", DATETIME), ("new", OWN)), OptionType(OWN)),
        ((("old", TupleType((Prim.U64, Prim.U32))), ("new", BORROWED)), OptionType(OWN)),
        ((("old", RecordType(DATETIME.fields[::-1])), ("new", BORROWED)), OptionType(OWN)),
        (FIRST.params, OptionType(HandleType("wasi:io/poll.pollable", owned=True))),
        (FIRST.params, None),
    ],
    ids=["names", "count", "owned", "tuple", "order", "resource", "no-result"],
)
def test_any_difference_makes_another_type(params: Params, result: WitType | None) -> None:
    """Names, order, ownership and resources all count; only versions do not."""
    assert Signature("", FIRST).fits(FIRST)
    assert Signature("", FIRST).fits(FunctionType("f@1.0.0", FIRST.params, FIRST.result))
    assert not Signature("", FIRST).fits(FunctionType("f", params, result))


def test_golem_may_rename_parameters() -> None:
    """1.1.5 said ``component-name`` where 1.1.7 says ``component-reference``: nothing depends on it."""
    (known,) = signatures().of("golem:api/host", "resolve-component-id")
    renamed = FunctionType("x", (("component-name", Prim.STRING),), known.type.result)

    assert known.fits(renamed)
    assert not known.fits(FunctionType("x", (("component-name", Prim.U32),), known.type.result))


@interface("acme:bank/vault")
class Vault:
    @function(WRITE_REMOTE, record="acme::vault::open")
    def open(self, *args: object) -> object:
        return args

    @function(READ_LOCAL, record="acme::vault::look")
    def look(self, *args: object) -> object:
        return args

    @function(UNRECORDED)
    def shut(self, *args: object) -> object:
        return args


def test_an_interface_of_an_embedder_is_taken_as_it_is_imported() -> None:
    """No table knows its types, so there is nothing to compare with."""
    dispatcher = Dispatcher(Registry([Vault()]))

    assert not dispatcher.misfit(imported("acme:bank/vault", "shut", (), Prim.CHAR))


def test_what_is_not_offered_is_missing_and_not_mistyped() -> None:
    """The table knows more than a host offers; such an import is refused as missing."""
    dispatcher = Dispatcher(Registry([Vault()]))

    assert not dispatcher.misfit(imported("wasi:clocks/wall-clock@0.2.3", "now", (), Prim.CHAR))


@pytest.mark.parametrize("name", ["open", "look"])
@pytest.mark.parametrize(
    ("params", "result", "verb"),
    [
        ((), OWN, "returns"),
        ((), ResultType(ListType(TupleType((Prim.U8, OWN))), None), "returns"),
        ((), VariantType((("a", None), ("b", RecordType((("c", OWN),))))), "returns"),
        ((("it", OptionType(OWN)),), None, "takes"),
    ],
)
def test_a_recorded_function_with_a_handle_is_refused(
    name: str, params: Params, result: WitType | None, verb: str
) -> None:
    """Replay would answer without making or dropping the resource: said when it is linked."""
    dispatcher = Dispatcher(Registry([Vault()]))
    with pytest.raises(DeclarationError) as caught:
        dispatcher.resolve(imported("acme:bank/vault", name, params, result))

    assert f"acme:bank/vault.{{{name}}}: func(" in str(caught.value)
    assert f"is recorded but {verb} a handle" in str(caught.value)
    assert "declare it UNRECORDED" in str(caught.value)


def test_borrowed_handles_and_unrecorded_functions_are_free() -> None:
    """A borrow comes and goes with the call; what is not recorded runs again on replay."""
    dispatcher = Dispatcher(Registry([Vault()]))

    assert dispatcher.resolve(
        imported("acme:bank/vault", "look", (("it", ListType(BORROWED)),), Prim.U8)
    )
    assert dispatcher.resolve(imported("acme:bank/vault", "shut", (("it", OWN),), OWN))


def test_values_and_types_as_nodes_are_those_of_the_interface() -> None:
    """The log's own constants for them, against `wit/`."""
    (extract_value,) = signatures().of("golem:rpc/types", "extract-value")
    (extract_type,) = signatures().of("golem:rpc/types", "extract-type")

    assert (("vnt", VALUE_AND_TYPE),) == extract_value.type.params
    assert (WIT_VALUE, WIT_TYPE) == (extract_value.type.result, extract_type.type.result)
