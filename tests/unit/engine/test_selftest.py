"""The start-up check notices each assumption that does not hold."""

from __future__ import annotations

import pytest

from golem_host.engine import Engine, abi, selftest, traps
from golem_host.engine.scalars import SCALARS, Scalar
from golem_host.errors import EngineMismatchError
from golem_oplog.types import Prim


def test_it_passes_with_the_pinned_engine(engine: Engine) -> None:
    """Once more for the engine that has already passed it."""
    selftest.check(engine)


def test_it_notices_another_layout_of_bytes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another Python might have."""
    monkeypatch.setattr(abi, "BYTES_OFFSET", abi.BYTES_OFFSET + 8)
    with pytest.raises(EngineMismatchError, match="bytes objects have another layout"):
        selftest.check(engine)


@pytest.mark.parametrize("prim", [prim for prim in Prim if prim is not Prim.STRING])
def test_it_notices_another_number_of_a_kind(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, prim: Prim
) -> None:
    """As another wasmtime might have."""
    row = SCALARS[prim]
    monkeypatch.setitem(SCALARS, prim, Scalar(abi.KIND_RESULT, row.code, row.size))
    with pytest.raises(EngineMismatchError):
        selftest.check(engine)


def test_it_notices_values_that_are_read_wrongly(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field of another size gives another value, and that is compared."""
    monkeypatch.setitem(SCALARS, Prim.U16, Scalar(abi.KIND_U16, "B", 1))
    with pytest.raises(EngineMismatchError):
        selftest.check(engine)


def test_it_notices_a_value_that_came_out_differently(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reason, a value that is not the same at every station fails the test."""
    monkeypatch.setattr(selftest, "_run", lambda _, echo: (echo(None, "other"), None))
    with pytest.raises(EngineMismatchError, match="values have another layout"):
        selftest.check(engine)


def test_it_notices_other_trap_codes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions about retries hang on them."""
    monkeypatch.setattr(traps, "_kind", lambda _: traps.TrapKind.OTHER)
    with pytest.raises(EngineMismatchError, match="traps have other codes"):
        selftest.check(engine)
