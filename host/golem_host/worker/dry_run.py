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
from golem_host.signals import EndOfLogSignal, InterruptSignal
from golem_host.status import fold
from golem_host.worker.parts import Parts
from golem_host.worker.rebuild import explain, scratch_session, start_of
from golem_host.worker.session import Session
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class UpdateCheck:
    """What `Worker.check_update` found."""

    version: int
    """The one that was tried."""
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
        parts.component_of(version)
    except ComponentNotFoundError:
        raise InvalidRequestError(
            reason=f"component {parts.component_name!r} has no version {version}"
        ) from None
    status = fold(parts.oplog.skim)
    start = start_of(replace(parts, status=status), version)
    with scratch_session(parts, start, status, version, _stop) as session:
        return _checked(session, version, timeout_s)


def _checked(session: Session, version: int, timeout_s: float) -> UpdateCheck:
    replay = session.context.replay
    target = replay.target
    try:
        with at_most(session, timeout_s):
            # What has nothing to replay would only perform calls for real.
            if not replay.live:
                session.catch_up()
    except EndOfLogSignal:
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
    return UpdateCheck(version, True, target, replay.requests_differing)


def _stop() -> NoReturn:
    raise EndOfLogSignal


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
