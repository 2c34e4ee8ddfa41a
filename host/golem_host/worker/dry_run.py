"""
Whether a worker could be updated: its log is replayed by the new version, in a scratch instance.

Nothing is performed and nothing appended: the attempt ends where the log does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from golem_host.errors import ComponentNotFoundError, DivergenceError, InvalidRequestError
from golem_host.signals import InterruptSignal, Signal
from golem_host.status import fold
from golem_host.worker.parts import Parts
from golem_host.worker.rebuild import explain, start_of
from golem_host.worker.session import Session
from golem_oplog.lazy_dataclass import dataclass


class _EndOfLogSignal(Signal):
    """The log is used up without a difference."""


@dataclass(frozen=True, slots=True)
class UpdateCheck:
    """What `Worker.check_update` found."""

    version: int
    ok: bool
    """Whether the new version came to the end of the log."""
    replayed_to: int
    """The last entry that was replayed."""
    requests_differing: int
    """Host calls with the recorded name and other arguments: allowed, and worth a look."""
    difference: DivergenceError | None = None
    """The first difference, where there is one."""
    reason: str = ""
    """Why it is not ok, in one line."""


def check_update(parts: Parts, version: int, timeout_s: float) -> UpdateCheck:
    """
    Replay a worker's log with another version.

    Raises:
        InvalidRequestError: There is no such version.
    """
    try:
        component = parts.component_of(version)
    except ComponentNotFoundError:
        raise InvalidRequestError(
            reason=f"component {parts.component_name!r} has no version {version}"
        ) from None
    target = parts.oplog.last_index
    status = fold(parts.oplog.skim)
    start = start_of(replace(parts, status=status), version)
    # Not one of the host's workers: it runs in the caller's thread, besides the slots.
    slot = parts.shared.slots.slot(lambda: True)
    session = Session(
        start,
        oplog=parts.oplog,
        status=status,
        services=parts.services(component, slot),
        is_last_attempt=lambda: True,
        on_live=_stop,
        on_completed=lambda _key, _payload: None,
    )
    replay = session.context.replay
    try:
        with at_most(session, timeout_s):
            # What has nothing to replay would only perform calls for real.
            if not replay.live:
                session.catch_up()
    except _EndOfLogSignal:
        pass
    except DivergenceError as error:
        return UpdateCheck(
            version, False, error.index - 1, replay.requests_differing, error, str(error)
        )
    except InterruptSignal:
        reason = f"the new version did not come to the end of the log within {timeout_s:g} s"
        return UpdateCheck(version, False, target, replay.requests_differing, None, reason)
    except Exception as error:  # noqa: BLE001 - whatever the new version does is the answer
        return UpdateCheck(version, False, target, replay.requests_differing, None, explain(error))
    finally:
        session.close()
        slot.give()
    return UpdateCheck(version, True, target, replay.requests_differing)


def _stop() -> NoReturn:
    raise _EndOfLogSignal


@contextmanager
def at_most(session: Session, timeout_s: float) -> Iterator[None]:
    """End what a session does with an `InterruptSignal` when its time is over."""

    def stop() -> None:
        session.context.kill = InterruptSignal()
        session.context.wake.set()

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
