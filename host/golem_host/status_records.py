"""What a `golem_host.status.Status` is made of, where a number or a word is not enough."""

from __future__ import annotations

from typing import NamedTuple

from golem_oplog.entries import ExportedFunctionInvoked, Payload, PendingUpdate


class Outcome(NamedTuple):
    """How an invocation ended: the entry that says so, and the one that began it."""

    oplog_index: int
    invoked_index: int


class Running(NamedTuple):
    """The invocation that has begun and not completed."""

    oplog_index: int
    key: str
    entry: ExportedFunctionInvoked


class UpdateRecord(NamedTuple):
    """An update that was asked for and how it went; ``details`` only for a failure."""

    target_version: int
    state: str
    """``pending``, ``successful`` or ``failed``."""
    details: str | None = None


class PendingUpdateAt(NamedTuple):
    """An update that was asked for and has no outcome."""

    oplog_index: int
    entry: PendingUpdate


class Snapshot(NamedTuple):
    """A state that an earlier version saved: replay begins with it, behind its entry."""

    oplog_index: int
    """Of the `PendingUpdate` that holds it."""
    payload: Payload
    applied_at: int
    """Index of the `SuccessfulUpdate`; 0 while it is pending."""
    version: int
    """Of the component that loads it."""
