"""
Whatever a guest asks for and wherever its host dies, the log decides alike.

Invariants, for arbitrary scripts and a crash after any entry of the log, several times over:

- the guest gets the same answers as without a crash;
- only calls are performed whose entry was lost, or that lie in a region or batched write which the
  crash left open; with idempotence off, a write that may have happened is never performed again;
- the log ends up with the same entries, apart from hints, jumps and what jumps declare dead;
- a log that is complete is replayed without a trace.
"""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.replay import AtMostOnceViolated
from golem_host.status import fold
from golem_oplog.entries import (
    HINT_CLASSES,
    BeginAtomicRegion,
    BeginRemoteWrite,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Jump,
    NoOp,
)
from golem_oplog.memory import MemoryOplog
from tests.support.contexts import crashed, entries_of, new_log
from tests.support.scripts import Life, Script, at_most_once_scripts, scripts, talkative_scripts

CRASHES_MAX = 3


def valid(oplog: MemoryOplog) -> list[tuple[int, Entry]]:
    """What a replay of the log would ask the guest for."""
    skipped = fold(oplog.skim).skipped
    return [
        (index, entry)
        for index, entry in oplog.read(2)
        if index not in skipped and type(entry) not in HINT_CLASSES and not isinstance(entry, Jump)
    ]


def site_of(call: ImportedFunctionInvoked) -> int:
    assert isinstance(call.request, bytes)
    (site,) = msgpack.unpackb(call.request)
    return int(site)


def answers_in(oplog: MemoryOplog) -> list[int]:
    calls = [entry for _, entry in valid(oplog) if isinstance(entry, ImportedFunctionInvoked)]
    return [msgpack.unpackb(call.response) for call in calls]


def marks_in(oplog: MemoryOplog) -> list[int]:
    return [index for index, entry in valid(oplog) if isinstance(entry, NoOp | BeginAtomicRegion)]


def story(oplog: MemoryOplog) -> list[tuple[Any, ...]]:
    """The valid entries, without what depends on where they lie and in which life they were made."""
    places = {index: place for place, (index, _) in enumerate(valid(oplog))}
    told: list[tuple[Any, ...]] = []
    for _, entry in valid(oplog):
        match entry:
            case ImportedFunctionInvoked(function=function, begin_index=begin):
                name = oplog.function(function).name
                told.append((name, site_of(entry), entry.function_type, places.get(begin or 0)))
            case EndAtomicRegion(begin_index=begin) | EndRemoteWrite(begin_index=begin):
                told.append((type(entry), places[begin]))
            case ExportedFunctionInvoked(request=request, idempotency_key=key):
                told.append((type(entry), request, key))
            case _:
                told.append((type(entry), *entry))
    return told


def sites_kept(oplog: MemoryOplog) -> set[int]:
    """Sites whose answer survives: in no region or write that was begun and not ended."""
    entries = valid(oplog)
    begun = {i for i, e in entries if isinstance(e, BeginAtomicRegion | BeginRemoteWrite)}
    ended = {e.begin_index for _, e in entries if isinstance(e, EndAtomicRegion | EndRemoteWrite)}
    first_open = min(begun - ended, default=oplog.last_index + 1)
    return {
        site_of(entry)
        for index, entry in entries
        if isinstance(entry, ImportedFunctionInvoked) and index < first_open
    }


def in_doubt(oplog: MemoryOplog, first: Life) -> int | None:
    """The begin of a write that may have happened and must not happen twice."""
    status = fold(oplog.skim)
    begin = min(status.open_begins, default=None)
    if begin is None or status.open_begins[begin] is not BeginRemoteWrite:
        return None
    (site, *_) = [site for site in first.performed if site not in sites_kept(oplog)]
    return begin if site in first.calls.at_most_once else None


@given(script=scripts(), data=st.data())
def test_a_crash_after_any_entry_loses_no_answer(script: Script, data: st.DataObject) -> None:
    """All invariants above, over up to three crashes."""
    oplog = new_log()
    first = Life(script, oplog).live()
    told = story(oplog)
    for number in range(1, 1 + data.draw(st.integers(1, CRASHES_MAX), label="crashes")):
        oplog = crashed(oplog, data.draw(st.integers(1, oplog.last_index), label="survived"))
        lost = [site for site in first.performed if site not in sites_kept(oplog)]
        begin = in_doubt(oplog, first)
        life = Life(script, oplog, drift=number)
        if data.draw(st.booleans(), label="a request comes in"):
            life.accept(f"other{number}")
        if begin is not None:
            refuses_to_repeat(life, begin)
            return
        life.live()

        assert lost == life.performed
        assert answers_in(oplog) == life.answers
        assert [answer // 10 for answer in first.answers] == [a // 10 for a in life.answers]
        assert marks_in(oplog) == life.marks
        assert told == story(oplog)


def refuses_to_repeat(life: Life, begin: int) -> None:
    with pytest.raises(AtMostOnceViolated) as caught:
        life.live()

    assert begin == caught.value.begin_index
    assert [] == life.performed


@given(script=at_most_once_scripts(), data=st.data())
def test_without_idempotence_no_write_happens_twice(script: Script, data: st.DataObject) -> None:
    """Killed between begin and end the worker fails; killed elsewhere it goes on."""
    oplog = new_log()
    first = Life(script, oplog).live()
    oplog = crashed(oplog, data.draw(st.integers(1, oplog.last_index), label="survived"))
    begin = in_doubt(oplog, first)
    life = Life(script, oplog)
    if begin is not None:
        refuses_to_repeat(life, begin)
    else:
        life.live()

        assert first.performed == sorted(sites_kept(oplog))


@given(script=talkative_scripts(), data=st.data())
def test_without_brackets_the_very_same_log_results(script: Script, data: st.DataObject) -> None:
    """Output included: each piece is recorded once, in its place, however many are alike."""
    oplog = new_log()
    Life(script, oplog).live()
    survived = crashed(oplog, data.draw(st.integers(1, oplog.last_index), label="survived"))
    Life(script, survived).live()

    assert entries_of(oplog) == entries_of(survived)


@given(scripts())
def test_a_complete_log_is_replayed_without_a_trace(script: Script) -> None:
    """Nothing is appended and nothing performed, and the guest cannot tell the difference."""
    oplog = new_log()
    first = Life(script, oplog).live()
    whole = entries_of(oplog)
    again = Life(script, oplog, drift=1).live()

    assert whole == entries_of(oplog)
    assert [] == again.performed
    assert (first.answers, first.marks) == (again.answers, again.marks)
