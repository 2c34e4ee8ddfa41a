"""What a log says, read without the host's own fold: entries, what is dead, who was answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgpack

from golem_host.worker.retry import RetryPolicy
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    Entry,
    Error,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Interrupted,
    Jump,
    PendingUpdate,
    PendingWorkerInvocation,
    PersistenceLevel,
    Revert,
    SuccessfulUpdate,
)
from golem_oplog.protocol import Oplog

RECORD_PREFIX: Final = "model::"


class LogView:
    """The entries of a log so far, each decoded once."""

    def __init__(self, log: Oplog) -> None:
        self.log = log
        self._entries: list[Entry] = []

    def entries(self) -> list[Entry]:
        """All of them; entry N at N - 1."""
        for index, entry in self.log.read(len(self._entries) + 1):
            assert index == len(self._entries) + 1, "indexes are contiguous"
            self._entries.append(entry)
        return self._entries

    def numbered(self) -> Iterator[tuple[int, Entry]]:
        return enumerate(self.entries(), 1)

    def of(self, kind: Any) -> list[tuple[int, Any]]:
        return [(index, entry) for index, entry in self.numbered() if isinstance(entry, kind)]

    def reverted(self) -> set[int]:
        return {at for _, entry in self.of(Revert) for at in range(entry.start, entry.end + 1)}

    def undone(self) -> set[int]:
        """Indexes that were reverted or jumped over."""
        reverted = self.reverted()
        jumps = [jump for index, jump in self.of(Jump) if index not in reverted]
        return reverted | {at for jump in jumps for at in range(jump.start, jump.end + 1)}

    def superseded_to(self) -> int:
        """Up to where a snapshot stands in place of the log."""
        undone, pending, last = self.reverted(), dict[int, int](), 0
        for index, entry in self.numbered():
            if index in undone:
                continue
            if isinstance(entry, PendingUpdate):
                pending[entry.target_version] = index if entry.snapshot is not None else 0
            elif isinstance(entry, SuccessfulUpdate):
                last = max(last, pending.pop(entry.target_version, 0))
        return last

    def zones(self) -> set[int]:
        """Indexes in persist-nothing zones, what opens and closes them among them."""
        undone, found, is_open = self.undone(), set[int](), False
        for index, entry in self.numbered():
            if index in undone:
                continue
            if is_open:
                found.add(index)
            if isinstance(entry, ChangePersistenceLevel):
                is_open = entry.level == PersistenceLevel.PERSIST_NOTHING
                found.add(index)
        return found

    def answered(self) -> dict[str, int]:
        """Tokens of effects whose answer stands, with the index of the answer."""
        undone = self.undone()
        return {
            token: index
            for index, entry in self.numbered()
            if isinstance(entry, ImportedFunctionInvoked) and index not in undone
            if (token := self._token(entry)) is not None
        }

    def _token(self, call: ImportedFunctionInvoked) -> str | None:
        if not self.log.function(call.function).name.startswith(RECORD_PREFIX):
            return None
        return str(msgpack.unpackb(self.log.load(call.request))[0])

    def completions(self) -> list[tuple[int, str, bytes]]:
        """Index, key and CBOR result of every invocation that is done and stands."""
        undone, found, key = self.undone(), list[tuple[int, str, bytes]](), ""
        for index, entry in self.numbered():
            if index in undone:
                continue
            if isinstance(entry, ExportedFunctionInvoked):
                key = entry.idempotency_key
            elif isinstance(entry, ExportedFunctionCompleted):
                assert entry.response is not None
                found.append((index, key, self.log.load(entry.response)))
        return found

    def has_recorded_failure(self) -> bool:
        """Whether a replay is answered with a failure of the world."""
        undone = self.undone()
        calls = self.of(ImportedFunctionInvoked)
        return any(call.error is not None for index, call in calls if index not in undone)

    def interrupted_at(self) -> int:
        """Index of the last interrupt; 0 for none."""
        return max((index for index, _ in self.of(Interrupted)), default=0)

    def tokens(self) -> list[str]:
        """Names of the effects on this worker, each of which may happen once."""
        reverts = [entry.token for _, entry in self.of(Revert)]
        updates = [e.token for _, e in self.of(PendingUpdate) if e.snapshot is None]
        queued = [
            entry.idempotency_key
            for _, entry in self.of(PendingWorkerInvocation)
            if entry.target_version is not None
        ]
        return [token for token in (*reverts, *updates, *queued) if token]

    def delay_due(self, policy: RetryPolicy) -> int | None:
        """The delay after the last entry, an error, by the policy that counts and by its place."""
        undone, reverted = self.undone(), self.reverted()
        failures, origin, begins = 0, -1, set[int]()
        superseded_to = self.superseded_to()
        entries = self.entries()
        for index, entry in enumerate(entries, 1):
            if index in reverted:
                continue
            if isinstance(entry, Error) and (index not in undone or entry.origin in begins):
                failures = failures + 1 if entry.origin == origin else 0
                origin = entry.origin
            elif index in undone:
                continue
            elif isinstance(entry, ExportedFunctionInvoked | ExportedFunctionCompleted):
                failures, origin = 0, -1
            elif isinstance(entry, BeginAtomicRegion | BeginRemoteWrite):
                begins.add(index)
            elif isinstance(entry, ChangeRetryPolicy) and index > superseded_to:
                policy = RetryPolicy(*entry[1:])
        return policy.delay_ns(failures, 0.0)
