"""Who may use the network: what the embedder allows all workers, and what was allowed to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from golem_host.net.grants import Grants

WorkerKey: TypeAlias = tuple[str, str]
"""Component and worker."""
HINTS_MAX: Final = 8
"""A guest that tries everything is explained so much, in one process."""


class NetAccess:
    """One worker's; an instance keeps the ``grants`` that it was built with."""

    def __init__(self, grants: Grants | None = None) -> None:
        self.grants = grants or Grants()
        self._told: set[str] = set()

    def hint(self, what: str, pattern: str) -> str | None:
        """A line for people about something that was refused; None where they know already."""
        if pattern in self._told or len(self._told) >= HINTS_MAX:
            return None
        self._told.add(pattern)
        return f"the guest may not {what}; --net '{pattern}' would allow it"


class WorkerGrants:
    """
    The grants of a host's workers.

    Powers are never part of a worker: what one was given lasts as long as this host is open, and
    whoever runs it next says again what it may do.
    """

    def __init__(self, net: Sequence[str] = ()) -> None:
        self._net = tuple(net)
        self._all = Grants.parse(self._net)
        self._of: dict[WorkerKey, Grants] = {}

    def of(self, key: WorkerKey) -> Grants:
        return self._of.get(key, self._all)

    def give(self, key: WorkerKey, patterns: Sequence[str]) -> None:
        """
        Allow one worker these besides what all may, instead of what it was given before.

        Raises:
            ValueError: One is no pattern.
        """
        self._of[key] = Grants.parse((*self._net, *patterns))

    def inherit(self, key: WorkerKey, source: WorkerKey) -> None:
        """A fork may do what its source may, unless it was told otherwise."""
        if source in self._of:
            self._of.setdefault(key, self._of[source])

    def forget(self, key: WorkerKey) -> None:
        self._of.pop(key, None)
