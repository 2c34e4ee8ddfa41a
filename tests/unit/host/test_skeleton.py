"""Skeletons: whatever the types and names, what is printed runs, can be lent, and fits."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.declare import without_version
from golem_host.dispatch import Dispatcher
from golem_host.guest.wit_text import read_wit
from golem_host.interfaces.offered import registry
from golem_host.lending.skeleton import skeleton
from golem_host.lending.skeleton_types import Lendable
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    VariantType,
    WitType,
)
from tests.support.scripted_guest import imported
from tests.support.wit_strategies import wit_types

AWKWARD = """
package acme:pay@1.0.0;

/// It says "no" \\ and
/// goes on.
interface list {
  record function { from: string, id: u64, %type: option<u8> }
  /// Fields that hide what types are called.
  record hidden { str: u8, other: string }
  enum on-drop { none, true-story }
  flags class { def, is }
  variant result-of { ok(function), err }
  resource till {
    constructor(self-made: bool);
    drop: func(it: string, self: u8) -> result-of;
    list: static func() -> list<till>;
    eat: static func(it: till);
  }
  resource interface;
  resource: func(str: list<string>, class: class) -> option<option<on-drop>>;
  import: func() -> hidden;
  one-of: func(%in: tuple<function, hidden>) -> result<_, on-drop>;
  a-function-with-a-long-name: func(first-parameter: string, second-parameter: string) -> string;
}
"""


def check(interface: Lendable) -> str:
    """Print a skeleton, run it, lend it, and link it to each function of the interface."""
    text = skeleton("a test", [interface])
    module = ModuleType("printed_skeleton")
    sys.modules["printed_skeleton"] = module
    try:
        exec(compile(text, "printed_skeleton.py", "exec"), vars(module))
        dispatcher = Dispatcher(registry(module.lent()))
        for each in interface.functions:
            found = imported(interface.name, each.name, each.params, each.result)
            assert dispatcher.resolve(found) is not None, each.name
        for resource in interface.resources:
            assert dispatcher.drop(f"{without_version(interface.name)}.{resource}") is not None
    finally:
        del sys.modules["printed_skeleton"]
    return text


def test_names_that_mean_something_in_python_are_kept_apart() -> None:
    """Keywords, builtins, names of this library; docstrings with quotes."""
    (found,) = read_wit([("awkward.wit", AWKWARD)]).interfaces.values()
    text = check(Lendable(found.name, found.functions, found.resources, found.types, found.docs))

    assert 'It says \'no\' \\\\ and\n    goes on.\n    """\n' in text
    assert "class Function:\n    from_: str\n    id: int\n    type: int | None\n" in text
    assert '@function(WRITE_REMOTE, name="resource")\n    def resource_(self, ' in text
    assert "    @constructor()\n    def new(self, self_made: bool) -> Till:\n" in text
    assert "def drop(self, it_: Till, it: str, self_: int) -> ResultOf:" in text
    assert '@static(UNRECORDED, name="list")\n    def list_(self) -> list[Till]:' in text
    assert "@static(UNRECORDED)\n    def eat(self, it: Till) -> None:" in text
    assert "    def import_(self) -> dict[str, object]:" in text
    assert max(map(len, text.splitlines())) <= 100


NAMED = (RecordType, VariantType, EnumType, FlagsType)


def named_in(ty: WitType) -> list[WitType]:
    return [ty] if isinstance(ty, NAMED) else []


@given(st.lists(wit_types(), min_size=1, max_size=3), wit_types())
def test_the_skeleton_of_any_types_fits(params: list[WitType], result: WitType) -> None:
    """With names for those that can have one, as an interface gives them."""
    named = [ty for each in (*params, result) for ty in named_in(each)]
    function = FunctionType("f", tuple((f"p{i}", ty) for i, ty in enumerate(params)), result)
    types = tuple((f"type-{i}", ty) for i, ty in enumerate(named))

    check(Lendable("acme:any/api", (function,), (), types, {}))


@pytest.mark.parametrize(
    ("ty", "needed"),
    [
        (Prim.U8, "from golem_host import WRITE_REMOTE, function, interface\n"),
        (OptionType(OptionType(Prim.U8)), "import WRITE_REMOTE, Some, function, interface\n"),
        (ResultType(None, None), "import WRITE_REMOTE, Result, function, interface\n"),
        (VariantType((("a", None),)), "import WRITE_REMOTE, Variant, function, interface\n"),
    ],
)
def test_only_what_is_needed_is_imported(ty: WitType, needed: str) -> None:
    """Or a linter would have something to say."""
    text = check(Lendable("acme:any/api", (FunctionType("f", (), ty),), (), (), {}))

    assert needed in text
    assert "dataclass" not in text
