"""`host.promises`: made once, filled once, and nobody who waits is forgotten."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from golem_host.errors import InvalidRequestError, PromiseNotFoundError
from golem_host.services.promises import (
    DATA_BYTES_MAX,
    INDEX_MAX,
    PromiseId,
    PromiseInfo,
    Promises,
)
from golem_host.storage.database import Database
from tests.support.contexts import CREATE
from tests.support.world import EPOCH_NS, FrozenClock

HOME = CREATE.component_id
P = PromiseId(HOME, "alice", 3)
U64_MAX = (1 << 64) - 1


@pytest.fixture
def promises() -> Promises:
    return Promises(Database(Path(":memory:")), FrozenClock())


def woken(promises: Promises) -> list[PromiseId]:
    """The promises that parked workers are woken for, from now on."""
    heard: list[PromiseId] = []
    promises.on_completed = heard.append
    return heard


def test_a_promise_is_empty_until_it_is_completed(promises: Promises) -> None:
    """Created, it holds nothing; completed, exactly what was given, an empty content too."""
    promises.create(P)
    before = promises.get(P), promises.is_completed(P)
    first = promises.complete(P, b"")

    assert (None, False) == before
    assert (True, b"", True) == (first, promises.get(P), promises.is_completed(P))


def test_the_first_completion_wins(promises: Promises) -> None:
    """Later ones are told so, and change nothing."""
    promises.create(P)
    answers = [promises.complete(P, data) for data in (b"one", b"two", b"one")]

    assert [True, False, False] == answers
    assert b"one" == promises.get(P)


def test_the_token_that_won_is_told_again_that_it_did(promises: Promises) -> None:
    """A repetition after a crash has the answer that was lost; another token has not."""
    promises.create(P)
    answers = [promises.complete(P, b"x", token) for token in ("a", "b", "a", "")]

    assert [True, False, True, False] == answers


def test_creating_again_changes_nothing(promises: Promises) -> None:
    """A create whose entry was lost may be repeated, though the promise is completed by now."""
    promises.create(P)
    promises.complete(P, b"x")
    promises.create(P)

    assert b"x" == promises.get(P)


@pytest.mark.parametrize(
    "unknown",
    [
        PromiseId(HOME, "alice", 4),
        PromiseId(HOME, "bob", 3),
        PromiseId("", "", 0),
        PromiseId(HOME, "alice", U64_MAX),
        PromiseId(HOME, "a/b\0ü", 3),
    ],
)
def test_what_was_never_made_is_not_found(promises: Promises, unknown: PromiseId) -> None:
    """Neither read, nor completed, nor made by being completed (R12); deleting it is no error."""
    promises.create(P)
    for attempt in (
        lambda: promises.get(unknown),
        lambda: promises.is_completed(unknown),
        lambda: promises.complete(unknown, b"x"),
        lambda: promises.get(unknown),
    ):
        with pytest.raises(PromiseNotFoundError):
            attempt()
    promises.delete(unknown)

    assert [P] == [info.id for info in promises.list()]


def test_a_deleted_promise_is_gone(promises: Promises) -> None:
    """With its content; deleting it again is no error."""
    promises.create(P)
    promises.complete(P, b"x")
    promises.delete(P)
    promises.delete(P)

    with pytest.raises(PromiseNotFoundError, match=f"no promise {HOME}/alice/3"):
        promises.get(P)


def test_a_content_is_bounded(promises: Promises) -> None:
    """The largest content that a guest can be given is taken, one byte more is refused."""
    promises.create(P)
    with pytest.raises(InvalidRequestError, match="at most 2796202 bytes, not 2796203"):
        promises.complete(P, bytes(DATA_BYTES_MAX + 1))
    promises.complete(P, bytes(DATA_BYTES_MAX))

    assert bytes(DATA_BYTES_MAX) == promises.get(P)


def test_the_promises_of_a_worker_go_with_it(promises: Promises) -> None:
    """And no others (R30); whoever waits for one that was open is woken."""
    mine = [PromiseId(HOME, "alice", index) for index in (3, 5)]
    others = [PromiseId(HOME, "alicea", 3), PromiseId("other", "alice", 3)]
    for each in (*mine, *others):
        promises.create(each)
    promises.complete(mine[1], b"")
    heard = woken(promises)
    promises.delete_of(HOME, "alice")

    assert others == [info.id for info in promises.list()]
    assert mine[:1] == heard


def test_promises_are_listed_in_order(promises: Promises) -> None:
    """Of all workers, of a component, of one worker: with state, size and time of creation."""
    ids = [PromiseId("b", "x", 2), PromiseId("a", "y", 10), PromiseId("a", "x", 2)]
    for each in ids:
        promises.create(each)
    promises.complete(ids[1], b"four")

    assert [
        PromiseInfo(ids[2], completed=False, size_bytes=0, created_ns=EPOCH_NS),
        PromiseInfo(ids[1], completed=True, size_bytes=4, created_ns=EPOCH_NS),
        PromiseInfo(ids[0], completed=False, size_bytes=0, created_ns=EPOCH_NS),
    ] == list(promises.list())
    assert [ids[2], ids[1]] == [info.id for info in promises.list("a")]
    assert [ids[2]] == [info.id for info in promises.list("a", "x")]


def test_whoever_waits_is_woken_by_completion_and_by_deletion(promises: Promises) -> None:
    """Each waiter in memory and the workers without an instance, but none of another promise."""
    other = PromiseId(HOME, "alice", 4)
    promises.create(P)
    promises.create(other)
    heard = woken(promises)
    mine, too, others = threading.Event(), threading.Event(), threading.Event()
    with promises.waking(P, mine), promises.waking(P, too), promises.waking(other, others):
        promises.complete(P, b"")
        states = [event.is_set() for event in (mine, too, others)]
        promises.delete(other)

    assert [True, True, False] == states
    assert others.is_set()
    assert [P, other] == heard


def test_waiting_leaves_nothing_behind(promises: Promises) -> None:
    """However the wait ends; a completion that comes later wakes nobody of it."""
    promises.create(P)
    event = threading.Event()
    with pytest.raises(KeyError), promises.waking(P, event):
        raise KeyError
    promises.complete(P, b"")

    assert not event.is_set()
    assert 0 == len(promises._waking)


def test_a_completion_that_lost_wakes_nobody(promises: Promises) -> None:
    """Only the first one is news."""
    promises.create(P)
    promises.complete(P, b"", "a")
    heard = woken(promises)
    promises.complete(P, b"", "a")
    promises.complete(P, b"", "b")

    assert [] == heard


def test_exactly_one_of_many_threads_completes_a_promise(promises: Promises) -> None:
    """Eight at once: one True, and the content is the winner's."""
    promises.create(P)
    start = threading.Barrier(8)
    won: list[bytes] = []

    def complete(data: bytes) -> None:
        start.wait()
        if promises.complete(P, data):
            won.append(data)

    threads = [threading.Thread(target=complete, args=(bytes([n]),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [promises.get(P)] == won


def test_a_settled_promise_needs_no_waiting(promises: Promises) -> None:
    """Neither does one that does not exist: its await ends, with an error."""
    promises.create(P)
    states = [promises.is_settled(str(P))]
    promises.complete(P, b"")
    states.append(promises.is_settled(str(P)))
    promises.delete(P)
    states.append(promises.is_settled(str(P)))

    assert [False, True, True] == states


@pytest.mark.parametrize("index", [0, 3, INDEX_MAX, U64_MAX])
def test_the_text_form_is_read_back(index: int) -> None:
    """Whatever a guest may have named."""
    promise = PromiseId(HOME, "älice", index)

    assert f"{HOME}/älice/{index}" == str(promise)
    assert promise == PromiseId.parse(str(promise))


@pytest.mark.parametrize(
    "text", ["", "a/b", "a/b/", "a/b/c", "a/b/-1", "a/b/٣", "a/b/1/2", "a/b/" + "9" * 5000]
)
def test_other_texts_name_no_promise(text: str) -> None:
    """They are refused, whatever is wrong with them."""
    with pytest.raises(InvalidRequestError, match="names no promise: expected COMPONENT-ID"):
        PromiseId.parse(text)


def test_a_hundred_thousand_promises_are_no_burden(promises: Promises) -> None:
    """They are made, found, listed and removed; each is looked up by its key."""
    for index in range(100_000):
        promises.create(PromiseId(HOME, "alice", index))
    last = PromiseId(HOME, "alice", 99_999)
    promises.complete(last, b"x")

    assert 100_000 == sum(1 for _ in promises.list())
    assert b"x" == promises.get(last)
    promises.delete_of(HOME, "alice")
    assert [] == list(promises.list())


def test_promises_outlive_the_process(tmp_path: Path) -> None:
    """Content and token are there when the state directory is opened again."""
    database = Database(tmp_path / "host.db")
    first = Promises(database, FrozenClock())
    first.create(P)
    first.complete(P, b"x", "a")
    database.close()

    database = Database(tmp_path / "host.db")
    again = Promises(database, FrozenClock())
    answers = again.get(P), again.complete(P, b"y", "a"), again.complete(P, b"y", "b")
    database.close()

    assert (b"x", True, False) == answers
