"""The start-up check notices each assumption that does not hold."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from golem_host.engine import Engine, EngineConfig, abi, selftest, traps
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


class Checks:
    """How often the check was made; ``golem_host.engine.selftest`` as in a new process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(selftest, "check", self._note)

    def _note(self, _: Engine) -> None:
        self.made += 1

    def open_engine(self, cache_dir: Path) -> None:
        self._monkeypatch.setattr(selftest, "_passed", False)
        Engine(EngineConfig(cache_dir=cache_dir)).close()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    return Checks(monkeypatch)


def test_it_is_made_once_for_the_same_builds(checks: Checks, tmp_path: Path) -> None:
    """Each process would pay for it otherwise."""
    for _ in range(3):
        checks.open_engine(tmp_path)
    assert checks.made == 1


def test_it_is_made_anew_with_another_interpreter(
    checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds for one CPython need not hold for the next."""
    checks.open_engine(tmp_path)
    monkeypatch.setattr(sys, "version", "3.99.0")
    checks.open_engine(tmp_path)
    assert checks.made == 2


@pytest.mark.parametrize("left", [b"", b"\xff\xfe", b"something else"])
def test_it_is_made_anew_where_the_proof_is_damaged(
    checks: Checks, tmp_path: Path, left: bytes
) -> None:
    """Cut off, or not text, or another's."""
    checks.open_engine(tmp_path)
    (proof,) = tmp_path.glob("*.proof")
    proof.write_bytes(left or proof.read_bytes()[:-9])
    checks.open_engine(tmp_path)
    assert checks.made == 2


def test_it_is_made_each_time_where_nothing_can_be_kept(
    checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that others can write to proves nothing."""
    checks.open_engine(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 4_242)
    checks.open_engine(tmp_path)
    assert checks.made == 2


def test_a_check_that_fails_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process fails as well."""
    with monkeypatch.context() as patch:
        patch.setattr(selftest, "_passed", False)
        patch.setattr(abi, "BYTES_OFFSET", abi.BYTES_OFFSET + 8)
        with pytest.raises(EngineMismatchError):
            Engine(EngineConfig(cache_dir=tmp_path))
    assert not list(tmp_path.glob("*.proof"))
