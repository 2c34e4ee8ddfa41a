"""Which workers a filter lets through, given by a guest or as text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.errors import InvalidRequestError
from golem_host.worker.filter_text import parse_filters
from golem_host.worker.filters import (
    CONDITIONS_MAX,
    ORDERED,
    STATUSES,
    TEXTUAL,
    WorkerFilter,
)
from golem_host.worker.metadata import WorkerMetadata
from golem_oplog.values import Variant

MS = 1_000_000

WORKER = WorkerMetadata(
    component="cart",
    name="alice/ü",
    status="suspended",
    component_version=3,
    pending=0,
    retry_count=0,
    last_error=None,
    oplog_index=9,
    args=(),
    env=(("Path", "/bin"), ("PATH", "/usr"), ("EMPTY", "")),
    config_vars=(("Level", "high"),),
    reason="",
    updates=(),
    created_ns=1_700_000_000_123 * MS + 456,
)


def guest_filter(*alternatives: list[Variant]) -> WorkerFilter:
    return WorkerFilter.of_guest({"filters": [{"filters": every} for every in alternatives]})


def case(name: str, comparator: str, value: str | int, variable: str = "") -> Variant:
    fields: dict[str, Any] = {"comparator": comparator, "value": value}
    return Variant(name, {"name": variable, **fields} if variable else fields)


def test_no_filter_and_empty_filters_let_everybody_through() -> None:
    """Without a filter, without alternatives, and with an alternative without conditions."""
    assert [True] * 3 == [
        WorkerFilter.of_guest(None)(WORKER),
        guest_filter()(WORKER),
        guest_filter([])(WORKER),
    ]


@pytest.mark.parametrize(
    ("comparator", "value", "expected"),
    [
        ("equal", "alice/ü", True),
        ("equal", "Alice/ü", False),
        ("not-equal", "alice/ü", False),
        ("not-equal", "bob", True),
        ("like", "ice/", True),
        ("like", "", True),
        ("like", "a%", False),
        ("not-like", "ice", False),
        ("not-like", "_", True),
        ("starts-with", "ali", True),
        ("starts-with", "lice", False),
    ],
)
def test_texts_are_compared_exactly(comparator: str, value: str, *, expected: bool) -> None:
    """Case matters, `like` is a substring test, and no character is a wildcard."""
    assert expected == guest_filter([case("name", comparator, value)])(WORKER)


@pytest.mark.parametrize(
    ("name", "variable", "comparator", "value", "expected"),
    [
        ("env", "path", "equal", "/bin", True),
        ("env", "PATH", "equal", "/usr", False),
        ("env", "HOME", "equal", "", False),
        ("env", "HOME", "not-equal", "x", False),
        ("env", "HOME", "not-like", "x", False),
        ("env", "empty", "equal", "", True),
        ("wasi-config-vars", "Level", "equal", "high", True),
        ("wasi-config-vars", "level", "equal", "high", False),
        ("wasi-config-vars", "level", "not-equal", "high", False),
        ("config-vars", "Level", "like", "ig", True),
    ],
)
def test_variables_must_be_there(
    name: str, variable: str, comparator: str, value: str, *, expected: bool
) -> None:
    """Only the first of a name counts, environment names in any case; absent ones never match."""
    assert expected == guest_filter([case(name, comparator, value, variable)])(WORKER)


TRUTH = {
    "equal": "001000",
    "not-equal": "110111",
    "greater-equal": "111000",
    "greater": "110000",
    "less-equal": "001111",
    "less": "000111",
}
"""Suspended, compared with each status in turn but the last."""


@pytest.mark.parametrize("comparator", ORDERED)
def test_states_are_compared_in_the_order_of_their_declaration(comparator: str) -> None:
    """Running comes before idle, and so on."""
    held = [guest_filter([case("status", comparator, other)])(WORKER) for other in STATUSES[:-1]]

    assert TRUTH[comparator] == "".join(str(int(each)) for each in held)


def test_the_time_of_creation_is_compared_in_milliseconds() -> None:
    """Nanoseconds within the millisecond make no difference."""
    at = 1_700_000_000_123
    held = [
        guest_filter([case("created-at", comparator, at)])(WORKER)
        for comparator in ("equal", "greater", "less", "greater-equal")
    ]

    assert [True, False, False, True] == held


def test_versions_may_be_any_u64() -> None:
    """Zero and the largest u64 are ordinary values."""
    held = [
        guest_filter([case("version", "less", (1 << 64) - 1)])(WORKER),
        guest_filter([case("version", "greater", 0)])(WORKER),
        guest_filter([case("version", "equal", 3)])(WORKER),
    ]

    assert [True] * 3 == held


def test_all_of_an_alternative_must_hold_and_any_of_the_alternatives() -> None:
    """The two levels are AND and OR."""
    yes, no = case("version", "equal", 3), case("version", "equal", 4)
    assert [False, True, True] == [
        guest_filter([yes, no])(WORKER),
        guest_filter([no], [yes])(WORKER),
        guest_filter([no, no], [])(WORKER),
    ]


def test_a_filter_is_bounded() -> None:
    """One condition too many is refused, saying how many there may be."""
    yes = case("version", "equal", 3)
    assert guest_filter([yes] * (CONDITIONS_MAX - 1)).checked()(WORKER)
    with pytest.raises(InvalidRequestError, match="at most 10000 conditions, not 10001"):
        guest_filter([yes] * CONDITIONS_MAX).checked()
    with pytest.raises(InvalidRequestError):
        guest_filter(*[[]] * (CONDITIONS_MAX + 1)).checked()


# -- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = alice/ü", True),
        ("name=alice/ü", True),
        ("  name  ==  alice/ü  ", True),
        ("name != alice/ü", False),
        ("name like lic", True),
        ("name not-like lic", False),
        ("name notlike lic", False),
        ("name starts-with al", True),
        ("name startswith al", True),
        ("name like ", True),
        ("name like", True),
        ("status >= idle", True),
        ("status < suspended", False),
        ("status = SUSPENDED", True),
        ("version < 3", False),
        ("version<4", True),
        ("version = 99999999999999999999999999", False),
        ("created-at > 1700000000122", True),
        ("created-at > 1700000000123", False),
        ("createdAt >= 2023-11-14T22:13:20Z", True),
        ("created-at < 2023-11-14T23:13:20+01:00", False),
        ("created-at > 2023-11-14", True),
        ("env.path = /bin", True),
        ("env.HOME != /bin", False),
        ("env.EMPTY =", True),
        ("config.Level != low", True),
        ("config.Level = high = low", False),
    ],
)
def test_a_text_is_a_condition(text: str, *, expected: bool) -> None:
    """Property, comparator and value, with or without blanks, in either spelling."""
    assert expected == parse_filters([text])(WORKER)


def test_all_texts_must_hold() -> None:
    """Several texts are joined by AND; none lets everybody through."""
    assert [True, False, True] == [
        parse_filters(["version = 3", "status = suspended"])(WORKER),
        parse_filters(["version = 3", "status = idle"])(WORKER),
        parse_filters([])(WORKER),
    ]


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "expected a property"),
        ("   ", 4, "expected a property"),
        ("nme = x", 1, "the properties are name, status"),
        ("  name.x = x", 3, "the properties are name, status"),
        ("name", 5, "expected a comparator"),
        ("name ~ x", 6, "expected a comparator"),
        ("name < x", 6, "the comparators here are =, !=, like, not-like, starts-with"),
        ("status like idle", 8, "the comparators here are =, !=, <, <=, >, >="),
        ("status = asleep", 10, "a status is one of running, idle"),
        ("version = -1", 11, "a version is a number"),
        ("version = ", 11, "a version is a number"),
        ("version = ٣", 11, "a version is a number"),
        ("created-at = soon", 14, "a time is a number of milliseconds"),
        ("env = x", 4, "which variable? Write env.NAME"),
        ("config. = x", 8, "which variable? Write config.NAME"),
    ],
)
def test_what_cannot_be_understood_is_shown_with_its_column(
    text: str, column: int, reason: str
) -> None:
    """The message names the text, the place and what may stand there."""
    with pytest.raises(InvalidRequestError) as caught:
        parse_filters([text])

    assert str(caught.value).startswith(f"filter {text!r}, column {column}: {reason}")


@given(st.text(max_size=40))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    """Whatever the text, the result is a filter or an `InvalidRequestError`."""
    try:
        found = parse_filters([text])
    except InvalidRequestError:
        return
    found(WORKER)


def test_a_text_is_bounded() -> None:
    """A text of megabytes is refused, and not repeated in the message."""
    with pytest.raises(InvalidRequestError) as caught:
        parse_filters(["name = " + "x" * 5000])

    assert len(str(caught.value)) < 200


def test_every_comparator_of_a_guest_is_known() -> None:
    """The tables have the cases of the interface, in its order, and starts-with of its dialect."""
    assert ["equal", "not-equal", "greater-equal", "greater", "less-equal", "less"] == [*ORDERED]
    assert ["equal", "not-equal", "like", "not-like", "starts-with"] == [*TEXTUAL]
