"""Short logs to be replayed, and the replays of them."""

from __future__ import annotations

from collections.abc import Callable

from golem_host.replay import Perform, Replay
from golem_oplog.entries import (
    ChangePersistenceLevel,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FunctionKind,
    ImportedFunctionInvoked,
    Log,
    LogLevel,
    PersistenceLevel,
)
from golem_oplog.regions import Region, RegionSet

T = 0
INVOKED = ExportedFunctionInvoked(T, 90, b"args", "k")
COMPLETED = ExportedFunctionCompleted(T, b"result")
NOTHING = ChangePersistenceLevel(T, PersistenceLevel.PERSIST_NOTHING)
SMART = ChangePersistenceLevel(T, PersistenceLevel.SMART)


def never_same(_recorded: int, _ours: int) -> bool:
    return False


def call(
    function: int, response: bytes | None = b"r", error: str | None = None
) -> ImportedFunctionInvoked:
    kind = FunctionKind.READ_LOCAL
    return ImportedFunctionInvoked(T, function, b"request", response, kind, None, error)


def said(text: str, timestamp: int = T) -> Log:
    return Log(timestamp, LogLevel.STDOUT, "", text.encode())


def replay_of(
    *entries: Entry,
    dead: tuple[Region, ...] = (),
    open_begins: tuple[int, ...] = (),
    compare_from: int = 0,
    same_function: Callable[[int, int], bool] = never_same,
) -> Replay:
    """A replay of a log whose entries after `Create` are these, the first of them at index 2."""
    return Replay(
        enumerate(entries, start=2),
        regions=RegionSet.of(dead),
        target=1 + len(entries),
        open_begins=frozenset(open_begins),
        same_function=same_function,
        compare_from=compare_from,
    )


def running(
    *entries: Entry, dead: tuple[Region, ...] = (), open_begins: tuple[int, ...] = ()
) -> Replay:
    """The same, inside of the invocation at index 2: the entries begin at index 3."""
    replay = replay_of(INVOKED, *entries, dead=dead, open_begins=open_begins)
    assert replay.invocation() is not None
    return replay


def imported(
    replay: Replay, function: int = 7, request: bytes = b"request"
) -> ImportedFunctionInvoked | Perform:
    return replay.imported(function, "test::seven", request)
