"""A replay of a worker's log, in a scratch instance, that may do nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn, cast

from golem_host.failures import WorldError
from golem_host.replay import AtMostOnceViolated
from golem_host.services.unfinished import WorkerKey
from golem_host.signals import Signal
from golem_host.status import fold
from golem_host.worker.rebuild import start_of
from golem_host.worker.session import Session
from tests.support.model.guest import Memory
from tests.support.model.house import NAME, House


class _EndOfLogSignal(Signal):
    """The log is used up."""


def _end() -> NoReturn:
    raise _EndOfLogSignal


class _ReadOnlyLog:
    """Reads what another log has."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        assert name not in {"append", "append_call"}, "a replay appends"
        return getattr(self._log, name)


def replay(house: House, name: str) -> Memory | None:
    """What the worker remembers at the end of its log; None where there is nothing to replay."""
    parts = house.workers.runner(WorkerKey(NAME, name)).parts
    status = fold(parts.oplog.skim)
    if status.pending_update is not None:
        return None
    version = status.component_version
    component = parts.component_of(version)
    session = Session(
        start_of(replace(parts, status=status), version),
        oplog=cast("Any", _ReadOnlyLog(parts.oplog)),
        status=status,
        services=parts.services(component, parts.shared.slots.slot(lambda: True)),
        is_last_attempt=lambda: False,
        on_live=_end,
        on_completed=lambda _key, _payload: None,
    )
    if _is_live(session):
        return None
    world, last_index = house.around.world, parts.oplog.last_index
    world.is_replaying = True
    try:
        session.catch_up()
    except _EndOfLogSignal:
        pass
    except (AtMostOnceViolated, WorldError):
        # The log ends with what cannot be repeated.
        return None
    finally:
        world.is_replaying = False
        session.close()
    assert parts.oplog.last_index == last_index
    assert _is_live(session), "a replay comes to the end of the log"
    return house.around.guests.memory(version)


def _is_live(session: Session) -> bool:
    return session.context.replay.live
