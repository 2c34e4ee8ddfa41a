"""What every `golem_oplog.Store` and its logs promise, whatever they are made of."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from golem_oplog import (
    BlobRef,
    EndRemoteWrite,
    Entry,
    EntryTooLargeError,
    ExportedFunctionInvoked,
    FunctionType,
    ImportedFunctionInvoked,
    Log,
    MalformedEntryError,
    MemoryOplogStore,
    MissingBlobError,
    NoOp,
    NoSuchEntryError,
    OplogExistsError,
    OplogInUseError,
    OplogNotFoundError,
    OplogPoisonedError,
    PendingUpdate,
    Prim,
    Store,
    SyncLevel,
    UnknownFunctionError,
    encode_type,
)
from golem_oplog.sequel import Sequel
from tests.support.faulty_files import ROOT, FaultyFiles, PowerFailureError
from tests.support.oplogs import LOOKUP, NOTIFY, call_entry, create_entry, open_store

FORK = FunctionType("test:shop/fork.{fork}", (), Prim.U32)

STORES: dict[str, Callable[[], Store]] = {
    "memory": MemoryOplogStore,
    "disk, power": lambda: open_store(FaultyFiles(), ROOT, SyncLevel.POWER),
    "disk, process": lambda: open_store(FaultyFiles(), ROOT, SyncLevel.PROCESS),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    return STORES[request.param]()


def test_a_log_begins_with_its_create_entry(store: Store) -> None:
    """The first entry is there, and committed, when `create` returns."""
    log = store.create("cart/alice", create_entry())

    assert [(1, create_entry())] == list(log.read())
    assert (1, 1) == (log.last_index, log.committed_index)


def test_entries_get_consecutive_indexes(store: Store) -> None:
    """`append` returns the index under which the entry can be read, committed or not."""
    log = store.create("cart/alice", create_entry())
    entries: list[Entry] = [NoOp(number) for number in range(300)]

    indexes = [log.append(entry) for entry in entries]

    assert list(range(2, 302)) == indexes
    assert [create_entry(), *entries] == [entry for _, entry in log.read()]
    assert 301 == log.last_index
    assert entries[5] == log.entry(7)


def test_a_commit_covers_everything_before_it(store: Store) -> None:
    """After `commit`, the committed index is the last one; an append does not move it."""
    log = store.create("cart/alice", create_entry())
    log.append(NoOp(1))
    log.flush()
    log.commit()
    log.append(NoOp(2))

    assert (2, 3) == (log.committed_index, log.last_index)
    log.commit()
    assert 3 == log.committed_index


def test_who_watches_commits_is_told_of_each(store: Store) -> None:
    """After it, and of nothing that was only appended."""
    log = store.create("a", create_entry())
    told: list[int] = []
    log.on_commit = lambda: told.append(log.committed_index)
    log.append(NoOp(1))
    assert [] == told

    log.commit()
    log.append(NoOp(2))
    log.commit()

    assert [2, 3] == told


def test_a_range_can_be_read(store: Store) -> None:
    """`read` begins and ends where it is told, and does not go beyond the end."""
    log = store.create("cart/alice", create_entry())
    for number in range(2, 500):
        log.append(call_entry(log, number))

    assert list(range(100, 400)) == [index for index, _ in log.read(100, 399)]
    assert [399, 499] == [entry.timestamp for at in (399, 499) for _, entry in log.read(at, at)]
    assert list(range(450, 500)) == [index for index, _ in log.read(450, 10_000)]
    assert [] == list(log.read(500))
    assert [] == list(log.read(9, 8))


def test_a_read_ends_where_the_log_ended_when_it_was_called(store: Store) -> None:
    """What is appended while somebody reads is for the next read."""
    log = store.create("cart/alice", create_entry())
    reading = log.read()
    log.append(NoOp(1))

    assert [1] == [index for index, _ in reading]
    assert [2] == [index for index, _ in log.read(2)]


@pytest.mark.parametrize("index", [0, -1, 3])
def test_an_index_outside_of_the_log_is_refused(store: Store, index: int) -> None:
    """`entry` raises with the index that was asked for and the last one there is."""
    log = store.create("cart/alice", create_entry())
    log.append(NoOp(1))

    with pytest.raises(NoSuchEntryError) as raised:
        log.entry(index)

    assert (index, 2) == (raised.value.index, raised.value.last_index)


def test_reading_from_before_the_beginning_is_refused(store: Store) -> None:
    """Indexes begin at 1: 0 means none, and is a mistake of the caller."""
    log = store.create("cart/alice", create_entry())

    with pytest.raises(NoSuchEntryError):
        log.read(0)


def test_skimming_gives_times_in_place_of_host_calls(store: Store) -> None:
    """`skim` is `read` with the host calls reduced to their times."""
    log = store.create("cart/alice", create_entry())
    log.append(call_entry(log, 77))
    log.append(NoOp(5))
    log.commit()
    log.append(call_entry(log, 78))

    assert [(1, create_entry()), (2, 77), (3, NoOp(5)), (4, 78)] == list(log.skim())
    assert [(3, NoOp(5))] == list(log.skim(3, 3))


def test_a_function_is_defined_once(store: Store) -> None:
    """Equal function types have one id, different ones have two, and each id gives its type."""
    log = store.create("cart/alice", create_entry())
    same = FunctionType(LOOKUP.name, (("item", Prim.STRING),), Prim.U32)

    lookup, notify = log.define(LOOKUP), log.define(NOTIFY)

    assert lookup == log.define(same)
    assert lookup != notify
    assert (LOOKUP, NOTIFY) == (log.function(lookup), log.function(notify))


def test_whether_a_function_is_defined_can_be_asked(store: Store) -> None:
    """Nothing is defined by it; what all definitions take is known as well."""
    log = store.create("cart/alice", create_entry())
    assert (None, 0) == (log.defined(LOOKUP), log.definitions_bytes)
    lookup = log.define(LOOKUP)

    assert (lookup, None) == (log.defined(LOOKUP), log.defined(NOTIFY))
    assert len(encode_type(LOOKUP)) == log.definitions_bytes


def test_definitions_outlive_the_process_that_made_them(store: Store) -> None:
    """A log opened again has the functions that its entries refer to, under the same ids."""
    with store.create("cart/alice", create_entry()) as log:
        log.define(NOTIFY)
        lookup = log.define(LOOKUP)
        log.append(ImportedFunctionInvoked(1, lookup, b"", b"", 0))

    with store.open("cart/alice") as log:
        assert LOOKUP == log.function(lookup)
        assert lookup == log.define(LOOKUP)


def test_an_entry_with_an_unknown_function_is_refused(store: Store) -> None:
    """An entry refers to a definition of its own log, and the log is as it was if not."""
    log = store.create("cart/alice", create_entry())

    with pytest.raises(UnknownFunctionError) as raised:
        log.append(ImportedFunctionInvoked(1, 7, b"", b"", 0))
    with pytest.raises(UnknownFunctionError):
        log.function(7)

    assert 7 == raised.value.function
    assert 1 == log.last_index
    assert 2 == log.append(NoOp(1))


def test_an_entry_that_cannot_be_read_back_is_refused(store: Store) -> None:
    """A field of the wrong type is refused on append, and the log is as it was."""
    log = store.create("cart/alice", create_entry())

    with pytest.raises(MalformedEntryError) as raised:
        log.append(Log(1, 0, "", "text where bytes belong"))  # type: ignore[arg-type]

    assert "log" == raised.value.kind
    assert 1 == log.last_index


def test_a_call_can_be_appended_field_by_field(store: Store) -> None:
    """`append_call` is `append` of a host call, large payloads included."""
    log = store.create("cart/alice", create_entry())
    function = log.define(LOOKUP)

    small = log.append_call(5, function, b"request", b"response", 2)
    again = log.append_call(5, function, b"request", b"response", 2)
    large = log.append_call(6, function, bytes(70_000), b"response", 2)

    assert ImportedFunctionInvoked(5, function, b"request", b"response", 2) == log.entry(small)
    assert log.entry(small) == log.entry(again)
    entry = log.entry(large)
    assert isinstance(entry, ImportedFunctionInvoked)
    assert isinstance(entry.request, BlobRef)
    assert bytes(70_000) == log.load(entry.request)
    with pytest.raises(UnknownFunctionError):
        log.append_call(7, function + 1, b"", b"", 0)


def test_a_log_knows_about_how_large_it_is(store: Store) -> None:
    """Small entries once they are written, large payloads at once; about the same after reopening."""
    log = store.create("cart/alice", create_entry())
    function = log.define(LOOKUP)
    sizes = [log.size_bytes]
    for _ in range(1000):
        log.append_call(5, function, bytes(100), bytes(100), 2)
    log.commit()
    sizes.append(log.size_bytes)
    log.append_call(6, function, bytes(70_000), b"", 2)
    sizes.append(log.size_bytes)
    log.close()
    with store.open("cart/alice") as again:
        reopened = again.size_bytes

    assert 0 < sizes[0] < 1000
    assert 200_000 < sizes[1] < 300_000
    assert 70_000 <= sizes[2] - sizes[1] < 80_000
    assert sizes[1] <= reopened + 20_000
    assert reopened < 350_000


def test_large_payloads_lie_outside_and_come_back(store: Store) -> None:
    """A payload above 64 KiB is replaced by a reference, which `load` resolves."""
    log = store.create("cart/alice", create_entry())
    inline, outside = b"a" * (64 << 10), b"b" * ((64 << 10) + 1)
    function = log.define(LOOKUP)
    index = log.append(ImportedFunctionInvoked(1, function, inline, outside, 0))
    log.append(PendingUpdate(2, 1, outside))

    entry = log.entry(index)

    assert isinstance(entry, ImportedFunctionInvoked)
    assert inline == entry.request
    assert isinstance(entry.response, BlobRef)
    assert (inline, outside) == (log.load(entry.request), log.load(entry.response))


def test_a_missing_blob_is_reported(store: Store) -> None:
    """A reference to nothing raises with the hash that was looked for."""
    log = store.create("cart/alice", create_entry())

    with pytest.raises(MissingBlobError) as raised:
        log.load(BlobRef(bytes(32), 5))

    assert "00" * 32 == raised.value.sha256


def test_an_entry_beyond_all_bounds_is_refused(store: Store) -> None:
    """What is no payload stays in the entry, and an entry has a largest size."""
    log = store.create("cart/alice", create_entry())

    with pytest.raises(EntryTooLargeError) as raised:
        log.append(Log(1, 0, "", bytes((32 << 20) + 1)))

    assert raised.value.size_bytes > raised.value.size_bytes_max
    assert 1 == log.last_index


def test_a_large_entry_is_taken(store: Store) -> None:
    """An entry larger than a whole segment is written and read like any other."""
    log = store.create("cart/alice", create_entry())
    line = Log(1, 0, "", b"x" * 300_000)
    log.append(NoOp(1))
    log.append(line)
    log.append(NoOp(2))
    log.commit()

    assert [NoOp(1), line, NoOp(2)] == [entry for _, entry in log.read(2)]


def test_a_closed_log_is_whole_and_takes_nothing_more(store: Store) -> None:
    """`close` commits; whoever appends afterwards is told."""
    log = store.create("cart/alice", create_entry())
    log.append(NoOp(1))
    log.close()
    log.close()

    for act in (log.flush, log.commit, lambda: log.append(NoOp(2))):
        with pytest.raises(OplogPoisonedError) as raised:
            act()
        assert "closed" in raised.value.cause
    with pytest.raises(OplogPoisonedError):
        log.append_call(1, 0, b"", b"", 0)

    assert [create_entry(), NoOp(1)] == [entry for _, entry in store.reader("cart/alice").read()]


def test_an_abandoned_log_keeps_what_was_committed(store: Store) -> None:
    """`abandon` leaves the log as a kill would: committed entries stay, the others may not."""
    log = store.create("cart/alice", create_entry())
    log.append(NoOp(1))
    log.commit()
    log.append(NoOp(2))
    log.abandon()
    log.abandon()
    log.close()

    with store.open("cart/alice") as again:
        assert [create_entry(), NoOp(1)] == [entry for _, entry in again.read()]


def test_a_log_is_closed_by_with(store: Store) -> None:
    """At the end of a with statement the log is free for the next writer."""
    with store.create("cart/alice", create_entry()) as log:
        log.append(NoOp(1))

    with store.open("cart/alice") as again:
        assert 2 == again.last_index
        assert 3 == again.append(NoOp(2))


def test_a_log_has_one_writer(store: Store) -> None:
    """A log that is open for writing is neither opened again nor deleted."""
    log = store.create("cart/alice", create_entry())

    with pytest.raises(OplogInUseError):
        store.open("cart/alice")
    with pytest.raises(OplogInUseError):
        store.delete("cart/alice")

    log.close()
    store.delete("cart/alice")


def test_a_name_is_taken_once(store: Store) -> None:
    """`create` and `fork` refuse the name of a log that exists."""
    store.create("cart/alice", create_entry()).close()

    with pytest.raises(OplogExistsError):
        store.create("cart/alice", create_entry())
    with pytest.raises(OplogExistsError):
        store.fork("cart/alice", "cart/alice", 1, create_entry())


def test_what_is_not_there_is_not_found(store: Store) -> None:
    """Opening, reading, forking and deleting a log that is not there say so."""
    acts: list[Callable[[], object]] = [
        lambda: store.open("cart/nobody"),
        lambda: store.reader("cart/nobody"),
        lambda: store.delete("cart/nobody"),
        lambda: store.fork("cart/nobody", "cart/bob", 1, create_entry()),
    ]
    for act in acts:
        with pytest.raises(OplogNotFoundError):
            act()

    assert [] == list(store.list())


def test_logs_are_listed_by_name(store: Store) -> None:
    """`list` gives every log, sorted, and none that was deleted."""
    for name in ("shop/zoe", "cart/bob", "cart/alice"):
        store.create(name, create_entry()).close()
    store.delete("cart/bob")

    assert ["cart/alice", "shop/zoe"] == list(store.list())


def test_a_name_can_be_used_again_after_deletion(store: Store) -> None:
    """A deleted log leaves nothing behind that a new one of its name would show."""
    with store.create("cart/alice", create_entry()) as log:
        log.append(NoOp(1))
    store.delete("cart/alice")

    log = store.create("cart/alice", create_entry("alice the second"))

    assert [create_entry("alice the second")] == [entry for _, entry in log.read()]


def test_a_reader_follows_a_live_log(store: Store) -> None:
    """A reader sees what was committed since it was opened, each time that it reads."""
    log = store.create("cart/alice", create_entry())
    reader = store.reader("cart/alice")
    assert 1 == reader.last_index

    for number in range(2, 400):
        log.append(call_entry(log, number))
    log.commit()

    assert 399 == reader.last_index
    assert list(log.read()) == list(reader.read())
    assert list(log.skim()) == list(reader.skim())
    assert log.entry(250) == reader.entry(250)
    assert LOOKUP == reader.function(log.define(LOOKUP))
    with pytest.raises(NoSuchEntryError):
        reader.entry(400)
    with pytest.raises(NoSuchEntryError):
        reader.read(0)


def test_a_reader_follows_the_next_writer_too(store: Store) -> None:
    """A log that is closed and opened again goes on under the eyes of its readers."""
    store.create("cart/alice", create_entry()).close()
    reader = store.reader("cart/alice")
    with store.open("cart/alice") as log:
        log.append(NoOp(1))

    assert [create_entry(), NoOp(1)] == [entry for _, entry in reader.read()]


def test_a_reader_loads_payloads(store: Store) -> None:
    """A reader resolves what its log refers to, and hands on what is inline."""
    log = store.create("cart/alice", create_entry())
    log.append(PendingUpdate(1, 1, bytes(70_000)))
    log.commit()
    with store.reader("cart/alice") as reader:
        entry = reader.entry(2)

        assert isinstance(entry, PendingUpdate)
        assert entry.snapshot is not None
        assert bytes(70_000) == reader.load(entry.snapshot)
        assert b"inline" == reader.load(b"inline")


@pytest.mark.parametrize("cut", [1, 2, 128, 130, 131, 300])
def test_a_fork_shares_the_past_and_goes_its_own_way(store: Store, cut: int) -> None:
    """A fork has its own first entry, the source's entries up to the cut, and a future of its own."""
    source = store.create("cart/alice", create_entry())
    for number in range(2, 301):
        source.append(call_entry(source, number, size_bytes=800))
    source.commit()
    before = list(source.read())

    fork = store.fork("cart/alice", "cart/bob", cut, create_entry("bob"))
    assert [(1, create_entry("bob")), *before[1:cut]] == list(fork.read())
    assert (cut, cut) == (fork.last_index, fork.committed_index)

    fork.append(call_entry(fork, 1000))
    fork.close()
    source.append(NoOp(5))
    source.close()
    assert [*before, (301, NoOp(5))] == list(store.reader("cart/alice").read())
    with store.open("cart/bob") as again:
        assert call_entry(again, 1000) == again.entry(cut + 1)
        assert create_entry("bob") == again.entry(1)


@pytest.mark.parametrize("cut", [1, 150, 300])
def test_a_fork_begins_with_its_sequels(store: Store, cut: int) -> None:
    """What it has in place of the source's next entries is there from the beginning, committed."""
    source = store.create("cart/alice", create_entry())
    for number in range(2, 301):
        source.append(call_entry(source, number, size_bytes=800))
    source.commit()
    answer = partial(ImportedFunctionInvoked, 7, request=b"", response=b"f", function_type=1)
    sequels = [
        Sequel(FORK, lambda number: answer(function=number)),
        Sequel(None, lambda number: EndRemoteWrite(8, number)),
    ]

    fork = store.fork("cart/alice", "cart/bob", cut, create_entry("bob"), sequels)
    added = [answer(function=fork.define(FORK)), EndRemoteWrite(8, 0)]

    assert (cut + 2, cut + 2) == (fork.last_index, fork.committed_index)
    assert added == [entry for _, entry in fork.read(cut + 1)]
    fork.abandon()
    with store.open("cart/bob") as again:
        assert list(source.read(2, cut)) == list(again.read(2, cut))
        assert added == [entry for _, entry in again.read(cut + 1)]
        assert FORK == again.function(again.define(FORK))


@pytest.mark.parametrize("size_bytes", [8, 4096])
def test_a_sealed_log_goes_on(store: Store, size_bytes: int) -> None:
    """`seal` commits, changes nothing that can be read, and can be repeated."""
    log = store.create("cart/alice", create_entry())
    for number in range(2, 301):
        log.append(call_entry(log, number, size_bytes=size_bytes))
    before = list(log.read())

    log.seal()
    log.seal()
    assert (300, before) == (log.committed_index, list(log.read()))
    store.fork("cart/alice", "cart/bob", 299, create_entry("bob")).close()
    assert 301 == log.append(call_entry(log, 301))
    log.close()

    assert before[1:299] == list(store.reader("cart/bob").read(2))
    with store.open("cart/alice") as again:
        assert [*before, (301, call_entry(again, 301))] == list(again.read())


def test_a_closed_log_is_not_sealed(store: Store) -> None:
    """As with every other write."""
    log = store.create("cart/alice", create_entry())
    log.close()

    with pytest.raises(OplogPoisonedError):
        log.seal()


def test_a_fork_outlives_its_source(store: Store) -> None:
    """Deleting the source takes nothing from the fork, and the other way round."""
    with store.create("cart/alice", create_entry()) as source:
        for number in range(2, 301):
            source.append(call_entry(source, number, size_bytes=800))
    store.fork("cart/alice", "cart/bob", 290, create_entry("bob")).close()
    store.fork("cart/bob", "cart/carol", 280, create_entry("carol")).close()
    before = list(store.reader("cart/carol").read())

    store.delete("cart/alice")
    store.delete("cart/bob")

    assert 280 == len(before)
    assert before == list(store.reader("cart/carol").read())


@pytest.mark.parametrize("cut", [0, 3])
def test_a_fork_cannot_be_cut_outside_of_the_log(store: Store, cut: int) -> None:
    """A cut must be an index of the source; the target does not come to exist otherwise."""
    store.create("cart/alice", create_entry()).close()

    with pytest.raises(NoSuchEntryError):
        store.fork("cart/alice", "cart/bob", cut, create_entry("bob"))

    assert ["cart/alice"] == list(store.list())
    store.create("cart/bob", create_entry("bob"))


def test_a_function_known_to_one_log_is_unknown_to_its_fork(store: Store) -> None:
    """Source and fork define functions each for itself from the cut on."""
    source = store.create("cart/alice", create_entry())
    fork = store.fork("cart/alice", "cart/bob", 1, create_entry("bob"))

    lookup, notify = source.define(LOOKUP), fork.define(NOTIFY)
    source.append(ImportedFunctionInvoked(1, lookup, b"", b"", 0))
    fork.append(ImportedFunctionInvoked(1, notify, b"", b"", 0))

    assert (LOOKUP, NOTIFY) == (source.function(lookup), fork.function(notify))


def test_a_log_may_be_used_from_many_threads(store: Store) -> None:
    """Concurrent appends and commits lose nothing, repeat nothing and keep each thread's order."""
    log = store.create("cart/alice", create_entry())
    function = log.define(LOOKUP)
    threads, each = 8, 40

    def work(thread: int) -> list[int]:
        indexes = []
        for number in range(each):
            payload = bytes([thread, number])
            indexes.append(
                log.append(ExportedFunctionInvoked(1, function, payload, "", "", (), b""))
            )
            if number % 7 == 0:
                log.commit()
                assert log.committed_index >= indexes[-1]
            assert payload == log.load(getattr(log.entry(indexes[-1]), "request"))  # noqa: B009
        return indexes

    with ThreadPoolExecutor(threads) as pool:
        indexes = list(pool.map(work, range(threads)))

    assert list(range(2, threads * each + 2)) == sorted(index for some in indexes for index in some)
    for thread, some in enumerate(indexes):
        found = [log.entry(index) for index in some]
        expected = [
            ExportedFunctionInvoked(1, function, bytes([thread, number]), "", "", (), b"")
            for number in range(each)
        ]
        assert expected == found


def test_a_fork_has_its_sources_large_payloads(store: Store) -> None:
    """R18: they lie outside of both logs, by their hash."""
    outside = b"c" * ((64 << 10) + 1)
    with store.create("cart/alice", create_entry()) as log:
        log.append(PendingUpdate(2, 1, outside))
        log.commit()
    with store.fork("cart/alice", "cart/bob", 2, create_entry()) as fork:
        entry = fork.entry(2)

        assert isinstance(entry, PendingUpdate)
        assert entry.snapshot is not None
        assert outside == fork.load(entry.snapshot)


# -- entries that belong together ------------------------------------------------------------------


def test_entries_are_appended_together(store: Store) -> None:
    """In order, with their definitions, from the index that is returned."""
    log = store.create("cart/alice", create_entry())
    entries = [NoOp(1), call_entry(log, 1), NoOp(2)]

    assert 2 == log.append_together(entries)
    assert entries == [entry for _, entry in log.read(2)]
    assert 5 == log.append(NoOp(3))
    assert 6 == log.append_together([call_entry(log, 1)])
    log.close()
    with pytest.raises(OplogPoisonedError):
        log.append_together(entries)


def test_what_is_refused_together_leaves_the_log_as_it_was(store: Store) -> None:
    """One that is malformed, without a definition, or too large takes the others with it."""
    log = store.create("cart/alice", create_entry())
    large = PendingUpdate(1, 1, None, "t" * (20 << 20))
    refused: list[tuple[list[Entry], type[Exception]]] = [
        ([NoOp(1), NoOp("now")], MalformedEntryError),  # type: ignore[arg-type]
        ([NoOp(1), ImportedFunctionInvoked(1, 7, b"", b"", 0)], UnknownFunctionError),
        ([large, large], EntryTooLargeError),
    ]
    for entries, error in refused:
        with pytest.raises(error):
            log.append_together(entries)

    assert 1 == log.last_index
    assert 2 == log.append(NoOp(1))


@pytest.mark.parametrize("before", [0, 67, 68, 126])
def test_a_stop_leaves_all_of_them_or_none(before: int) -> None:
    """However full the buffer was: what does not fit goes into the next chunk whole."""
    kept = set()
    for later in range(1, 10):
        files = FaultyFiles()
        log = open_store(files, ROOT, SyncLevel.POWER).create("cart/alice", create_entry())
        for at in range(before):
            log.append(NoOp(at))
        files.crash_at(files.operations + later)
        with suppress(PowerFailureError):
            log.append_together([NoOp(at) for at in range(60)])
            log.commit()
        left = files.after_power_failure(lambda: True)
        kept.add(open_store(left, ROOT, SyncLevel.POWER).open("cart/alice").last_index)

    assert kept <= {1, 1 + before, 1 + before + 60}
    assert {1, 1 + before + 60} <= kept
