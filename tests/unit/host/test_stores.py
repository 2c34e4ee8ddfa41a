"""Both stores, without a guest: effects, contents, bounds, and what is collected."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, Final, Protocol

import pytest

from golem_host.context import InstanceContext
from golem_host.errors import StateDirError
from golem_host.failures import WorldError
from golem_host.files.held import FullError, Held, Values
from golem_host.interfaces.wasi.blobstore.names import ObjectNames
from golem_host.interfaces.wasi.blobstore.reading import ATTEMPTS_MAX, read_range
from golem_host.interfaces.wasi.keyvalue import calls
from golem_host.interfaces.wasi.values import IncomingValue, OutgoingValue, effect_of, stored
from golem_host.services.stores import contents, limits
from golem_host.services.stores.contents import CHUNK_BYTES
from golem_host.services.stores.effects import Effect
from golem_host.services.stores.limits import StoreError
from golem_host.services.stores.objects import PIECE_BYTES_MAX, ObjectName, Piece
from golem_host.services.stores.schema import MIGRATIONS
from golem_host.services.stores.stores import Stores
from golem_oplog.entries import (
    BeginAtomicRegion,
    EndAtomicRegion,
    FailedUpdate,
    ImportedFunctionInvoked,
    Jump,
    NoOp,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.protocol import SyncLevel
from tests.support.contexts import context_on, crashed, entries_of, new_log
from tests.support.world import EPOCH_NS, FrozenClock

_NUMBERS: Final = count(1)
LARGE: Final = 2 * PIECE_BYTES_MAX + 1
OBJECT: Final = ObjectName("c", "o")


def unstopped() -> None:
    """Nobody stops it."""


@dataclass
class Bytes:
    """A `Source`."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


def effect(token: str = "", worker: str = "alice") -> Effect:
    """A new one, or that of a token."""
    return Effect("component", worker, token or f"{next(_NUMBERS)}/1")


def effects(stores: Stores) -> list[tuple[str, str]]:
    with stores.database().reading() as connection:
        query = "SELECT worker_name, token FROM effect ORDER BY worker_name"
        return connection.execute(query).fetchall()


def contents_of(stores: Stores) -> int:
    with stores.database().reading() as connection:
        return int(connection.execute("SELECT count(DISTINCT content) FROM chunk").fetchone()[0])


def gone_objects_of(stores: Stores) -> int:
    """Objects of containers that nobody sees any more."""
    with stores.database().reading() as connection:
        query = "SELECT count(*) FROM object JOIN container ON id = container WHERE container.name IS NULL"
        return int(connection.execute(query).fetchone()[0])


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    opened = Stores(tmp_path / "stores.db", FrozenClock(), sync_level=SyncLevel.PROCESS)
    yield opened
    opened.close()


def write(stores: Stores, data: bytes, name: ObjectName = OBJECT) -> None:
    if not stores.objects.has_container(name.container):
        stores.objects.create(effect(), name.container)
    stores.objects.write(effect(), name, Bytes(data), unstopped)


class Playing(Protocol):
    """Makes the context of an instance on a log."""

    def __call__(self, stores: Stores | None = None, oplog: MemoryOplog | None = None) -> Any: ...


@pytest.fixture
def playing() -> Iterator[Playing]:
    """Contexts that are closed; without a store they have an empty one."""
    with ExitStack() as stack:

        def play(stores: Stores | None = None, oplog: MemoryOplog | None = None) -> InstanceContext:
            context = context_on(new_log() if oplog is None else oplog)
            stack.callback(context.services.stores.close)
            stack.callback(context.close)
            if stores is not None:
                context.services.stores = stores
            return context

        yield play


# -- effects ---------------------------------------------------------------------------------------


def test_a_change_is_made_once_for_its_token(stores: Stores) -> None:
    """Asked for again it has the first outcome, whatever others have done meanwhile."""
    pairs = stores.pairs
    first, other = effect(), effect(worker="bob")
    assert 5 == pairs.increment(first, "b", "n", 5)
    assert pairs.swap(other, "b", "n", 5, 6)

    assert 5 == pairs.increment(first, "b", "n", 5)
    assert pairs.swap(other, "b", "n", 5, 6)
    assert [b"6"] == pairs.get("b", ["n"])


def test_a_change_without_a_token_is_made_each_time(stores: Stores) -> None:
    """While a snapshot is loaded, say."""
    nameless = Effect("component", "alice", "")

    assert [1, 2] == [stores.pairs.increment(nameless, "b", "n", 1) for _ in range(2)]
    assert [] == effects(stores)


def test_only_the_last_change_of_a_worker_is_known(stores: Stores) -> None:
    """What came before it may have been undone by it; other workers' are no concern of it."""
    pairs = stores.pairs
    reserved, undone = effect("x/1"), effect("x/2")
    pairs.set(effect("x/1", "bob"), "b", [("n", b"1")])
    for _ in range(2):
        pairs.set(reserved, "b", [("k", b"v")])
        assert [b"v"] == pairs.get("b", ["k"])
        pairs.delete(undone, "b", ["k"])
        pairs.delete(undone, "b", ["k"])

    assert [("alice", "x/2"), ("bob", "x/1")] == effects(stores)


def test_a_region_that_is_done_over_makes_its_changes_anew(
    stores: Stores, playing: Playing
) -> None:
    """An attempt before may have undone them; also the very last one before the kill."""
    oplog, pairs = new_log(NoOp(EPOCH_NS), BeginAtomicRegion(EPOCH_NS)), stores.pairs
    for attempt in (1, 2, 3):
        region = playing(stores, oplog)
        if attempt > 1:
            # After a crash in the region the marker stands, and the rest is passed over.
            region.append(Jump(EPOCH_NS, 4, oplog.last_index + 1))
        assert attempt == pairs.increment(effect_of(region), "b", "n", 1)
        if attempt > 1:
            pairs.set(effect_of(region), "b", [("reserved", b"1")])
            assert [b"1"] == pairs.get("b", ["reserved"])
        if attempt == 2:
            pairs.delete(effect_of(region), "b", ["reserved"])

    oplog.append(EndAtomicRegion(EPOCH_NS, 3))
    assert 4 == pairs.increment(effect_of(playing(stores, oplog)), "b", "n", 1)
    # Outside of it a call that is repeated after a kill is not performed again.
    assert 4 == pairs.increment(effect_of(playing(stores, oplog)), "b", "n", 1)
    assert [b"1"] == pairs.get("b", ["reserved"])


def test_a_failed_update_does_not_rename_the_call_that_was_cut_off(
    stores: Stores, playing: Playing
) -> None:
    """What the new version did on its way is passed over; the old one asks for the same again."""
    oplog = new_log(NoOp(EPOCH_NS))
    assert 1 == stores.pairs.increment(effect_of(playing(stores, oplog)), "b", "n", 1)
    oplog.append(NoOp(EPOCH_NS))
    oplog.append(FailedUpdate(EPOCH_NS, 1, "does not fit"))
    oplog.append(Jump(EPOCH_NS, 3, 5))

    assert 1 == stores.pairs.increment(effect_of(playing(stores, oplog)), "b", "n", 1)


def test_another_change_under_the_same_token_is_made(stores: Stores) -> None:
    """A persist-nothing zone that is entered again may take another way."""
    pairs, objects = stores.pairs, stores.objects
    zone = effect("zone/1")
    assert 1 == pairs.increment(zone, "b", "n", 1)
    assert 3 == pairs.increment(zone, "b", "n", 2)
    objects.create(effect(), "c")
    objects.write(zone, OBJECT, Bytes(b"one"), unstopped)
    objects.write(zone, OBJECT, Bytes(b"two"), unstopped)

    assert b"two" == objects.read(OBJECT, 0, 9).data


def test_what_was_refused_leaves_nothing_behind(stores: Stores) -> None:
    """Neither an effect nor a part of a change."""
    stores.pairs.set(effect("a"), "b", [("n", b"x")])
    with pytest.raises(StoreError, match="no decimal number"):
        stores.pairs.increment(effect("b"), "b", "n", 1)

    assert [("alice", "a")] == effects(stores)


def test_threads_that_count_together_lose_nothing(stores: Stores) -> None:
    """Each of four adds fifty times."""

    def add(worker: str) -> None:
        for number in range(50):
            stores.pairs.increment(effect(str(number), worker), "b", "n", 1)

    threads = [Thread(target=add, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [b"200"] == stores.pairs.get("b", ["n"])
    assert 4 == len(effects(stores))


# -- contents --------------------------------------------------------------------------------------


class StoppedError(BaseException):
    """The guest is to end."""


def stopping_at(call: int) -> Callable[[], None]:
    calls_made = count(1)

    def check() -> None:
        if next(calls_made) == call:
            raise StoppedError

    return check


def test_an_object_is_written_whole_or_not_at_all(stores: Stores) -> None:
    """Wherever it is stopped: then it is as it was, and the rest goes with the next change."""
    old, new = bytes(3 * CHUNK_BYTES), b"n" * (3 * CHUNK_BYTES + 1)
    write(stores, old)
    name = effect()
    stopped = 0
    for call in count(1):
        try:
            stores.objects.write(name, OBJECT, Bytes(new), stopping_at(call))
        except StoppedError:
            stopped += 1
            found = b"".join(stores.objects.read(OBJECT, at, at).data for at in (0, len(old) - 1))
            assert found in (b"\0\0", b"nn")
        else:
            break
    assert stopped > 5
    stores.objects.clear(effect(), "elsewhere", unstopped)

    assert 1 == contents_of(stores)
    assert len(new) == stores.objects.find(OBJECT).size


def test_what_a_crash_left_of_an_object_is_collected(stores: Stores, tmp_path: Path) -> None:
    """Without being asked, too: the next change in a later host removes it."""
    write(stores, b"kept")
    stores.objects.contents.write(Bytes(bytes(CHUNK_BYTES + 1)), unstopped)
    assert (1, CHUNK_BYTES + 1) == stores.objects.contents.count_unused()
    # It is being written, for all that this host knows.
    stores.objects.clear(effect(), "elsewhere", unstopped)
    assert 2 == contents_of(stores)
    stores.close()
    later = Stores(tmp_path / "stores.db", FrozenClock())
    tried = later.collect(dry_run=True, is_worker=lambda *_: True)
    assert 2 == contents_of(later)
    done = later.collect(dry_run=False, is_worker=lambda *_: True)

    assert (1, CHUNK_BYTES + 1) == tried == done
    assert 1 == contents_of(later)
    assert b"kept" == later.objects.read(OBJECT, 0, 9).data
    later.close()


def test_much_is_removed_in_steps(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as is to be done at once, also in the middle of a content."""
    monkeypatch.setattr(contents, "STEP_CHUNKS", 2)
    monkeypatch.setattr(contents, "STEPS_MAX", 3)
    for number in range(3):
        write(stores, bytes(3 * CHUNK_BYTES), ObjectName("c", str(number)))
    stores.objects.clear(effect(), "c", unstopped)
    assert 2 == contents_of(stores)
    stores.objects.clear(effect(), "c", unstopped)
    stores.objects.clear(effect(), "c", unstopped)

    assert 0 == contents_of(stores)
    assert (0, 0) == stores.objects.contents.count_unused()


def test_a_container_is_cleared_in_one_moment_and_removed_in_steps(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for more than a step, however many objects there were; a copy elsewhere stays."""
    monkeypatch.setattr(contents, "STEP_OBJECTS", 2)
    monkeypatch.setattr(contents, "STEPS_MAX", 1)
    names = [str(number) for number in range(5)]
    for name in names:
        write(stores, b"x", ObjectName("c", name))
    stores.objects.create(effect(), "d")
    stores.objects.copy(effect(), ObjectName("c", "4"), ObjectName("d", "copy"), unstopped)
    began_s = stores.objects.container("c")
    stores.objects.clear(effect(), "c", unstopped)
    assert ([], began_s) == (stores.objects.list("c"), stores.objects.container("c"))
    assert 3 == gone_objects_of(stores)
    assert (4, 4) == stores.objects.contents.count_unused()
    write(stores, b"new", ObjectName("c", "0"))
    stores.objects.delete_container(effect(), "c", unstopped)
    assert not stores.objects.has_container("c")
    stores.close()
    later = Stores(tmp_path / "stores.db", FrozenClock())
    later.objects.create(effect(), "c")
    later.collect(dry_run=False, is_worker=lambda *_: True)

    assert (0, [], ["copy"]) == (
        gone_objects_of(later),
        later.objects.list("c"),
        later.objects.list("d"),
    )
    assert b"x" == later.objects.read(ObjectName("d", "copy"), 0, 9).data
    assert 1 == contents_of(later)
    with later.database().reading() as connection:
        assert [(2,)] == connection.execute("SELECT count(*) FROM container").fetchall()
    later.close()


def test_a_database_of_an_older_host_keeps_what_it_has(tmp_path: Path) -> None:
    """Objects, and of what is known of a worker the last change."""
    path = tmp_path / "stores.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(MIGRATIONS[0])
        connection.executescript("""
            INSERT INTO container VALUES ('c', 5000000000);
            INSERT INTO content VALUES (7, 3, 0);
            INSERT INTO chunk VALUES (7, 0, x'616263');
            INSERT INTO object VALUES ('c', 'o', 6000000000, 7);
            INSERT INTO effect VALUES ('component', 'alice', 'x', '10', x'00', x'c0');
            INSERT INTO effect VALUES ('component', 'alice', 'x', '9', x'00', x'c0');
            PRAGMA user_version = 1""")
    connection.close()
    stores = Stores(path, FrozenClock())

    assert (5, ["o"]) == (stores.objects.container("c"), stores.objects.list("c"))
    assert (6, 7, 3) == stores.objects.find(OBJECT)
    assert b"abc" == stores.objects.read(OBJECT, 0, 9).data
    assert [("alice", "x/10")] == effects(stores)
    stores.objects.clear(effect(), "c", unstopped)
    assert 0 == contents_of(stores)
    stores.close()


def test_a_collection_forgets_workers_that_are_gone(stores: Stores, tmp_path: Path) -> None:
    """And gives room back to the disk; what was stored stays."""
    write(stores, bytes(20 * CHUNK_BYTES))
    stores.pairs.set(effect(worker="bob"), "b", [("k", b"v")])
    stores.objects.delete(effect(), "c", ["o"], unstopped)
    before = (tmp_path / "stores.db-wal").stat().st_size + (tmp_path / "stores.db").stat().st_size
    stores.collect(dry_run=False, is_worker=lambda _, worker: worker == "alice")

    assert ["alice"] == [worker for worker, *_ in effects(stores)]
    assert [b"v"] == stores.pairs.get("b", ["k"])
    after = (tmp_path / "stores.db-wal").stat().st_size + (tmp_path / "stores.db").stat().st_size
    assert after < before // 4


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    """Deleting workers and collecting make no database."""
    untouched = Stores(tmp_path / "stores.db")
    untouched.forget("component", "alice")

    assert (0, 0) == untouched.collect(dry_run=False, is_worker=lambda *_: False)
    assert [] == list(tmp_path.iterdir())


def test_a_database_of_a_newer_host_is_refused(stores: Stores, tmp_path: Path) -> None:
    """With the advice; an older one is brought up to date (see `golem_host.storage.database`)."""
    stores.pairs.exists("b", "k")
    stores.close()
    with sqlite3.connect(tmp_path / "stores.db") as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()

    with pytest.raises(StateDirError, match="upgrade golem-host"):
        Stores(tmp_path / "stores.db").pairs.exists("b", "k")
    with pytest.raises(StateDirError, match="it is closed"):
        stores.pairs.exists("b", "k")


# -- bounds ----------------------------------------------------------------------------------------


def test_lists_are_bounded(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of keys and of names: more is an error, not a part."""
    monkeypatch.setattr(limits, "LIST_BYTES_MAX", 5 + 2 * limits.NAME_COST_BYTES)
    stores.pairs.set(effect(), "b", [("abc", b""), ("de", b"")])
    assert ["abc", "de"] == stores.pairs.keys("b")
    stores.pairs.set(effect(), "b", [("f", b"")])
    write(stores, b"", ObjectName("c", "\u2603" * 45))

    actions: tuple[Callable[[], Any], ...] = (
        lambda: stores.pairs.keys("b"),
        lambda: stores.objects.list("c"),
    )
    for action in actions:
        with pytest.raises(StoreError, match="too much for one list"):
            action()


def test_a_full_store_gives_back(tmp_path: Path) -> None:
    """Nothing grows, whatever it is; everything that takes less is done."""
    full = Stores(tmp_path / "stores.db", FrozenClock(), bytes_max=1)
    growing: tuple[Callable[[], Any], ...] = (
        lambda: full.pairs.set(effect(), "b", [("k", b"")]),
        lambda: full.pairs.increment(effect(), "b", "k", 1),
        lambda: full.objects.create(effect(), "c"),
        lambda: full.objects.contents.write(Bytes(b"1"), unstopped),
    )
    for action in growing:
        with pytest.raises(StoreError, match="stores_bytes_max is 1"):
            action()
    full.pairs.delete(effect(), "b", ["k"])
    full.objects.delete_container(effect(), "c", unstopped)
    assert not full.pairs.swap(effect(), "b", "k", 1, 2)
    full.close()


def test_values_that_a_guest_holds_are_bounded(
    monkeypatch: pytest.MonkeyPatch, playing: Playing
) -> None:
    """By pages; what it drops makes room, once its streams are gone, too."""
    monkeypatch.setattr("golem_host.files.held.HELD_BYTES_MAX", 4 * 4096)
    context = playing()
    kept = OutgoingValue(context, 1 << 20)
    kept.append(bytes(4 * 4096))
    stream = kept.stream()
    with pytest.raises(StoreError, match="drop some"):
        IncomingValue.of(context, bytes(5000))
    kept.dropped()
    with pytest.raises(StoreError, match="drop some"):
        IncomingValue.of(context, bytes(5000))
    stream.dropped(context)

    assert 4 * 4096 == IncomingValue.of(context, bytes(4 * 4096)).size
    small = Held(context.part(Values))
    small.append(b"a" * 4096)
    with pytest.raises(FullError):
        small.append(b"b")
    assert b"a" * 4096 == small.read(0, 5000)


def test_an_object_that_a_guest_cannot_hold_is_not_read_to_its_end(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, playing: Playing
) -> None:
    """Its first piece says how large it is."""
    monkeypatch.setattr("golem_host.files.held.HELD_BYTES_MAX", PIECE_BYTES_MAX)
    write(stores, bytes(LARGE))
    oplog = new_log()
    with pytest.raises(StoreError, match="drop some"):
        read_range(playing(stores, oplog), OBJECT, 0, LARGE)

    assert 1 == len(entries_of(oplog))
    assert 2 == read_range(playing(stores), OBJECT, LARGE - 2, LARGE).size


def test_names_that_a_guest_lists_are_bounded(
    monkeypatch: pytest.MonkeyPatch, playing: Playing
) -> None:
    """A list that is dropped makes room for another."""
    monkeypatch.setattr("golem_host.files.held.NAMES_BYTES_MAX", 100)
    context = playing()
    first = ObjectNames(context, ["a"])
    with pytest.raises(StoreError, match="drop some of the lists"):
        ObjectNames(context, ["b"])
    first.dropped()

    assert ["b"] == ObjectNames(context, ["b"]).take(5)


# -- calls -----------------------------------------------------------------------------------------


def test_a_store_that_cannot_be_used_is_asked_again_first(stores: Stores, playing: Playing) -> None:
    """While attempts remain nothing is recorded; then the guest has an error, which is (R1)."""
    oplog = new_log()
    context = playing(stores, oplog)

    def broken() -> None:
        raise StateDirError(path="/secret", reason="disk I/O error")

    with pytest.raises(WorldError, match="disk I/O error"):
        stored(context, calls.DELETE, ("b", "k"), broken)
    assert [] == entries_of(oplog)
    context.is_last_attempt = lambda: True
    with pytest.raises(StoreError, match="the store cannot be used: disk"):
        stored(context, calls.DELETE, ("b", "k"), broken)
    with pytest.raises(StoreError, match="the store cannot be used"):
        stored(playing(stores, oplog), calls.DELETE, ("b", "k"), broken)
    assert 1 == len(entries_of(oplog))


def test_changes_have_names_but_while_a_snapshot_is_taken(stores: Stores, playing: Playing) -> None:
    """Nothing remembers what is done then, so it must not be taken for something else later."""
    context = playing(stores)
    named = effect_of(context)
    with context.unrecorded():
        assert "" == effect_of(context).token

    assert named.token.endswith("/1")
    assert effect_of(context).token.endswith("/2")


def replacing(stores: Stores, monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """The object is replaced after each of the first looks at it; their starts."""
    read = stores.objects.read
    starts: list[int] = []

    def replaced(name: ObjectName, start: int, end: int) -> Piece:
        found = read(name, start, end)
        starts.append(start)
        if len(starts) <= times:
            write(stores, bytes([len(starts)]) * LARGE)
        return found

    monkeypatch.setattr(stores.objects, "read", replaced)
    return starts


def test_an_object_that_is_replaced_is_read_anew(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, playing: Playing
) -> None:
    """A guest never gets a mixture, live or replayed."""
    write(stores, bytes(LARGE))
    starts = replacing(stores, monkeypatch, 1)
    oplog = new_log()
    live = read_range(playing(stores, oplog), OBJECT, 0, LARGE)
    replayed = read_range(playing(None, oplog), OBJECT, 0, LARGE)

    assert [0, PIECE_BYTES_MAX, 0, PIECE_BYTES_MAX, 2 * PIECE_BYTES_MAX] == starts
    assert b"\1" * LARGE == live.take() == replayed.take()
    assert 5 == sum(isinstance(each, ImportedFunctionInvoked) for each in entries_of(oplog))


def test_an_object_that_is_always_replaced_is_given_up(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, playing: Playing
) -> None:
    """With an error."""
    write(stores, bytes(LARGE))
    replacing(stores, monkeypatch, 1000)
    with pytest.raises(StoreError, match=f"replaced {ATTEMPTS_MAX} times"):
        read_range(playing(stores), OBJECT, 0, LARGE)


def test_an_object_that_is_removed_while_it_is_read_is_gone(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, playing: Playing
) -> None:
    """As if it had been removed before."""
    write(stores, bytes(LARGE))
    read = stores.objects.read

    def removing(name: ObjectName, start: int, end: int) -> Piece:
        found = read(name, start, end)
        stores.objects.clear(effect(), "c", unstopped)
        return found

    monkeypatch.setattr(stores.objects, "read", removing)
    with pytest.raises(StoreError, match="no object of this name"):
        read_range(playing(stores), OBJECT, 0, LARGE)


@pytest.mark.parametrize("survived", range(2, 5))
def test_a_read_that_a_kill_cuts_off_goes_on_or_begins_anew(
    stores: Stores, survived: int, playing: Playing
) -> None:
    """As the object still is the same or not; then it is replayed whole."""
    write(stores, b"a" * LARGE)
    whole = new_log()
    read_range(playing(stores, whole), OBJECT, 0, LARGE)
    same = crashed(whole, survived)
    again = read_range(playing(stores, same), OBJECT, 0, LARGE)
    write(stores, b"b" * (LARGE - 1))
    other = crashed(whole, survived)
    anew = read_range(playing(stores, other), OBJECT, 0, LARGE)

    assert b"a" * LARGE == again.take()
    assert (b"a" * LARGE if survived == 4 else b"b" * (LARGE - 1)) == anew.take()
    assert 4 == same.last_index
    replayed = read_range(playing(None, other), OBJECT, 0, LARGE)
    assert anew.size == replayed.size


def test_times_are_those_of_the_hosts_clock(tmp_path: Path) -> None:
    """In seconds; a copy is new, a moved object is not."""
    clock = FrozenClock()
    stores = Stores(tmp_path / "stores.db", clock)
    write(stores, b"1")
    clock.now_ns += 5_000_000_000
    copy, moved = ObjectName("c", "copy"), ObjectName("c", "moved")
    stores.objects.copy(effect(), OBJECT, copy, unstopped)
    stores.objects.move(effect(), OBJECT, moved, unstopped)
    begun_s = EPOCH_NS // 1_000_000_000

    assert begun_s == stores.objects.container("c") == stores.objects.find(moved).created_s
    assert begun_s + 5 == stores.objects.find(copy).created_s
    stores.close()
