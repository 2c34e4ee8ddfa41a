"""``golem:api/oplog`` through the real boundary: guests that read logs, live and replayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from golem_host import Host, HostError, Worker, WorkerNotFoundError
from golem_host.services.peers import WorkerRef
from golem_host.system import SystemClock, SystemRandom
from golem_oplog.entries import KINDS, ImportedFunctionInvoked, Log
from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.log_guest import COMPONENT, TIMEOUT_S, config, id_of, log_guest
from tests.support.oplog_samples import samples
from tests.support.oplogs import log_entry
from tests.support.repository import ROOT

_KEYS = count()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state", config()) as opened:
        opened.components.deploy(log_guest(), name=COMPONENT)
        yield opened


def worker(host: Host, name: str) -> Worker:
    return host.workers.get_or_create(host.components.get(COMPONENT), name)


def ask(of: Worker, function: str, *args: Any) -> Any:
    """Under a key of its own, also in another host with the same random numbers."""
    key = f"{of.name}-{next(_KEYS)}"
    return of.invoke(function, *args, idempotency_key=key, timeout=TIMEOUT_S)


def test_a_guest_is_given_entries_of_every_kind(host: Host) -> None:
    """Lowered into the guest and lifted from it again."""
    alice, bob = worker(host, "alice"), worker(host, "bob")
    log = bob._access.runner().parts.oplog
    expected = []
    for entry, shown in samples(log, WorkerRef(bob.component.id, "bob")):
        log.append(entry)
        expected.append(shown)
    log.commit()
    ask(alice, "open", id_of(bob), 1)
    created, *rest = ask(alice, "next")
    ask(alice, "seek", id_of(bob), "NOT kind:/^create$/")
    found = ask(alice, "find")

    assert expected == rest
    assert list(enumerate(expected, 2)) == found
    assert ("create", id_of(bob)) == (created.case, created.value["worker-id"])
    assert {kind.name for kind in KINDS} == {each.case for each in (created, *rest)}
    host.workers.get(COMPONENT, "bob").delete()
    # A replay needs nobody: only what is asked for now is not there any more.
    with pytest.raises(WorkerNotFoundError, match="bob"):
        ask(alice, "next")


def test_a_guest_reads_on_after_a_replay(host: Host, tmp_path: Path) -> None:
    """Each call replays those before it; the host that goes on is another one."""
    alice, bob = worker(host, "alice"), worker(host, "bob")
    log = bob._access.runner().parts.oplog
    for number in range(220):
        log.append(log_entry(number))
    log.commit()
    ask(alice, "open", id_of(bob), 1)
    first = ask(alice, "next")
    host.close()
    with open_host(tmp_path / "state", config()) as again:
        alice = worker(again, "alice")
        pages = [first, *(ask(alice, "next") for _ in range(3))]

    assert [100, 100, 21, None] == [page and len(page) for page in pages]
    assert [f"line {number}" for number in range(220)] == [
        each.value["message"].strip() for page in pages[:3] for each in page if each.case == "log"
    ]


def test_a_guest_reads_its_own_log(host: Host, tmp_path: Path) -> None:
    """All of it, what the reading itself leaves there too, and again when it is replayed."""
    alice = worker(host, "alice")
    counts = [ask(alice, "count", id_of(alice))]
    ask(alice, "open", id_of(alice), 5)
    assert ["exported-function-completed"] * 2 == [
        each.case for each in ask(alice, "next") if each.case.startswith("exported-function-c")
    ]
    counts += [ask(alice, "count", id_of(alice)) for _ in range(2)]
    host.close()
    with open_host(tmp_path / "state", config()) as again:
        alice = worker(again, "alice")
        counts.append(ask(alice, "count", id_of(alice)))
        log = alice._access.runner().parts.oplog
        calls = [
            log.function(entry.function).name
            for _, entry in log.read()
            if isinstance(entry, ImportedFunctionInvoked)
        ]

    # Up to and with its own beginning.  Each count leaves a page, the time where the page is odd,
    # the end of the reading and its own; open and next leave five in sum.
    assert [2, 11, 16, 20] == counts
    assert {"golem::api::oplog::get_next", "monotonic_clock::now"} == set(calls)


def test_what_a_crash_could_take_from_another_is_not_read(host: Host) -> None:
    """Alice would know what bob has never done; once it is committed it is there."""
    alice, bob = worker(host, "alice"), worker(host, "bob")
    log = bob._access.runner().parts.oplog
    log.append(log_entry(1))
    before = ask(alice, "count", id_of(bob))
    log.commit()

    assert [1, 2] == [before, ask(alice, "count", id_of(bob))]


def test_a_fork_replays_what_its_source_has_read(host: Host) -> None:
    """Of a log that is gone and of one that goes on without it."""
    alice, bob = worker(host, "alice"), worker(host, "bob")
    counts = [ask(alice, "count", id_of(alice)), ask(alice, "count", id_of(bob))]
    ask(alice, "open", id_of(bob), 1)
    carol = alice.fork("carol")
    bob.delete()
    kept = carol.metadata().oplog_index

    assert [2, 1] == counts
    assert kept + 1 == ask(carol, "count", id_of(carol))
    with pytest.raises(WorkerNotFoundError, match="bob"):
        ask(carol, "next")


def test_a_reader_goes_on_behind_what_others_do(host: Host) -> None:
    """Bob works between the pages: what he did comes in the next reading."""
    alice, bob = worker(host, "alice"), worker(host, "bob")
    ask(bob, "count", id_of(bob))
    ask(alice, "open", id_of(bob), 2)
    seen = [each.case for each in ask(alice, "next")]
    ask(bob, "count", id_of(alice))
    ended = ask(alice, "next")
    more = [each.case for each in ask(alice, "next")]

    assert ["exported-function-invoked", "exported-function-completed"] == [seen[0], seen[-1]]
    assert ended is None
    assert ["exported-function-invoked", "exported-function-completed"] == [more[0], more[-1]]


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ((("open", "nobody", 1), ("next",)), "no worker reader/nobody"),
        ((("seek", "alice", "a AND"), ("find",)), "at position 5: expected a word"),
        ((("seek", "alice", "/(a/"), ("find",)), "expected '\\)'"),
    ],
)
def test_what_cannot_be_read_is_a_trap_of_the_page(
    host: Host, calls: tuple[tuple[Any, ...], ...], message: str
) -> None:
    """Nothing fails before; the caller is told why."""
    alice = worker(host, "alice")
    opened, paged = calls
    ask(alice, opened[0], id_of(alice) | {"worker-name": opened[1]}, *opened[2:])

    with pytest.raises(HostError, match=message):
        ask(alice, *paged)


def test_a_hostile_query_is_answered(host: Host) -> None:
    """Patterns that would keep a backtracking matcher busy for ever find what there is."""
    alice, bob = worker(host, "alice"), worker(host, "bob")
    log = bob._access.runner().parts.oplog
    log.append(Log(1, 0, "", b"a" * 30_000))
    log.commit()
    ask(alice, "seek", id_of(bob), "/(a+)+$/ NOT /(a|aa)+b/")

    assert [2] == [index for index, _ in ask(alice, "find")]


# -- a guest that a toolchain has made ---------------------------------------------------------------


@pytest.mark.long
def test_a_python_guest_prints_logs(tmp_path: Path) -> None:
    """By the bindings of componentize-py: another's log, and its own while it prints it."""
    config_ = replace(config(), clock=SystemClock(), random=SystemRandom())
    wasm = python_guest(ROOT / "tests/support/log_printer")
    with open_host(tmp_path / "state", config_) as host:
        printers = host.components.deploy(wasm, name="printers")
        alice, bob = (host.workers.create(printers, name) for name in ("alice", "bob"))
        bits = UUID(printers.id).int
        component_id = (bits >> 64, bits & ((1 << 64) - 1))
        assert ["you", "you"] == bob.invoke("greet", "you", 2)
        count = alice.invoke("print-log", *component_id, "bob")
        found = alice.invoke("find", *component_id, "bob", "level:stdout /^hello/")
        own = alice.invoke("print-log", *component_id, "alice")
        after = alice.metadata().oplog_index
        lines = b"".join(each.data for each in alice.output()).decode().splitlines()

    assert "Create bob version 0" == lines[0]
    assert "ExportedFunctionInvoked test:log-printer/api.{greet} [\"'you'\", '2']" in lines[:count]
    assert "Log STDOUT hello you" in lines[:count]
    assert "ExportedFunctionCompleted ['you', 'you']" == lines[count - 1]
    assert 1 == len(found)
    # What it prints of its own log is an entry, too: it prints those that there were.
    assert count + own == len(lines)
    assert own < after
