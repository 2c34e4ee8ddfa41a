"""Sets of dead oplog indexes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_oplog.regions import Region, RegionSet

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
