"""Plugins: every committed entry of a worker reaches its processor, once, in order, and holds up nobody."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import (
    ConflictError,
    Host,
    HostConfig,
    InvalidRequestError,
    PluginNotFoundError,
    StateDirError,
    WorkerNotFoundError,
)
from golem_host.services.deliveries import BATCH_ENTRIES_MAX
from golem_host.services.plugins import INSTALLED_MAX, Plugin
from golem_host.services.unfinished import WorkerKey
from golem_host.status import fold
from golem_host.worker.parts import Parts
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.runner import Runner
from golem_host.worker.worker import Worker
from golem_oplog.entries import Create
from golem_oplog.errors import OplogError
from golem_oplog.protocol import Oplog
from tests.support.handle_guests import handle_guest
from tests.support.hosts import QUICK, open_host
from tests.support.plugin_guests import plugin_guest
from tests.support.waiting import until

NO_RETRY = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0))
CREATE = 0
"""The case of the first entry of a log."""


@contextmanager
def hosting(state_dir: Path, config: HostConfig = QUICK) -> Iterator[Host]:
    """A host with a processor and a component that is watched."""
    with open_host(state_dir, config) as host:
        if not host.components.all():
            host.components.deploy(plugin_guest(), name="plugin")
            host.components.deploy(handle_guest(), name="watched")
        yield host


def worker_of(host: Host, name: str, component: str = "watched") -> Worker:
    return host.workers.get_or_create(host.components.get(component), name)


def processors(host: Host, plugin: Plugin) -> list[Worker]:
    return [each for each in host.workers.list("plugin") if plugin.id in each.name]


def seen(host: Host, plugin: Plugin, name: str) -> list[tuple[int, int, int]]:
    """Case, first index and length of the batches of workers of this initial, in order."""
    return [
        (case, first, count)
        for worker in processors(host, plugin)
        for letter, case, first, count in worker.invoke("batches")
        if letter == ord(name[0])
    ]


def indexes(host: Host, plugin: Plugin, name: str) -> list[int]:
    """Of all entries that were processed, in order."""
    found = seen(host, plugin, name)
    return [index for _, first, count in found for index in range(first, first + count)]


def all_of(worker: Worker) -> list[int]:
    return list(range(1, worker.metadata().oplog_index + 1))


def await_all(host: Host, plugin: Plugin, worker: Worker, before: int = 0) -> None:
    """Wait until every entry of a worker was processed, behind so many of earlier ones."""
    until(lambda: indexes(host, plugin, worker.name)[before:] == all_of(worker))


def test_every_entry_is_processed_in_order(tmp_path: Path) -> None:
    """From the first one on for a worker that is made later; of each worker by itself."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        workers = [worker_of(host, name) for name in ("a", "b")]
        for number in range(20):
            workers[number % 2].invoke("counter.new", number)
        for worker in workers:
            await_all(host, plugin, worker)
        cases = [seen(host, plugin, name)[0][:2] for name in ("a", "b")]
        made = [each.invoke("made") for each in processors(host, plugin)]

    assert [(CREATE, 1)] * 2 == cases
    assert [1] == made


def test_a_worker_that_was_there_is_seen_from_now_on(tmp_path: Path) -> None:
    """Its log says since when."""
    with hosting(tmp_path) as host:
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        first = worker.metadata().oplog_index + 1
        plugin = host.plugins.install("audit", "plugin")
        worker.invoke("counter.new", 2)
        until(lambda: indexes(host, plugin, "a") == all_of(worker)[first - 1 :])
        (entry,) = [each for each in worker.oplog(first) if each.index == first]

        assert "activate-plugin" == entry.kind
        assert plugin.id == entry.fields["plugin"]
        assert (plugin.id,) == worker.metadata().plugins


def test_what_one_host_did_not_hand_over_the_next_one_does(tmp_path: Path) -> None:
    """With no slot to run in, nothing is processed; nothing is lost."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 0)
        await_all(host, plugin, worker)
    with hosting(tmp_path, replace(QUICK, threads_max=0)) as host:
        for number in range(3):
            worker_of(host, "a").enqueue("counter.new", number)
    for _ in range(2):
        with hosting(tmp_path) as host:
            worker = worker_of(host, "a")
            worker.invoke("sum", [])
            await_all(host, plugin, worker)


def test_the_next_host_looks_for_it_by_itself(tmp_path: Path) -> None:
    """Nobody calls the worker, and nothing is written any more."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker_of(host, "a").invoke("counter.new", 0)
        await_all(host, plugin, worker_of(host, "a"))
    with hosting(tmp_path, replace(QUICK, threads_max=0)) as host:
        host.plugins.deactivate("audit", "watched", "a")
    with hosting(tmp_path) as host:
        await_all(host, plugin, worker_of(host, "a"))


def test_a_position_that_was_lost_is_found_again(tmp_path: Path) -> None:
    """As after a loss of power: the processor's own log knows what it was given."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker = worker_of(host, "a")
        for number in range(5):
            worker.invoke("counter.new", number)
            await_all(host, plugin, worker)
    with closing(sqlite3.connect(tmp_path / "host.db")) as database, database:
        database.execute("DELETE FROM plugin_position")
    with hosting(tmp_path) as host:
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        await_all(host, plugin, worker)


def test_many_entries_come_in_batches(tmp_path: Path) -> None:
    """Of a bounded size, without a gap."""
    with hosting(tmp_path) as host:
        worker = worker_of(host, "a")
        worker.invoke("many", 3 * BATCH_ENTRIES_MAX)
        plugin = host.plugins.install("audit", "plugin")
        worker.invoke("many", 3 * BATCH_ENTRIES_MAX)
        until(lambda: worker.metadata().oplog_index in indexes(host, plugin, "a"))
        found = seen(host, plugin, "a")
        first = found[0][1]

        assert all_of(worker)[first - 1 :] == indexes(host, plugin, "a")
        assert BATCH_ENTRIES_MAX == max(count for *_, count in found)


def test_a_refusal_is_no_obstacle(tmp_path: Path) -> None:
    """The processor has said that it could not: the next batch comes all the same."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin", config={"refuse": "b"})
        workers = [worker_of(host, name) for name in ("b", "a")]
        for worker in workers:
            worker.invoke("counter.new", 1)
        await_all(host, plugin, workers[1])

        assert [] == indexes(host, plugin, "b")
        assert "" == host.plugins.problem_of(plugin)


def test_a_processor_that_fails_concerns_itself_only(tmp_path: Path) -> None:
    """Watched workers go on, and so do other plugins; it goes on where it stood once it is rescued."""
    with hosting(tmp_path, NO_RETRY) as host:
        broken = host.plugins.install("broken", "plugin", config={"trap": "b"})
        sound = host.plugins.install("sound", "plugin")
        worker = worker_of(host, "b")
        for number in range(5):
            worker.invoke("counter.new", number)
        await_all(host, sound, worker)
        until(lambda: host.plugins.problem_of(broken))
        (processor,) = processors(host, broken)

        assert "failed" == processor.metadata().status
        assert "idle" == worker.metadata().status
        assert "" == host.plugins.problem_of(sound)
        processor.revert(last_invocations=1)
        assert [] == processor.invoke("batches")


def test_a_damaged_log_is_nobody_elses_matter(tmp_path: Path) -> None:
    """It is left out; the others are processed."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        for name in ("a", "b"):
            worker_of(host, name).invoke("counter.new", 1)
        for name in ("a", "b"):
            await_all(host, plugin, worker_of(host, name))
    (log,) = tmp_path.glob("workers/watched-*/a-*/0001.oplog")
    log.write_bytes(log.read_bytes()[:100] + bytes(200) + log.read_bytes()[300:])
    with hosting(tmp_path) as host:
        worker = worker_of(host, "b")
        worker.invoke("counter.new", 1)
        await_all(host, plugin, worker)

        assert "" == host.plugins.problem_of(plugin)
        with pytest.raises(OplogError):
            worker_of(host, "a").metadata()


def test_a_plugin_is_switched_for_one_worker(tmp_path: Path) -> None:
    """The entry that ends it is the last one it sees; the one that begins it anew the next."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin", scope="watched")
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        changed = [host.plugins.deactivate("audit", "watched", "a") for _ in range(2)]
        ended = worker.metadata().oplog_index
        worker.invoke("counter.new", 2)
        hidden = worker.metadata().oplog_index
        assert () == worker.metadata().plugins
        changed.append(host.plugins.activate("audit", "watched"))
        worker.invoke("counter.new", 3)
        expected = [n for n in all_of(worker) if n <= ended or n > hidden]
        until(lambda: indexes(host, plugin, "a") == expected)
        with worker._access.runner().held() as parts:
            assert fold(parts.oplog.skim).plugins == parts.status.plugins

    assert [1, 0, 1] == changed


def test_a_fork_is_a_worker_of_its_own(tmp_path: Path) -> None:
    """Its entries, those of its source among them, are processed under its name."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        fork = worker.fork("f")
        fork.invoke("counter.new", 2)
        worker.invoke("counter.new", 3)
        for each in (worker, fork):
            await_all(host, plugin, each)


def test_a_revert_is_an_entry_like_others(tmp_path: Path) -> None:
    """What it takes back was processed, and stays so."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        worker.invoke("counter.new", 2)
        worker.revert(last_invocations=1)
        worker.invoke("counter.new", 3)
        await_all(host, plugin, worker)


def test_an_update_keeps_plugins(tmp_path: Path) -> None:
    """The entry that says that it worked lists them."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        host.components.deploy(handle_guest(1), name="watched")
        worker.update(1)
        until(lambda: worker.metadata().component_version == 1)
        worker.invoke("counter.new", 1)
        await_all(host, plugin, worker)

        assert (plugin.id,) == worker.metadata().plugins


def test_a_worker_of_the_same_name_is_another_one(tmp_path: Path) -> None:
    """Deleted and made again, it is processed from its first entry on."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        before = 0
        for _ in range(2):
            worker = worker_of(host, "a")
            worker.invoke("counter.new", 1)
            await_all(host, plugin, worker, before)
            before += worker.metadata().oplog_index
            worker.delete()

        assert [1, 1] == [first for case, first, _ in seen(host, plugin, "a") if case == CREATE]


def test_an_uninstalled_plugin_sees_nothing_more(tmp_path: Path) -> None:
    """Its workers' logs say so; its own worker remains, and its name is free."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker = worker_of(host, "a")
        worker.invoke("counter.new", 1)
        await_all(host, plugin, worker)
        before = seen(host, plugin, "a")
        host.plugins.uninstall("audit")
        assert not host._get_deliveries()._lanes
        worker.invoke("counter.new", 2)
        again = host.plugins.install("audit", "plugin", scope="watched")
        worker.invoke("counter.new", 3)
        until(lambda: worker.metadata().oplog_index in indexes(host, again, "a"))

        assert before == seen(host, plugin, "a")
        assert ["deactivate-plugin", "activate-plugin"] == [
            each.kind for each in worker.oplog() if each.kind.endswith("activate-plugin")
        ]
        assert (again,) == host.plugins.list()


def test_what_cannot_be_installed_is_refused(tmp_path: Path) -> None:
    """Each with its reason; nothing is left of it."""
    with hosting(tmp_path) as host:
        host.plugins.install("audit", "plugin", scope="watched")
        host.components.deploy(plugin_guest(), name="fleeting", ephemeral=True)
        install = host.plugins.install
        for refused, arguments in (
            (ConflictError, ("audit", "plugin")),
            (InvalidRequestError, ("other", "watched")),
            (InvalidRequestError, ("other", "fleeting")),
            (InvalidRequestError, ("Other", "plugin")),
            (InvalidRequestError, ("-", "plugin")),
        ):
            with pytest.raises(refused):
                install(*arguments)
        with pytest.raises(InvalidRequestError, match="processes entries"):
            install("loop", "plugin", scope="plugin")
        with pytest.raises(InvalidRequestError, match="sees workers of watched"):
            host.plugins.activate("audit", "plugin")
        with pytest.raises(PluginNotFoundError):
            host.plugins.uninstall("other")
        with pytest.raises(WorkerNotFoundError):
            host.plugins.activate("audit", "watched", "nobody")
        for number in range(INSTALLED_MAX - 1):
            install(f"n{number}", "plugin", scope="watched")
        with pytest.raises(InvalidRequestError, match="are installed"):
            install("more", "plugin")
        assert INSTALLED_MAX == len(host.plugins.list())


def test_a_host_that_only_looks_lists_plugins(tmp_path: Path) -> None:
    """And changes nothing."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin", config={"a": "b"}, scope="watched")
    with Host.open(tmp_path, QUICK, read_only=True) as host:
        assert (plugin,) == host.plugins.list()
        assert (("a", "b"),) == plugin.config
        with pytest.raises(InvalidRequestError, match="reading only"):
            host.plugins.uninstall("audit")


def test_a_worker_that_is_put_away_just_then_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Between the two steps of reaching it; that is no fault, and holds up no other worker."""
    with hosting(tmp_path) as host:
        worker = worker_of(host, "a")
        loaded, retired = host.workers._loaded, set[str]()
        get = loaded.get

        def put_away(key: WorkerKey) -> Runner:
            found, thread = get(key), threading.current_thread().name
            if key.worker == "a" and thread not in retired:
                retired.add(thread)
                # Not at the first attempt where another thread uses it just now.
                until(lambda: loaded.retire(key) or found.is_retired)
            return found

        monkeypatch.setattr(loaded, "get", put_away)
        plugin = host.plugins.install("audit", "plugin")
        until(lambda: worker.metadata().oplog_index in indexes(host, plugin, "a"))

        assert {threading.current_thread().name, "golem-plugin-audit"} <= retired
        assert [] == [each for each in caplog.records if "plugin" in each.message]


# -- installations that something comes in between of ----------------------------------------------


class _Cut(BaseException):
    """The process ends here."""


def refuse_parts(
    host: Host, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException
) -> None:
    """From now on nobody reaches this worker."""
    on_parts = host.workers.on_parts

    def refusing(key: WorkerKey, act: Callable[[Parts], object]) -> object:
        if key.worker == name:
            raise error
        return on_parts(key, act)

    monkeypatch.setattr(host.workers, "on_parts", refusing)


def active(host: Host, *names: str) -> list[tuple[str, ...]]:
    return [worker_of(host, name).metadata().plugins for name in names]


def test_an_installation_that_was_cut_off_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next host, without being asked to; a worker it was ended for meanwhile is left alone."""
    names = ("a", "b", "c", "d")
    with hosting(tmp_path) as host:
        for name in names:
            worker_of(host, name)
        refuse_parts(host, monkeypatch, "b", _Cut())
        with pytest.raises(_Cut):
            host.plugins.install("audit", "plugin")
        assert [1, 1] == [host.plugins.deactivate("audit", "watched", each) for each in "ad"]
        plugin = host.plugins.get("audit")
        assert [(), (), (), ()] == active(host, *names)
    for _ in range(2):
        with hosting(tmp_path) as host:
            until(lambda: active(host, "b", "c") == [(plugin.id,)] * 2)
            until(lambda: not host.plugins.is_unfinished)
            assert [(), ()] == active(host, "a", "d")
    with hosting(tmp_path) as host:
        worker = worker_of(host, "b")
        worker.invoke("counter.new", 1)
        until(lambda: indexes(host, plugin, "b") == all_of(worker)[1:])
        with pytest.raises(ConflictError):
            host.plugins.install("audit", "plugin")


def test_an_installation_that_was_cut_off_may_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same one: it is finished; another one of that name is refused."""
    with hosting(tmp_path) as host:
        for name in ("a", "b"):
            worker_of(host, name)
        with monkeypatch.context() as patch:
            refuse_parts(host, patch, "a", _Cut())
            with pytest.raises(_Cut):
                host.plugins.install("audit", "plugin")
        with pytest.raises(ConflictError):
            host.plugins.install("audit", "plugin", scope="watched")
        plugin = host.plugins.install("audit", "plugin")

        assert [(plugin.id,)] * 2 == active(host, "a", "b")
        assert (plugin,) == host.plugins.list()
        assert not host.plugins.is_unfinished


def test_a_worker_that_cannot_be_written_is_left_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are told; `states` says which was left, until its next commit."""
    with hosting(tmp_path) as host:
        for name in ("a", "b"):
            worker_of(host, name)
        with monkeypatch.context() as patch:
            refuse_parts(host, patch, "a", StateDirError(path="a", reason="no room"))
            plugin = host.plugins.install("audit", "plugin")
        (state,) = host.plugins.states()
        assert [(), (plugin.id,)] == active(host, "a", "b")
        assert "watched/a" in state.problem
        assert "no room" in state.problem
        host.workers.retire(WorkerKey("watched", "a"))
        worker_of(host, "a").invoke("counter.new", 1)
        until(lambda: active(host, "a") == [(plugin.id,)])
        until(lambda: not host.plugins.is_unfinished)

        assert [""] == [each.problem for each in host.plugins.states()]


def test_a_worker_that_is_left_may_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody waits for it any more."""
    with hosting(tmp_path) as host:
        worker = worker_of(host, "a")
        with monkeypatch.context() as patch:
            refuse_parts(host, patch, "a", StateDirError(path="a", reason="no room"))
            host.plugins.install("audit", "plugin")
        assert host.plugins.is_unfinished
        worker.delete()

        assert not host.plugins.is_unfinished


def test_a_worker_that_is_made_during_an_installation_has_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever is first: nothing comes in between of what it begins with and its being there."""
    with hosting(tmp_path) as host, ThreadPoolExecutor() as pool:
        plugins, installing = host.plugins, list[Future[Plugin]]()
        create = host.workers._store.create

        def late(key: str, entry: Create) -> Oplog:
            installing.append(pool.submit(plugins.install, "audit", "plugin"))
            # Where nothing keeps it from being installed just now, it is.
            wait(installing, timeout=0.5)
            return create(key, entry)

        monkeypatch.setattr(host.workers._store, "create", late)
        worker = host.workers.create(host.components.get("watched"), "a")
        plugin = installing[0].result(20)

        assert (plugin.id,) == worker.metadata().plugins


def test_a_state_directory_without_marks_opens(tmp_path: Path) -> None:
    """As an earlier version has left it: what it has installed is taken for finished."""
    with hosting(tmp_path) as host:
        plugin = host.plugins.install("audit", "plugin")
        worker_of(host, "a")
    with closing(sqlite3.connect(tmp_path / "host.db")) as database, database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute("DROP TABLE plugin_activating")
        database.execute(f"PRAGMA user_version = {version - 1}")
    with Host.open(tmp_path, QUICK, read_only=True) as host:
        assert (plugin,) == host.plugins.list()
        assert [""] == [each.problem for each in host.plugins.states()]
    with hosting(tmp_path) as host:
        assert not host.plugins.is_unfinished
        assert [(plugin.id,)] == active(host, "a")
