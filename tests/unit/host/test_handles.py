"""Which handles are open, which numbers come next, and how handles are named to others."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from golem_host.errors import InvalidRequestError
from golem_host.handles import Handles, Resource
from golem_host.worker.urn import finding, naming, refuse_foreign, worker_uri
from golem_oplog.entries import CreateResource, DropResource, Entry, Jump, PendingUpdate, Revert
from golem_oplog.errors import ValueTypeError
from golem_oplog.public import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.types import FunctionType, HandleType, ListType, Prim
from golem_oplog.wit_value import from_wit_value, to_wit_value

COUNTER = HandleType("it:it/api.counter", owned=True)
URI = worker_uri("11111111-2222-3333-4444-555555555555", "w")


def made(number: int) -> CreateResource:
    return CreateResource(1, number, "it:it/api", "counter")


def dropped(number: int) -> DropResource:
    return DropResource(1, number, "it:it/api", "counter")


def after(entries: Iterable[Entry], skipped: tuple[int, int] = (0, 0)) -> Handles:
    """What a log says that begins at index 2."""
    handles = Handles()
    for index, entry in enumerate(entries, 2):
        if skipped[0] <= index <= skipped[1]:
            handles.pass_over(index, entry)
        else:
            handles.apply(index, entry)
    return handles


def test_what_is_made_and_not_dropped_is_open() -> None:
    """An entry that a crash made twice counts once."""
    found = after([made(1), made(2), made(2), dropped(1), dropped(1)])

    assert {2: Resource("it:it/api", "counter")} == found.open
    assert 2 == found.last_number
    assert 0 == found.floor(100)


def test_a_change_of_the_past_raises_the_floor() -> None:
    """For invocations behind it only, by the highest number that was ever given."""
    entries: list[Entry] = [
        made(1),
        made(2),
        Revert(1, 3, 4),
        made(3),
        Jump(1, 5, 6),
        Revert(1, 5, 7),
    ]
    found = after(entries, skipped=(3, 3))

    assert {1, 3} == set(found.open)
    assert [0, 0, 2, 2, 3, 3] == [found.floor(index) for index in (3, 4, 5, 6, 7, 100)]


def test_only_a_snapshot_based_update_ends_handles() -> None:
    """An automatic one makes them anew, under their old numbers."""
    automatic = after([made(1), PendingUpdate(1, 1, None)])
    by_snapshot = after([made(1), PendingUpdate(1, 1, b"state"), made(2)], skipped=(2, 3))

    assert 0 == automatic.floor(100)
    assert 1 == by_snapshot.floor(100)
    assert "snapshot-based" in by_snapshot.why_closed(1, 3)
    assert "taken back" in by_snapshot.why_closed(1, 0)


def test_why_a_handle_is_closed() -> None:
    """Never given, dropped, or made in a past that is none any more: three of them in one range."""
    entries: list[Entry] = [
        made(1),
        dropped(1),
        *(made(n) for n in (2, 3, 4)),
        Revert(1, 4, 6),
        made(5),
    ]
    found = after(entries, skipped=(4, 6))
    reasons = {n: found.why_closed(n, 0) for n in (0, 1, 2, 3, 4, 6)}

    assert {5} == set(found.open)
    assert reasons[0] == reasons[6] == "this worker has not handed it out"
    assert "it was dropped or given away" == reasons[1]
    assert 1 == len({reasons[n] for n in (2, 3, 4)})
    assert "taken back" in reasons[3]


@pytest.mark.parametrize("name", ["it:it/api.counter", "counter", "it:it/api.counter'"])
def test_a_resource_is_named_in_two_parts(name: str) -> None:
    """And put together again."""
    assert name == Resource.of(name).full_name


def test_handles_travel_as_uri_and_number() -> None:
    """In the form of golem:rpc, to the worker that has them and to no other."""
    ty, wire = ListType(COUNTER), [1, 7]
    value = to_wit_value(ty, wire, naming(URI))

    assert wire == from_wit_value(ty, value, finding(URI))
    with pytest.raises(ValueTypeError) as caught:
        from_wit_value(ty, value, finding(f"{URI}x"))
    assert URI in str(caught.value)
    with pytest.raises(ValueTypeError):
        from_wit_value(COUNTER, to_wit_value(COUNTER, 1, lambda *_: (URI, 2**32)), finding(URI))


@pytest.mark.parametrize(
    "around",
    [
        lambda ref: ref,
        lambda ref: [ref],
        lambda ref: {"a": (1, ref)},
        lambda ref: Variant("some", Some(ref)),
        lambda ref: Ok(Err(ref)),
    ],
)
def test_a_foreign_handle_is_found_wherever_it_is(around: object) -> None:
    """The walk looks into every kind of value, and only where handles can be."""
    takes = FunctionType("f", (("it", ListType(COUNTER)),), None)
    takes_none = FunctionType("f", (("it", ListType(Prim.STRING)),), None)
    assert callable(around)
    foreign, own = (
        around(ResourceRef("it:it/api.counter", 1, uri)) for uri in ("urn:worker:x/y", URI)
    )

    with pytest.raises(InvalidRequestError):
        refuse_foreign(takes, [foreign], lambda: URI)
    refuse_foreign(takes, [own], lambda: URI)
    refuse_foreign(takes, [around(ResourceRef("it:it/api.counter", 1))], lambda: URI)
    refuse_foreign(takes_none, [foreign], lambda: URI)
