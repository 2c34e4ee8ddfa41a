"""
What a caller asks of `tests.support.host_api_guest`, in scripts that can be played again.

A script that is played a second time, on what a kill has left, asks for everything once more under
the same keys: what is done is answered, what was under way is waited for, and the rest is done.
Clock and random numbers are given, so that all runs of one script end alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from golem_host import Host, HostConfig, HostError, PromiseId, Worker
from golem_host.worker.retry import RetryPolicy
from golem_oplog.entries import (
    HINT_CLASSES,
    Entry,
    FailedUpdate,
    PendingUpdate,
    Revert,
    SuccessfulUpdate,
)
from golem_oplog.protocol import Oplog, SyncLevel
from golem_oplog.regions import Regions
from golem_oplog.values import Variant
from tests.support.host_api import uuid_value
from tests.support.host_api_guest import host_api_guest
from tests.support.hosts import open_host
from tests.support.waiting import PATIENCE_S, until
from tests.support.world import FrozenClock, ScriptedRandom

COMPONENT: Final = "api"
WORKERS: Final = ("alice", "bob", "carol")
TEN_FOLD: Final = 10
"""What every call counts for in version 1."""

_EFFECTS: Final = (Revert, PendingUpdate, SuccessfulUpdate, FailedUpdate)
"""Entries that are written once, however often their effect was asked for."""


def config() -> HostConfig:
    """Nothing keeps an instance without need, and nothing depends on the time or on chance."""
    return HostConfig(
        sync_level=SyncLevel.PROCESS,
        idle_after_s=0,
        clock=FrozenClock(),
        random=ScriptedRandom(),
        retry_policy=RetryPolicy(max_attempts=0),
        control_socket=False,
        threads_max=2,
    )


def set_up(state_dir: Path) -> None:
    """Two versions of the guest, and its workers, which have done a little."""
    with open_host(state_dir, config()) as host:
        component = host.components.deploy(host_api_guest(), name=COMPONENT)
        for name in WORKERS:
            worker = host.workers.create(component, name, args=["x"], env={"USER": name})
            for number in range(3):
                worker.invoke("generate-idempotency-key", idempotency_key=f"before{number}")
        host.components.deploy(host_api_guest(TEN_FOLD), name=COMPONENT)


class Play:
    """One playing of a script: each call has its place in the script for a key."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._calls = 0
        self.component_id = {"uuid": uuid_value(host.components.get(COMPONENT).id)}

    def __call__(self, function: str, *args: Any, worker: str = "alice") -> Any:
        """The result of an invocation, or the text of its error."""
        key = self.next_key()
        try:
            return self.worker(worker).invoke(
                function, *args, idempotency_key=key, timeout=PATIENCE_S
            )
        except HostError as error:
            # Whoever asks again is told the same, in an `InvocationFailedError`.
            return getattr(error, "error", str(error))

    def next_key(self) -> str:
        self._calls += 1
        return f"k{self._calls}"

    def worker(self, name: str) -> Worker:
        return self.host.workers.get(COMPONENT, name)

    def id(self, name: str) -> dict[str, Any]:
        return {"component-id": self.component_id, "worker-name": name}

    def waits_for(self, promise: Any) -> Callable[[], Any]:
        """Alice waits for a promise without an instance, unless it is completed."""
        alice = self.worker("alice")
        key = self.next_key()
        call = alice.enqueue("await-promise", promise, idempotency_key=key)
        until(lambda: call.done or alice.metadata().status == "suspended")
        return lambda: call.result(PATIENCE_S)

    def result_in(self, worker: str, key: str) -> Any:
        """What a worker says under a key that it did not choose: a fork has that of its source."""
        call = self.worker(worker).call(key)
        assert call is not None
        return call.result(PATIENCE_S)


def promises(play: Play) -> list[Any]:
    promise = play("create-promise")
    return [
        promise,
        play("poll-promise", promise),
        play("complete-promise", promise, b"one"),
        play("complete-promise", promise, b"two"),
        play("await-promise", promise),
        play("delete-promise", promise),
        play("delete-promise", promise),
        play("poll-promise", promise),
    ]


def waiting(play: Play) -> list[Any]:
    """Once the host completes the promise, once another worker."""
    # Both before the first wait: a promise is called by its index, and who asks again for a call
    # that waits may find the worker suspended once more, by an entry that counts for nothing else.
    first, second = play("create-promise"), play("create-promise")
    found = play.waits_for(first)
    play.host.promises.complete(_promise(play, first), b"by the host")
    seen = [found()]
    found = play.waits_for(second)
    return [*seen, play("complete-promise", second, b"by bob", worker="bob"), found()]


def _promise(play: Play, found: Any) -> PromiseId:
    return PromiseId(play.host.components.get(COMPONENT).id, "alice", found["oplog-idx"])


def position(play: Play) -> list[Any]:
    first, second = play("create-promise"), play("create-promise")
    return [
        play("get-oplog-index"),
        play("oplog-commit", 3),
        play("region", first, b"in it"),
        play("travel", second, b"four"),
        play("poll-promise", first),
    ]


POLICY: Final = {
    "max-attempts": 5,
    "min-delay": 1,
    "max-delay": (1 << 64) - 1,
    "multiplier": 1.5,
    "max-jitter-factor": 0.25,
}


def settings(play: Play) -> list[Any]:
    return [
        play("set-retry-policy", POLICY),
        play("set-oplog-persistence-level", Variant("persist-remote-side-effects")),
        play("set-idempotence-mode", False),
        play("get-retry-policy"),
        play("get-oplog-persistence-level"),
        play("get-idempotence-mode"),
        play("set-idempotence-mode", True),
        play("generate-idempotency-key"),
        play("generate-idempotency-key"),
    ]


def identity(play: Play) -> list[Any]:
    wanted = {"filters": [{"filters": [Variant("name", {"comparator": "like", "value": "o"})]}]}
    return [
        play("get-self-metadata"),
        play("get-worker-metadata", play.id("bob")),
        play("get-worker-metadata", play.id("nobody")),
        play("resolve-component-id", COMPONENT),
        play("resolve-component-id", "unknown"),
        play("resolve-worker-id", COMPONENT, "nobody"),
        play("resolve-worker-id-strict", COMPONENT, "bob"),
        play("resolve-worker-id-strict", COMPONENT, "nobody"),
        play("search", play.component_id, wanted, True),
    ]


def fork(play: Play) -> list[Any]:
    return [
        play("fork", "copy"),
        play.result_in("copy", "k1"),
        play("generate-idempotency-key"),
        play("generate-idempotency-key", worker="copy"),
    ]


def fork_worker(play: Play) -> list[Any]:
    # Of three calls with three entries each the copy has two.
    return [
        play("fork-worker", play.id("bob"), play.id("copy"), 7),
        play("count", worker="copy"),
        play("count", worker="bob"),
    ]


def revert(play: Play) -> list[Any]:
    return [
        play("revert-worker", play.id("bob"), Variant("revert-last-invocations", 1)),
        play("revert-worker", play.id("carol"), Variant("revert-to-oplog-index", 4)),
        play("count", worker="bob"),
        play("count", worker="carol"),
    ]


def update(play: Play) -> list[Any]:
    return [
        play("update-worker", play.id("bob"), 1, "automatic"),
        play("update-worker", play.id("carol"), 1, "snapshot-based"),
        play("update-worker", play.id("alice"), 1, "automatic"),
        *(play("count", worker=name) for name in WORKERS),
    ]


def fails_at_once(play: Play) -> list[Any]:
    """A remote write with idempotence off: one whose outcome is unknown is not repeated."""
    promise = play("create-promise")
    return [
        promise,
        play("set-idempotence-mode", False),
        play("complete-promise", promise, b"one"),
    ]


Script: TypeAlias = Callable[[Play], list[Any]]
SCRIPTS: Final[dict[str, Script]] = {
    each.__name__: each
    for each in (
        promises,
        waiting,
        position,
        settings,
        identity,
        fork,
        fork_worker,
        revert,
        update,
    )
}


def play_to_the_end(host: Host, script: Script) -> tuple[list[Any], dict[str, Any]]:
    """What a script was answered, and what there is when everything has come to rest."""
    answers = script(Play(host))
    until(lambda: not host.workers._shared.unfinished.all())
    found: dict[str, Any] = {
        worker.name: (worker.metadata().status, worker.metadata().component_version, *_log(worker))
        for worker in host.workers.list()
    }
    made = [(str(each.id), host.promises.get(each.id)) for each in host.promises.list()]
    return answers, found | {"promises": made}


def _log(worker: Worker) -> tuple[list[tuple[object, ...]], dict[str, int]]:
    """What still counts in a log, and how often its worker was operated on."""
    oplog = worker._access.runner().parts.oplog
    skipped = Regions(oplog.read()).skipped
    live = [
        tuple(_said(oplog, entry))
        for index, entry in oplog.read()
        if index not in skipped and type(entry) not in HINT_CLASSES
    ]
    effects = Counter(type(e).__name__ for _, e in oplog.read() if isinstance(e, _EFFECTS))
    return live, dict(effects)


def _said(oplog: Oplog, entry: Entry) -> Iterator[object]:
    """An entry but for what a jump before it moves: indexes, and the numbers of functions."""
    yield type(entry).__name__
    for name, value in entry._asdict().items():
        if name == "function":
            yield oplog.function(value)
        elif name not in {"begin_index", "region_end", "region_start"}:
            yield value
