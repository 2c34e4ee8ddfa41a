"""What a guest learns of itself, of others, and of names."""

from __future__ import annotations

from typing import Any

import pytest

from golem_host.errors import ComponentNotFoundError, InvalidRequestError
from golem_host.failures import RecordedFailureError, WorldError
from golem_host.interfaces.golem.api.search import PAGE_WORKERS
from golem_host.signals import InterruptSignal
from golem_host.worker.filters import CONDITIONS_MAX
from golem_oplog.entries import Error, ErrorKind, FunctionKind, ImportedFunctionInvoked
from golem_oplog.errors import CorruptOplogError
from golem_oplog.values import Variant
from tests.support.contexts import crashed, entries_of
from tests.support.host_api import (
    AGENTS,
    OLD,
    U64_MAX,
    Guest,
    Neighbours,
    begun_log,
    component_value,
    worker_value,
)
from tests.support.world import EPOCH_NS

NOWHERE = "00000000-0000-0000-0000-000000000000"
DAMAGED = CorruptOplogError(path="workers/cart/bob", offset_bytes=9, reason="checksum")

LONG_NAMES = ["", "a/b", "../..", "-x", "a b", "\0", "x" * 100_000, "ü\U0001f600\u202e"]


@pytest.fixture
def around() -> Neighbours:
    return Neighbours()


@pytest.fixture
def host(around: Neighbours) -> Guest:
    return Guest(begun_log(), around)


def calls(host: Guest) -> list[tuple[str, int]]:
    return [
        (host.oplog.function(entry.function).name, entry.function_type)
        for entry in entries_of(host.oplog)
        if isinstance(entry, ImportedFunctionInvoked)
    ]


def test_a_worker_that_asks_is_running(host: Guest) -> None:
    """It sees its own name, version and failures so far, even before it has a status of its own."""
    host.context.append(Error(EPOCH_NS, ErrorKind.UNKNOWN, "no", 2, EPOCH_NS))
    me = host("get-self-metadata")

    assert {
        "worker-id": worker_value("alice"),
        "args": [],
        "env": [],
        "wasi-config-vars": [],
        "status": "running",
        "component-version": 0,
        "retry-count": 1,
    } == me
    assert [me] == [host("get-worker-metadata", worker_value("alice"))]


def test_looks_at_workers_are_recorded(host: Guest, around: Neighbours) -> None:
    """R15, R16: a replay sees the state of then."""
    around.add("bob", status="suspended")
    host("get-self-metadata")
    seen = host("get-worker-metadata", worker_value("bob"))
    around.add("bob", status="failed")
    again = Guest(crashed(host.oplog, host.oplog.last_index), around)
    again("get-self-metadata")

    assert "suspended" == seen["status"]
    assert seen == again("get-worker-metadata", worker_value("bob"))
    assert [
        ("golem::api::get_self_metadata", FunctionKind.READ_REMOTE),
        ("golem::api::get_worker_metadata", FunctionKind.READ_REMOTE),
    ] == calls(host)


@pytest.mark.parametrize("name", LONG_NAMES)
def test_a_name_that_no_worker_has_is_not_found(host: Guest, name: str) -> None:
    """Whatever it looks like, and in a component that there is none of, too."""
    assert host("get-worker-metadata", worker_value(name)) is None
    assert host("get-worker-metadata", worker_value(name, NOWHERE)) is None


def test_a_damaged_neighbour_is_not_the_callers_failure_of_log(
    host: Guest, around: Neighbours
) -> None:
    """The caller's own log is well: it may try again, and says what is wrong with whom."""
    around.failures.append(DAMAGED)
    with pytest.raises(WorldError, match=r"worker .*/bob cannot be used: .*checksum"):
        host("get-worker-metadata", worker_value("bob"))
    around.failures.append(DAMAGED)
    host.context.is_last_attempt = lambda: True
    with pytest.raises(RecordedFailureError):
        host("get-worker-metadata", worker_value("bob"))


# -- names ----------------------------------------------------------------------------------------


def test_names_are_resolved_and_recorded(host: Guest, around: Neighbours) -> None:
    """Committed remote writes; resolve-worker-id is recorded as the component's (2.14)."""
    around.add("bob")
    found = [
        host("resolve-component-id", "cart"),
        host("resolve-component-id", "unknown"),
        host("resolve-worker-id", "cart", "not yet / there"),
        host("resolve-worker-id", "unknown", "bob"),
        host("resolve-worker-id-strict", "cart", "bob"),
        host("resolve-worker-id-strict", "cart", "nobody"),
        host("resolve-worker-id-strict", "unknown", "bob"),
    ]

    assert [
        component_value(),
        None,
        worker_value("not yet / there"),
        None,
        worker_value("bob"),
        None,
        None,
    ] == found
    component, strict = "golem::api::resolve_component_id", "golem::api::resolve_worker_id_strict"
    assert [(component, FunctionKind.WRITE_REMOTE)] * 4 + [
        (strict, FunctionKind.WRITE_REMOTE)
    ] * 3 == calls(host)
    assert host.oplog.committed_index == host.oplog.last_index


@pytest.mark.parametrize("reference", ["", " ", "two words", " cart"])
def test_a_reference_that_cannot_be_one_is_a_wrong_request(host: Guest, reference: str) -> None:
    """In each of the three functions; nothing is recorded."""
    for name, args in (
        ("resolve-component-id", ()),
        ("resolve-worker-id", ("bob",)),
        ("resolve-worker-id-strict", ("bob",)),
    ):
        with pytest.raises(InvalidRequestError, match="names no component"):
            host(name, reference, *args)

    assert [] == calls(host)


@pytest.mark.parametrize("name", LONG_NAMES)
def test_any_other_text_is_only_unknown(host: Guest, name: str) -> None:
    """As a component's name and as a worker's."""
    if name and " " not in name:
        assert host("resolve-component-id", name) is None
    assert worker_value(name) == host("resolve-worker-id", "cart", name)
    assert host("resolve-worker-id-strict", "cart", name) is None


# -- searching ------------------------------------------------------------------------------------


def search(host: Guest, wanted: Any = None, component: str | None = None) -> list[list[str]]:
    """Names, page by page, until there is none."""
    thing = host.dialect.thing
    home = component_value() if component is None else component_value(component)
    found = host(f"[constructor]get-{thing}s", home, wanted, False)
    pages: list[list[str]] = []
    while (page := host(f"[method]get-{thing}s.get-next", found)) is not None:
        pages.append([each[f"{thing}-id"][host.dialect.name_field] for each in page])
    assert host(f"[method]get-{thing}s.get-next", found) is None
    return pages


def version(comparator: str, value: int) -> Variant:
    return Variant("version", {"comparator": comparator, "value": value})


def any_of(*alternatives: list[Variant]) -> Any:
    return {"filters": [{"filters": every} for every in alternatives]}


@pytest.mark.parametrize(("count", "pages"), [(0, [0]), (1, [1]), (50, [50]), (51, [50, 1])])
def test_the_first_page_is_always_there(
    host: Guest, around: Neighbours, count: int, pages: list[int]
) -> None:
    """It may be empty; after the last one there is none."""
    for number in range(count):
        around.add(f"w{number:02}")

    assert pages == [len(page) for page in search(host)]


def test_every_worker_is_found_once(host: Guest, around: Neighbours) -> None:
    """Over as many pages as it takes, the caller included where it is one of them."""
    names = [f"w{number:03}" for number in range(230)] + ["alice"]
    for name in names:
        around.add(name)

    assert sorted(names) == sorted(name for page in search(host) for name in page)


def test_a_page_is_filled_by_looking_further(host: Guest, around: Neighbours) -> None:
    """A filter that few pass does not make empty pages."""
    for number in range(400):
        around.add(f"w{number:03}", component_version=number % 4)
    pages = search(host, any_of([version("equal", 3)]))

    assert 100 == sum(map(len, pages))
    assert all(PAGE_WORKERS <= len(page) < 2 * PAGE_WORKERS for page in pages[:-1])


def test_a_filter_chooses(host: Guest, around: Neighbours) -> None:
    """Any of the alternatives, all of the conditions of one."""
    around.add("old", component_version=1, status="failed")
    around.add("young", component_version=9, env=(("USER", "x"),))
    around.add("other", component_version=9)
    wanted = any_of(
        [version("less", 5), Variant("status", {"comparator": "greater", "value": "idle"})],
        [Variant("env", {"name": "user", "comparator": "like", "value": ""})],
    )

    assert [["old", "young"]] == search(host, wanted)


def test_each_dialect_has_its_conditions(around: Neighbours) -> None:
    """Configuration variables and starts-with where they are known."""
    around.add("bob", config_vars=(("a", "1"),))
    around.add("carol")
    config = Variant("wasi-config-vars", {"name": "a", "comparator": "not-like", "value": "2"})
    start = Variant("name", {"comparator": "starts-with", "value": "car"})
    like = Variant("name", {"comparator": "like", "value": "o"})

    assert [["bob"]] == search(Guest(begun_log(), around), any_of([config]))
    assert [["bob", "carol"]] == search(Guest(begun_log(), around, OLD), any_of([like]))
    assert [["carol"]] == search(Guest(begun_log(), around, AGENTS), any_of([start]))


def test_a_search_goes_on_behind_what_was_seen(host: Guest, around: Neighbours) -> None:
    """R16: after a crash the pages of before are as they were, and the next one is new."""
    for number in range(120):
        around.add(f"w{number:03}")
    name = "[method]get-workers.get-next"
    found = host("[constructor]get-workers", component_value(), None, True)
    seen = host(name, found)
    around.workers.clear()
    for number in range(40, 70):
        around.add(f"w{number:03}", status="failed")
    again = Guest(crashed(host.oplog, host.oplog.last_index), around)
    found = again("[constructor]get-workers", component_value(), None, True)

    assert seen == again(name, found)
    rest = again(name, found)
    assert [f"w{number:03}" for number in range(50, 70)] == [
        each["worker-id"]["worker-name"] for each in rest
    ]
    assert again(name, found) is None
    assert [("golem::api::get_workers", FunctionKind.READ_REMOTE)] * 2 == calls(again)


def test_an_unknown_component_is_found_out_at_the_first_page(host: Guest) -> None:
    """Making the search fails never."""
    found = host("[constructor]get-workers", component_value(NOWHERE), None, True)
    with pytest.raises(ComponentNotFoundError):
        host("[method]get-workers.get-next", found)


def test_a_filter_is_bounded_at_the_first_page(host: Guest, around: Neighbours) -> None:
    """A wrong request, before any worker is looked at; the largest one works."""
    around.add("bob")
    yes = version("less", U64_MAX)
    assert [["bob"]] == search(host, any_of([yes] * (CONDITIONS_MAX - 1)))
    assert [["bob"]] == search(host, any_of(*[[]] * CONDITIONS_MAX))
    found = host(
        "[constructor]get-workers", component_value(), any_of([yes] * CONDITIONS_MAX), True
    )
    with pytest.raises(InvalidRequestError, match="at most 10000 conditions"):
        host("[method]get-workers.get-next", found)


def test_a_search_can_be_interrupted(host: Guest, around: Neighbours) -> None:
    """Between two pages of the scan."""
    for number in range(200):
        around.add(f"w{number:03}")
    host.context.kill = InterruptSignal()
    found = host("[constructor]get-workers", component_value(), any_of([version("less", 0)]), True)
    with pytest.raises(InterruptSignal):
        host("[method]get-workers.get-next", found)


def test_a_search_that_meets_a_damaged_worker_may_be_made_again(
    host: Guest, around: Neighbours
) -> None:
    """It is a failure of the world, unrecorded while attempts remain."""
    around.failures.append(DAMAGED)
    found = host("[constructor]get-workers", component_value(), None, True)
    with pytest.raises(WorldError, match="the search met a damaged worker"):
        host("[method]get-workers.get-next", found)

    assert [] == host("[method]get-workers.get-next", found)
