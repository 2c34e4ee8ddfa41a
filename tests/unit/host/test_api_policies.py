"""Settings of a guest, and the keys that it is given."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import pytest

from golem_host.replay import Divergence
from golem_host.worker.retry import RetryPolicy
from golem_oplog.entries import ChangePersistenceLevel, ChangeRetryPolicy, PersistenceLevel
from golem_oplog.values import Variant
from tests.support.contexts import crashed, entries_of
from tests.support.host_api import U64_MAX, Guest, Neighbours, begun_log
from tests.support.world import EPOCH_NS

LEVELS = ("persist-nothing", "persist-remote-side-effects", "smart")


@pytest.fixture
def host() -> Guest:
    return Guest(begun_log(), Neighbours())


def rebuilt(host: Guest) -> Guest:
    return Guest(crashed(host.oplog, host.oplog.last_index), Neighbours())


def policy(attempts: int, low: int, high: int, factor: float, jitter: float | None) -> Any:
    return {
        "max-attempts": attempts,
        "min-delay": low,
        "max-delay": high,
        "multiplier": factor,
        "max-jitter-factor": jitter,
    }


def test_the_policy_of_the_host_is_in_force_at_first(host: Guest) -> None:
    """With the host's own jitter."""
    assert policy(3, 100_000_000, 1_000_000_000, 3.0, 0.15) == host("get-retry-policy")
    host.context.services.retry_policy = RetryPolicy(1, 2, 3, 4.0, None)
    assert policy(1, 2, 3, 4.0, None) == host("get-retry-policy")
    assert 2 == host.oplog.last_index


@pytest.mark.parametrize(
    "chosen",
    [
        policy(5, 1, 2, 1.5, 0.25),
        policy(0, 0, 0, 0.0, 0.0),
        policy((1 << 32) - 1, U64_MAX, U64_MAX, math.inf, None),
        policy(1, 2, 1, -2.5, -1.0),
        policy(1, 1, 1, 1e308, math.inf),
    ],
)
def test_every_field_of_a_policy_is_kept(host: Guest, chosen: Any) -> None:
    """R13: what is set is what is got and what is in force, whatever the numbers are."""
    host("set-retry-policy", chosen)
    entry = entries_of(host.oplog)[-1]

    assert chosen == host("get-retry-policy")
    assert ChangeRetryPolicy(EPOCH_NS, *chosen.values()) == entry
    assert entry == host.context.status.retry_policy
    again = rebuilt(host)
    again("set-retry-policy", chosen)
    assert (chosen, 3) == (again("get-retry-policy"), again.oplog.last_index)


def test_a_multiplier_that_is_no_number_is_kept_too(host: Guest) -> None:
    """NaN in, NaN out, and a replay takes it."""
    host("set-retry-policy", policy(1, 1, 1, math.nan, math.nan))
    again = rebuilt(host)
    again("set-retry-policy", policy(1, 1, 1, math.nan, math.nan))

    assert math.isnan(again("get-retry-policy")["multiplier"])


def test_on_replay_the_guests_argument_wins(host: Guest) -> None:
    """Spec 2.5: the entry's content is not compared."""
    host("set-retry-policy", policy(1, 1, 1, 1.0, None))
    again = rebuilt(host)
    again("set-retry-policy", policy(2, 2, 2, 2.0, None))

    assert policy(2, 2, 2, 2.0, None) == again("get-retry-policy")


def test_levels_are_kept_until_they_are_set_again(host: Guest) -> None:
    """An entry for each change, committed, and none where nothing changes."""
    assert Variant("smart") == host("get-oplog-persistence-level")
    for level in ("smart", *LEVELS, "smart"):
        host("set-oplog-persistence-level", Variant(level))
        assert Variant(level) == host("get-oplog-persistence-level")

    levels = [PersistenceLevel(number) for number in (0, 1, 2)]
    assert [ChangePersistenceLevel(EPOCH_NS, level) for level in levels] == entries_of(
        host.oplog, 3
    )
    assert 5 == host.oplog.committed_index


def test_a_stretch_that_is_not_kept_is_passed_over(host: Guest) -> None:
    """A guest that enters it only when it is live finds what comes behind it (B.9)."""
    host("set-oplog-persistence-level", Variant("persist-nothing"))
    host("get-oplog-index")
    host("set-oplog-persistence-level", Variant("smart"))
    behind = host("get-oplog-index")

    assert behind == rebuilt(host)("get-oplog-index")


def test_entering_such_a_stretch_on_replay_diverges(host: Guest) -> None:
    """The entry that it would find is gone; the message names the level."""
    host("set-oplog-persistence-level", Variant("persist-nothing"))
    host("set-oplog-persistence-level", Variant("smart"))
    host("get-oplog-index")
    with pytest.raises(Divergence) as raised:
        rebuilt(host)("set-oplog-persistence-level", Variant("persist-nothing"))

    assert "persistence level persist-nothing" == raised.value.attempted


def test_an_unfinished_stretch_is_entered_again(host: Guest) -> None:
    """The log ends in it: the guest is live before it enters."""
    host("set-oplog-persistence-level", Variant("persist-nothing"))
    host("get-oplog-index")
    again = rebuilt(host)
    again("set-oplog-persistence-level", Variant("persist-nothing"))
    again("set-oplog-persistence-level", Variant("smart"))
    behind = again("get-oplog-index")

    assert behind == rebuilt(again)("get-oplog-index")


def test_idempotence_is_the_guests_own_state(host: Guest) -> None:
    """On at first, never logged."""
    modes = [host("get-idempotence-mode")]
    for mode in (False, False, True):
        host("set-idempotence-mode", mode)
        modes.append(host("get-idempotence-mode"))

    assert [True, False, False, True] == modes
    assert 2 == host.oplog.last_index


def key(value: dict[str, int]) -> str:
    return str(UUID(int=value["high-bits"] << 64 | value["low-bits"]))


def test_keys_are_derived_from_the_invocation_and_the_place(host: Guest) -> None:
    """The vectors of B.8: ``order-42`` at indexes 7 and 8; two calls give two keys."""
    for _ in range(5):
        host("get-oplog-index")

    assert [
        "cdc7d13d-706c-5be6-a246-c4038eb31ae0",
        "af100e00-7dbd-5326-b551-d284cbd1bd50",
    ] == [key(host("generate-idempotency-key")) for _ in range(2)]
    assert 9 == host.oplog.committed_index


def test_a_key_counts_from_the_begin_marker_where_there_is_one(host: Guest) -> None:
    """With idempotence off that is the last entry before the key's own (2.8)."""
    host("set-idempotence-mode", False)
    for _ in range(4):
        host("get-oplog-index")

    assert "cdc7d13d-706c-5be6-a246-c4038eb31ae0" == key(host("generate-idempotency-key"))


def test_without_an_invocation_a_key_is_random(host: Guest) -> None:
    """Workers that make keys while they start, or save a snapshot, do not share them."""
    host.context.key = ""
    first = key(host("generate-idempotency-key"))
    host.context.key = "order-42"
    with host.context.unrecorded():
        others = [key(host("generate-idempotency-key")) for _ in range(2)]

    # ScriptedRandom counts.
    assert [f"00000000-0000-4000-8000-{n:012}" for n in (1, 2, 3)] == [first, *others]


def test_a_snapshot_is_saved_without_settings_in_the_log(host: Guest) -> None:
    """R45: they hold for the guest, and leave nothing."""
    with host.context.unrecorded():
        host("set-retry-policy", policy(1, 1, 1, 1.0, None))
        host("set-oplog-persistence-level", Variant("persist-nothing"))
        host("set-oplog-persistence-level", Variant("smart"))

    assert 2 == host.oplog.last_index
    assert policy(1, 1, 1, 1.0, None) == host("get-retry-policy")
