"""What has been acknowledged, worker by worker, and what has to be true of each at any rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any, Final

from golem_host.errors import HostError
from golem_host.services.promises import PromiseId
from golem_host.services.unfinished import WorkerKey
from golem_host.status import FAILED, Status, fold
from golem_host.worker.request import Call
from golem_oplog.cbor import decode_value
from golem_oplog.entries import (
    CancelPendingInvocation,
    Entry,
    Error,
    ErrorKind,
    ExportedFunctionInvoked,
    PendingWorkerInvocation,
    Revert,
)
from tests.support.contexts import CREATE
from tests.support.model.guest import Memory, Script, tokens
from tests.support.model.house import AT_MOST_ONCE, EXISTS, NAME, OVER, House
from tests.support.model.replays import replay
from tests.support.model.views import LogView
from tests.support.model.world import FLAKY

_FOLLOWED_LATE: Final = {"last_index", "last_timestamp"}
"""What a status does not follow call by call."""
_MAY_FAIL: Final = (FLAKY, AT_MOST_ONCE, OVER)
_MAY_BE_REFUSED: Final = {"revert", "update"}


@dataclass
class Account:
    """One worker's."""

    accepted: dict[str, int] = field(default_factory=dict)
    """Keys of calls that will be made whatever happens, with the index of the entry."""
    results: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """What a caller was given, with the index of the entry that says so."""
    canceled: set[str] = field(default_factory=set)
    committed: list[Entry] = field(default_factory=list)
    """What must still be there after the last stop."""
    reverts: int = 0
    """How many are known."""

    def copy(self, cut: int) -> Account:
        accepted = {key: index for key, index in self.accepted.items() if index <= cut}
        results = {key: found for key, found in self.results.items() if found[0] <= cut}
        return Account(accepted, results, set(self.canceled))

    def forget(self, revert: Revert) -> None:
        gone = range(revert.start, revert.end + 1)
        self.accepted = {k: i for k, i in self.accepted.items() if i not in gone}
        self.results = {k: found for k, found in self.results.items() if found[0] not in gone}


class Books:
    """Of all workers, through all lives of the host."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        """By idempotency key; none is used for two invocations."""
        self.accounts: dict[str, Account] = {}
        self._calls: list[tuple[str, Call]] = []
        """Those whose callers wait in this life of the host."""

    # -- acknowledgements -------------------------------------------------------------------------

    def call(self, name: str, call: Call) -> None:
        self._calls.append((name, call))

    def accept(self, house: House, name: str, key: str) -> None:
        found = [
            i for i, e in house.view(name).of(PendingWorkerInvocation) if e.idempotency_key == key
        ]
        self.accounts[name].accepted[key] = found[-1]

    def at_stop(self, house: House) -> None:
        """The computer stops now: what has been said or committed until then counts."""
        # No worker is loaded for this: it may be just about to be.
        views = {name: house.machine.views.get(house.directory(name)) for name in self.accounts}
        for name, call in self._calls:
            view = views[name]
            if view is None or len(view.of(Revert)) > self.accounts[name].reverts:
                continue
            if call._request.done:
                with suppress(HostError):
                    self._note(view, name, call.key, call._request.result(0))
        self._calls.clear()
        for name, view in views.items():
            if view is not None:
                self.accounts[name].committed = view.entries()[: view.log.committed_index]
        house.around.world.is_dead = True

    def _note(self, view: LogView, name: str, key: str, value: Any) -> None:
        known = self.accounts[name].results.get(key)
        if known is None:
            done = [i for i, k, _ in view.completions() if k == key]
            if done:
                self.accounts[name].results[key] = done[-1], value
        else:
            assert known[1] == value, f"{name} gave {key} another result"

    # -- at rest ----------------------------------------------------------------------------------

    def check(self, house: House) -> None:
        _nothing_was_wrong(house)
        names = house.names()
        assert set(self.accounts) <= set(names), "a worker is lost"
        for name in names:
            view = house.view(name)
            account = self.accounts.setdefault(name, Account())
            assert view.entries()[: len(account.committed)] == account.committed
            self._follow_reverts(account, view)
            status = house.workers.runner(WorkerKey(NAME, name)).parts.status
            _equals_a_fresh_fold(status, view)
            _tokens_are_used_once(view)
            self._is_kept(house, name, account, status)
            self._failed_with_reason(house, name, status)
            self._remembers(house, name)

    def _follow_reverts(self, account: Account, view: LogView) -> None:
        reverts = [entry for _, entry in view.of(Revert)]
        for revert in reverts[account.reverts :]:
            account.forget(revert)
        account.reverts = len(reverts)

    def _is_kept(self, house: House, name: str, account: Account, status: Status) -> None:
        for key in [each for each in self.scripts if each in status.results]:
            # Whoever waited knows now; a revert may let it be done again later.
            self._calls = [each for each in self._calls if (each[0], each[1].key) != (name, key)]
            call = house.worker(name).call(key)
            assert call is not None
            with suppress(HostError):
                self._note(house.view(name), name, key, call.result(0))
        for key in account.results:
            assert key in status.results, f"{name} has lost the result of {key}"
        for key, index in account.accepted.items():
            if key in status.pending or key in status.results:
                continue
            if status.running is not None and status.running.key == key:
                continue
            assert self._was_canceled(house.view(name), key, index, account), f"{key} is lost"

    def _was_canceled(self, view: LogView, key: str, index: int, account: Account) -> bool:
        """By a caller, or because the worker is over."""
        # A jump takes no cancellation back, only a revert does.
        reverted = view.reverted()
        if not any(
            e.idempotency_key == key and i > index and i not in reverted
            for i, e in view.of(CancelPendingInvocation)
        ):
            return False
        return key in account.canceled or any(
            e.retry_at is None and e.kind != ErrorKind.INVALID_REQUEST for _, e in view.of(Error)
        )

    def _failed_with_reason(self, house: House, name: str, status: Status) -> None:
        view = house.view(name)
        if status.status == FAILED:
            reasons = [*_MAY_FAIL]
            if len(list(_family(house, name))) > 1 or view.of(Revert):
                # It forks again as its past self did.
                reasons.append(EXISTS)
            assert status.error is not None
            assert any(reason in status.error.message for reason in reasons), status.error
        for index, error in view.of(Error):
            if error.kind == ErrorKind.INVALID_REQUEST:
                key = _running_at(view, index)
                kinds = {step[0] for step in self.scripts[key]}
                assert kinds & _MAY_BE_REFUSED, f"{key} was refused: {error.message}"

    # -- what workers know --------------------------------------------------------------------------

    def _remembers(self, house: House, name: str) -> None:
        known: Memory = []
        family = list(_family(house, name))
        for _, key, payload in house.view(name).completions():
            memory: Memory = json.loads(decode_value(payload))
            assert memory[: len(known)] == known, f"{name} forgot something before {key}"
            learned = memory[len(known) :]
            wanted = list(tokens(self.scripts[key], f"{key}/"))
            assert [token for token, _ in learned] == wanted, f"{name} did not do {key} as asked"
            for token, answer in learned:
                self._is_true(house, family, token, answer, memory)
            known = memory

    def _is_true(
        self, house: House, family: list[str], token: str, answer: Any, memory: Memory
    ) -> None:
        what = f"{family[0]} remembers {answer} of {token}"
        match answer:
            case bool() | None | [_, _]:
                pass
            case int():
                world = house.around.world
                effect = world.performed[answer - 1]
                assert effect.token == token, what
                assert effect.worker in family, what
                own = world.performances(family[0], token)
                assert not own or own[-1].answer == answer, f"{what}, but then did {own[-1]}"
            case [owner, index, bool() as completed]:
                data = house.promises.get(_promise(owner, index))
                by_me = data is not None and data.decode() == token
                # Else it was another one with the same past, or this one's own past.
                is_alone = not _relatives(house, family[0]) and not house.view(family[0]).of(Revert)
                assert completed == by_me or not (is_alone or completed), what
            case [owner, index, text]:
                content = house.promises.get(_promise(owner, index))
                assert content is not None, what
                assert content.decode() == text, what
            case "original" | "forked":
                copy = f"f{next(known for each, known in memory if each == f'{token}n')}"
                assert copy in house.names(), what
                assert (answer == "forked") == (copy in family), what

    def ends_where_it_began(self, house: House) -> None:
        """Every worker can be rebuilt, and knows then what it knew."""
        for name in house.names():
            memory = replay(house, name)
            status = house.workers.runner(WorkerKey(NAME, name)).parts.status
            done = house.view(name).completions()
            if memory is not None and done:
                known = json.loads(decode_value(done[-1][2]))
                assert memory[: len(known)] == known
                assert status.running is not None or memory == known
        _nothing_was_wrong(house)

    def nothing_is_left(self, house: House) -> bool:
        """Whether every worker has come to an end with everything it was given."""
        runners = [house.workers.runner(WorkerKey(NAME, name)) for name in house.names()]
        return all(
            runner.parts.status.status == FAILED
            or not (
                runner.parts.status.pending
                or runner.parts.status.is_unfinished
                or runner.parts.status.pending_update
            )
            for runner in runners
        )


def _nothing_was_wrong(house: House) -> None:
    faults = house.around.world.faults
    assert faults == [], "\n".join(faults)


def _equals_a_fresh_fold(status: Status, view: LogView) -> None:
    fresh = fold(view.log.skim)
    for each in fields(status):
        if each.compare and each.name not in _FOLLOWED_LATE:
            kept, folded = getattr(status, each.name), getattr(fresh, each.name)
            assert kept == folded, f"{each.name} is kept as {kept}, and folded as {folded}"


def _tokens_are_used_once(view: LogView) -> None:
    used = view.tokens()
    assert len(used) == len(set(used)), f"an effect happened twice: {used}"


def _running_at(view: LogView, index: int) -> str:
    reverts = [revert for at, revert in view.of(Revert) if at < index]
    undone = {at for revert in reverts for at in range(revert.start, revert.end + 1)}
    begun = view.of(ExportedFunctionInvoked)
    invoked = [e for i, e in begun if i < index and i not in undone]
    return str(invoked[-1].idempotency_key)


def _family(house: House, name: str) -> Iterator[str]:
    """The worker, the one it was forked from, and so on."""
    while True:
        yield name
        parent = house.machine.created(house.directory(name)).parent
        if parent is None:
            return
        name = parent[1]


def _relatives(house: House, name: str) -> list[str]:
    """Workers that share a part of its past."""
    family = set(_family(house, name))
    return [e for e in house.names() if e != name and family & set(_family(house, e))]


def _promise(owner: str, index: int) -> PromiseId:
    return PromiseId(CREATE.component_id, owner, index)
