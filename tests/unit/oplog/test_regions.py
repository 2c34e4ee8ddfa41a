"""Sets of dead oplog indexes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_oplog.entries import Entry, FailedUpdate, Jump, PendingUpdate, Revert, SuccessfulUpdate
from golem_oplog.regions import Mark, Region, Regions, RegionSet

INDEX_MAX = 30

some_regions = st.lists(
    st.tuples(st.integers(1, INDEX_MAX), st.integers(1, INDEX_MAX)).map(Region._make), max_size=8
)


def indexes(regions: list[Region]) -> set[int]:
    """The same set, the plain way."""
    return {index for start, end in regions for index in range(start, end + 1)}


@pytest.mark.parametrize(
    ("given_regions", "merged"),
    [
        ([], ()),
        ([Region(4, 6)], (Region(4, 6),)),
        ([Region(8, 9), Region(4, 6)], (Region(4, 6), Region(8, 9))),
        ([Region(4, 6), Region(7, 9)], (Region(4, 9),)),
        ([Region(4, 9), Region(5, 6)], (Region(4, 9),)),
        ([Region(4, 6), Region(6, 9)], (Region(4, 9),)),
        ([Region(9, 4)], ()),
    ],
    ids=["none", "one", "sorted", "touching", "inside", "overlapping", "inverted"],
)
def test_regions_are_sorted_and_separate(
    given_regions: list[Region], merged: tuple[Region, ...]
) -> None:
    """Regions that overlap or touch become one; what ends before it starts holds nothing."""
    assert merged == tuple(RegionSet.of(given_regions))


@given(some_regions)
def test_membership_is_that_of_the_union(given_regions: list[Region]) -> None:
    """An index is inside exactly if one of the given regions holds it."""
    regions = RegionSet.of(given_regions)

    assert indexes(given_regions) == {i for i in range(INDEX_MAX + 2) if i in regions}


@given(some_regions)
def test_kept_regions_never_touch(given_regions: list[Region]) -> None:
    """Between two regions there is always an index that is alive."""
    kept = tuple(RegionSet.of(given_regions))

    assert all(a.end + 1 < b.start for a, b in pairwise(kept))


@given(some_regions, some_regions)
def test_a_union_holds_what_either_holds(left: list[Region], right: list[Region]) -> None:
    """A set united with more regions is the set of them all."""
    assert RegionSet.of(left + right) == RegionSet.of(left).union(right)


@given(some_regions, st.integers(1, INDEX_MAX), st.integers(1, INDEX_MAX))
def test_intersection_looks_at_every_index(given_regions: list[Region], a: int, b: int) -> None:
    """A span intersects exactly if one of its indexes is inside."""
    start, end = sorted((a, b))
    expected = not indexes(given_regions).isdisjoint(range(start, end + 1))

    assert expected is RegionSet.of(given_regions).intersects(start, end)


def test_the_region_of_an_index_is_found() -> None:
    """`find` gives the whole merged region, or None beside it."""
    regions = RegionSet.of([Region(4, 6), Region(7, 9), Region(12, 12)])

    found = [regions.find(index) for index in (3, 4, 9, 10, 12, 13)]

    assert [None, Region(4, 9), Region(4, 9), None, Region(12, 12), None] == found


def test_only_indexes_are_ever_inside() -> None:
    """Anything but a number is outside, and no error."""
    assert "4" not in RegionSet.of([Region(4, 6)])


def test_an_empty_set_is_false() -> None:
    """So that callers can ask whether anything was skipped at all."""
    assert [False, True] == [bool(RegionSet()), bool(RegionSet.of([Region(2, 2)]))]


# -- what the entries of a log declare -----------------------------------------------------------

SAVED = PendingUpdate(0, 1, b"state")


def marks(*entries: tuple[int, Entry], last: int) -> str:
    """What became of the entries from 2 to ``last``: the first letter of each mark, or a dot."""
    regions = Regions(entries)
    return "".join(regions.mark(index).value[:1] or "." for index in range(2, last + 1))


def test_a_jump_marks_what_it_passes_over() -> None:
    """Up to and with itself; what lies before its start is alive."""
    assert "..jjj." == marks((6, Jump(0, 4, 6)), last=7)


def test_a_revert_undoes_the_jumps_in_its_region() -> None:
    """What such a jump had passed over, and lies before the region, is alive again."""
    assert "....rrr." == marks((8, Jump(0, 4, 8)), (9, Revert(0, 6, 8)), last=9)


def test_a_loaded_snapshot_supersedes_what_came_before() -> None:
    """Everything up to the entry that holds it; an earlier jump keeps its own mark."""
    log = ((4, Jump(0, 3, 4)), (6, SAVED), (7, SuccessfulUpdate(0, 1, 0)))

    assert "sjjss.." == marks(*log, last=8)
    assert (Region(2, 6),) == tuple(Regions(log).skipped)


@pytest.mark.parametrize(
    "log",
    [
        ((6, SAVED),),
        ((6, SAVED), (7, FailedUpdate(0, 1, None))),
        ((6, PendingUpdate(0, 1, None)), (7, SuccessfulUpdate(0, 1, 0))),
        ((6, SAVED), (7, SuccessfulUpdate(0, 2, 0))),
        ((7, SuccessfulUpdate(0, 1, 0)),),
    ],
    ids=["pending", "failed", "automatic", "another version", "cut"],
)
def test_other_updates_supersede_nothing(log: tuple[tuple[int, Entry], ...]) -> None:
    """Only a snapshot that was loaded stands for the history."""
    assert RegionSet() == Regions(log).skipped


def test_a_revert_past_an_update_undoes_it() -> None:
    """The history before it is the history again."""
    log = ((6, SAVED), (7, SuccessfulUpdate(0, 1, 0)), (8, Revert(0, 6, 7)))

    assert "....rr." == marks(*log, last=8)
    assert Mark.LIVE is Regions(log).mark(5)
