"""
Why a worker does not go on: one sentence that says what it waits for or why it failed, since when,
and what would free it.

Only the log is asked, and for what a worker waits with its instance.  Whether a process is at work on
the worker is not in the log, so a sentence about unfinished work says what to do if none is.
"""

from __future__ import annotations

from shlex import quote
from typing import Final

from golem_host.services.calls import CallRef
from golem_host.services.peers import WorkerRef
from golem_host.signals import WAITS_FOR_ITSELF
from golem_host.status import EXITED, FAILED, INTERRUPTED, RETRYING, SUSPENDED, Status
from golem_host.worker.metadata import time_text
from golem_host.worker.parts import Parts, View
from golem_oplog.lazy_dataclass import dataclass

PROGRAM: Final = "golem-host"
OWED: Final = "says why it is not there"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A worker's state in words."""

    worker: str
    """``component/name``."""
    status: str
    """A case of ``golem:api/host.worker-status``."""
    sentence: str
    """What it waits for, or why it stands."""
    since_ns: int
    """Unix time since which it is so."""
    until_ns: int | None
    """Unix time at which it goes on by itself, in a process that owns it; None if it does not."""
    remedy: str
    """The command line that frees it; empty where none need be given."""


@dataclass(frozen=True, slots=True)
class _Reason:
    """The pieces of a sentence: ``worker`` ``what``; ``remedy`` ``effect``."""

    what: str
    since_ns: int
    remedy: str
    effect: str
    until_ns: int | None = None


def explain(view: View) -> Explanation:
    """
    Raises:
        OplogError: The log cannot be read.
    """
    label = f"{view.component_name}/{view.worker_name}"
    reason = _reason(view, quote(label))
    command = f"{PROGRAM} {reason.remedy}"
    update = view.status.pending_update
    aside = "" if update is None else f", an update to version {update.entry.target_version} waits"
    return Explanation(
        worker=label,
        status=view.status.status,
        sentence=f"{label} {reason.what}{aside}; `{command}` {reason.effect}",
        since_ns=reason.since_ns,
        until_ns=reason.until_ns,
        remedy=command,
    )


def _reason(view: View, name: str) -> _Reason:
    status = view.status
    resume, revert = f"worker resume {name}", f"worker revert {name} --last 1"
    if status.status == SUSPENDED and status.suspend is not None:
        return _suspended(view, resume, revert)
    if status.status in {RETRYING, FAILED} and status.error is not None:
        return _failed(status, resume, revert)
    if status.status == INTERRUPTED:
        what = f"was interrupted at {time_text(status.stopped_at)}"
        return _Reason(what, status.stopped_at, resume, "continues it")
    if status.status == EXITED:
        what = f"ended itself with code {status.exit_code or 0} at {time_text(status.stopped_at)}"
        return _Reason(what, status.stopped_at, revert, "takes that call back")
    if status.running is not None:
        begun = status.running.entry.timestamp
        function = view.oplog.function(status.running.entry.function).name
        what = f"is in the middle of {function}, begun at {time_text(begun)}"
        assert status.create is not None
        ref = WorkerRef(status.create.component_id, view.worker_name)
        call = view.shared.results.waits_in_memory_for(ref)
        if call is not None:
            label = _label(view, call)
            what = f"{what}, and waits for the result of {label}, key {call.key}"
            return _Reason(what, begun, f"worker explain {quote(label)}", OWED)
        if isinstance(view, Parts) and view.console.is_awaited:
            what = f"{what}, and waits for the rest of its standard input"
            what = f"{what}, which the same `{PROGRAM} run` gives"
            return _Reason(what, begun, f"worker interrupt {name}", "stops it")
        return _Reason(what, begun, resume, "continues it if no process is at work on it")
    if status.pending:
        return _queued(view, resume)
    what = f"waits for calls, since {time_text(status.last_timestamp)}"
    return _Reason(what, status.last_timestamp, f"worker invoke {name} CALL", "makes one")


def _label(view: View, call: CallRef) -> str:
    """Who is called, as people know it."""
    name = view.shared.peers.component_name_of(call.worker.component_id)
    return f"{name or call.worker.component_id}/{call.worker.worker_name}"


def _suspended(view: View, resume: str, revert: str) -> _Reason:
    suspend = view.status.suspend
    assert suspend is not None
    since = f"since {time_text(suspend.timestamp)}"
    calls = CallRef.parse_all(suspend.promise)
    if calls:
        what = f"waits for {suspend.reason.removeprefix('waiting for ')}, {since}"
        ask = f"worker explain {quote(_label(view, calls[0]))}"
        return _Reason(what, suspend.timestamp, ask, OWED)
    if suspend.promise:
        what = f"waits for promise {suspend.promise}, {since}"
        if view.shared.promises.is_settled(suspend.promise):
            return _Reason(f"{what}, which is settled", suspend.timestamp, resume, "continues it")
        complete = f"promise complete {quote(suspend.promise)}"
        return _Reason(what, suspend.timestamp, complete, "lets it go on")
    if not suspend.wake_at:
        what = f"is suspended, {since}: {suspend.reason}"
        if suspend.reason == WAITS_FOR_ITSELF:
            return _Reason(what, suspend.timestamp, revert, "takes that call back")
        return _Reason(what, suspend.timestamp, resume, "continues it")
    what = f"sleeps {since}, until {time_text(suspend.wake_at)}"
    effect = "waits with it if no process does"
    return _Reason(what, suspend.timestamp, resume, effect, suspend.wake_at)


def _failed(status: Status, resume: str, revert: str) -> _Reason:
    error = status.error
    assert error is not None
    count = status.error_count
    times = f" {count} times, last" if count > 1 else ""
    what = f"failed{times} at {time_text(error.timestamp)}: {' '.join(error.message.split())}"
    if error.retry_at is None:
        return _Reason(what, error.timestamp, revert, "takes back the call that failed")
    what = f"{what}; the next attempt is due at {time_text(error.retry_at)}"
    effect = "makes it if no process does"
    return _Reason(what, error.timestamp, resume, effect, error.retry_at)


def _queued(view: View, resume: str) -> _Reason:
    """Calls are accepted, and none has begun."""
    requests = [entry for _, entry in view.status.pending.values()]
    since = min(entry.timestamp for entry in requests)
    due = min(entry.not_before or 0 for entry in requests)
    count = "1 accepted call" if len(requests) == 1 else f"{len(requests)} accepted calls"
    what = f"has {count} in its queue, since {time_text(since)}"
    if due > view.shared.config.clock.unix_ns():
        what = f"{what}, the first one due at {time_text(due)}"
    return _Reason(what, since, resume, "makes what is due if no process does", due or None)
