"""Which import a backtrace speaks of, as today's toolchains print them."""

from __future__ import annotations

import pytest

from golem_host.engine.culprit import call_with_too_much
from golem_host.engine.describe import ImportedFunction
from golem_oplog.types import (
    FunctionType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)

BYTES = ListType(Prim.U8)


def imported(interface: str, name: str, ty: WitType = BYTES) -> ImportedFunction:
    full = f"{interface}.{{{name}}}" if interface else name
    return ImportedFunction(interface, name, FunctionType(full, (("v", ty),), None))


ALL = imported("t:t/a@1.0.0", "all")
GET_ALL = imported("t:t/a@1.0.0", "get-all")
OTHER_ALL = imported("t:t/b", "all")
WRITE = imported("wasi:io/streams@0.2.9", "[method]output-stream.write")
IMPORTS = [ALL, GET_ALL, OTHER_ALL, WRITE, imported("t:t/a@1.0.0", "small", Prim.STRING)]

SHIM = "0: 0x115a73a - <unknown>!<wasm function 94>"


@pytest.mark.parametrize(
    ("frames", "named"),
    [
        ([SHIM, "1: 0x114de53 - <unknown>!adapter [method]output-stream.write"], [WRITE]),
        ([SHIM, "1: 0x114de53 - <unknown>!adapter get-all"], [GET_ALL]),
        ([SHIM, "1: 0x114de53 - <unknown>!adapter all"], [ALL, OTHER_ALL]),
        (["0: 0x1 - wit-component:shim!indirect-t:t/a@1.0.0-get-all"], [GET_ALL]),
        (["0: 0x1 - wit-component:shim!indirect-t:t/b-all", "1: 0x2 - g!f"], [OTHER_ALL]),
    ],
)
def test_the_function_between_guest_and_host_names_the_import(
    frames: list[str], named: list[ImportedFunction]
) -> None:
    """With the interface where it says so; else with all that have the name."""
    names = ", ".join(each.type.name for each in named)

    assert (f"one of {names}" if len(named) > 1 else names) == call_with_too_much(
        "\n".join(frames), IMPORTS
    )


@pytest.mark.parametrize(
    "ty",
    [
        BYTES,
        RecordType((("x", Prim.U8), ("y", BYTES))),
        TupleType((Prim.U8, BYTES)),
        VariantType((("none", None), ("some", BYTES))),
        OptionType(BYTES),
        ResultType(None, BYTES),
    ],
)
def test_without_a_name_it_is_what_takes_a_list(ty: WitType) -> None:
    """Nothing else can have been too large."""
    imports = [imported("", "now", Prim.U64), imported("", "put", ty)]

    assert "put" == call_with_too_much("0: 0x1 - <unknown>!<wasm function 2>", imports)


def test_too_many_candidates_are_not_listed() -> None:
    """A phrase that says no more than it knows."""
    assert "a host function" == call_with_too_much(SHIM, IMPORTS)


def test_frames_further_out_are_the_guests_own() -> None:
    """A guest may have functions of the same name."""
    frames = [f"{n}: 0x1 - guest!f" for n in range(3)] + ["3: 0x1 - guest!my all"]

    assert "a host function" == call_with_too_much("\n".join(frames), IMPORTS)
