"""What can be said about a worker without running it."""

from __future__ import annotations

from datetime import UTC, datetime

from golem_host.status import Status
from golem_host.status_records import UpdateRecord
from golem_oplog.entries import Pairs
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.public import ResourceRef


@dataclass(frozen=True, slots=True)
class WorkerMetadata:
    """A worker at one moment, as its log says."""

    component: str
    name: str
    status: str
    """A case of ``golem:api/host.worker-status``."""
    component_version: int
    pending: int
    """Invocations accepted and not begun."""
    retry_count: int
    """Failures in a row at the point where the worker stands."""
    last_error: str | None
    """Of the attempt that failed last, unless it has gone on since."""
    oplog_index: int
    """Of the last entry."""
    args: tuple[str, ...]
    """Given when it was made; ``env`` and ``config_vars`` likewise."""
    env: Pairs
    config_vars: Pairs
    reason: str
    """One sentence: what it waits for or why it stands; empty when idle."""
    updates: tuple[UpdateRecord, ...]
    """Everything that was asked for, oldest first, with ``target_version``, ``state`` and ``details``."""
    created_ns: int
    """Unix time."""
    resources: tuple[ResourceRef, ...] = ()
    """The guest's resources that somebody outside holds a handle to, oldest first."""
    plugins: tuple[str, ...] = ()
    """Installation ids of the plugins that are active for it."""
    last_traceback: str = ""
    """The guest's own account of `last_error`, where its language gives one."""


def metadata_of(component: str, status: Status, oplog_index: int) -> WorkerMetadata:
    create = status.create
    assert create is not None
    return WorkerMetadata(
        component=component,
        name=create.worker_name,
        status=status.status,
        component_version=status.component_version,
        pending=len(status.pending),
        retry_count=status.error_count,
        last_error=status.error.message if status.error else None,
        oplog_index=oplog_index,
        args=create.args,
        env=create.env,
        config_vars=create.config_vars,
        reason=_reason(status),
        updates=tuple(status.updates),
        created_ns=create.timestamp,
        resources=tuple(
            ResourceRef(resource.full_name, number)
            # A copy, in one step: the worker may be at work.
            for number, resource in sorted(status.handles.open.copy().items())
        ),
        plugins=status.plugins.active,
        last_traceback=status.error.detail if status.error else "",
    )


def _reason(status: Status) -> str:
    match status.status:
        case "suspended" if status.suspend is not None:
            until = f", until {time_text(status.suspend.wake_at)}" if status.suspend.wake_at else ""
            return f"{status.suspend.reason}, since {time_text(status.suspend.timestamp)}{until}"
        case "retrying" if status.error is not None and status.error.retry_at is not None:
            return (
                f"failed: {status.error.message}; next attempt {time_text(status.error.retry_at)}"
            )
        case "failed" if status.error is not None:
            return f"failed {time_text(status.error.timestamp)}: {status.error.message}"
        case "interrupted":
            return "interrupted; `golem-host worker resume` continues it"
        case "exited":
            return f"the guest exited with code {status.exit_code or 0}"
        case "running":
            return "an invocation has begun and not completed"
        case _:
            return ""


def time_text(unix_ns: int) -> str:
    moment = datetime.fromtimestamp(unix_ns / 1e9, tz=UTC)
    return moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
