"""Values of generated types through a real guest: lifted, lowered, and the same afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.engine import Engine, EngineConfig
from golem_host.errors import HandlerResultError
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import WitType
from golem_oplog.values import check_wire
from tests.support.components import echo_component
from tests.support.engines import Guest
from tests.support.wit_strategies import wire_values, wit_types


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineConfig(cache_dir=tmp_path_factory.mktemp("compiled"))) as made:
        yield made


def _same(value: Any) -> Any:
    """The value with tuples as lists: wire form allows both."""
    return [_same(item) for item in value] if isinstance(value, list | tuple) else value


def _fits(ty: WitType, value: object) -> bool:
    try:
        check_wire(ty, value)
    except ValueTypeError:
        return False
    return True


@given(data=st.data())
def test_any_value_of_any_type_survives_the_boundary(engine: Engine, data: st.DataObject) -> None:
    """
    What goes into an export reaches the host function unchanged, its answer comes out unchanged, and
    both are in wire form.
    """
    types = data.draw(st.lists(wit_types(handles=False), min_size=1, max_size=4).map(tuple))
    received: list[Any] = []

    def handler(_context: object, value: Any) -> Any:
        received.append(value)
        return value

    guest = Guest(engine, echo_component(types), handler)
    for number, ty in enumerate(types):
        value = data.draw(wire_values(ty, any_nan=True), label=str(ty))
        returned = guest.call(f"echo-{number}", value)
        check_wire(ty, returned)

        assert _same(value) == _same(received.pop())
        assert _same(value) == _same(returned)
    guest.close()


@given(data=st.data())
def test_a_wrong_answer_is_an_error_and_never_an_abort(engine: Engine, data: st.DataObject) -> None:
    """
    A handler that answers with a value of another type gets a `HandlerResultError` or a value that
    fits by chance; the process survives.
    """
    wanted, given_type = data.draw(st.tuples(wit_types(handles=False), wit_types(handles=False)))
    answer = data.draw(wire_values(given_type, any_nan=True))
    guest = Guest(engine, echo_component((wanted,)), lambda *_: answer)
    value = data.draw(wire_values(wanted, any_nan=True))
    try:
        outcome = guest.call("echo-0", value)
    except HandlerResultError as error:
        outcome = error
    guest.close()

    assert isinstance(outcome, HandlerResultError) or _fits(wanted, outcome)
