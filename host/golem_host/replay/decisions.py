"""What the replay core answers with: act, the record of an invocation, or a refusal."""

from __future__ import annotations

from typing import Final, NamedTuple

from golem_oplog.entries import Entry, ExportedFunctionInvoked
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.regions import Region


class Perform(NamedTuple):
    """
    Nothing is recorded: act for real, then append.

    With ``jump``, first append and commit a jump over that region: what an unfinished operation
    left behind is dead, and later replays must agree.
    """

    jump: Region | None = None


PERFORM: Final = Perform()


class ReplayedInvocation(NamedTuple):
    """An exported function that the log says was called."""

    oplog_index: int
    entry: ExportedFunctionInvoked


@dataclass(eq=False)
class Divergence(Exception):  # noqa: N818 - it becomes a DivergenceError once it can be rendered
    """The guest's request is not the next entry.  Raised by the core in stored form."""

    index: int
    recorded: Entry
    attempted: str
    """What the guest asked for: a recorded function name or an entry kind."""
    attempted_function: int | None
    """Definition id where it was a host call."""
    attempted_request: bytes | None
    last: tuple[int, Entry] | None
    """The last entry on which guest and log agreed."""
    cause: str = ""
    """What is wrong with the guest, where the request alone says so."""


class AtMostOnceViolated(Exception):  # noqa: N818 - the worker turns it into its own failure
    """
    A remote write was begun with idempotence off and its end is not in the log.

    Whether it happened is unknown, and it may not happen twice: the invocation fails for good.
    """

    def __init__(self, begin_index: int) -> None:
        super().__init__(begin_index)
        self.begin_index = begin_index
