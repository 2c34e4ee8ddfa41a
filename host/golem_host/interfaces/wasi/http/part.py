"""What the HTTP exchanges of one instance share: their bound, and what is committed before output."""

from __future__ import annotations

from typing import Final, Protocol, Self

from golem_host.context import InstanceContext
from golem_host.failures import GuestLimitError

EXCHANGES_MAX: Final = 128
"""Open at the same time of one guest."""
UNSENT_BYTES_MAX: Final = 16 << 20
"""What a guest may have written of bodies whose requests it has not sent."""
READ_BYTES_MAX: Final = 1 << 20
"""Bytes of responses that a guest reads before they are committed: ARCHITECTURE 11, for 4.7."""
READ_NS_MAX: Final = 10_000_000
"""And how long the first of them may lie."""


class Open(Protocol):
    """An exchange that is not over."""

    @property
    def is_under_way(self) -> bool:
        """Whether it would have to be sent again if the instance were given up."""
        ...

    def release(self) -> None:
        """The instance has ended: nobody cares for it any more."""
        ...


class Http:
    """The `Part` of ``wasi:http``."""

    def __init__(self, context: InstanceContext) -> None:
        self._context = context
        self._sent_index = -1
        self._read_bytes = 0
        self._read_at = 0
        self._unsent_bytes = 0
        self._open: set[Open] = set()
        context.pinned_by.append(lambda: any(each.is_under_way for each in self._open))

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        return cls(context)

    def close(self) -> None:
        for each in list(self._open):
            each.release()

    # -- exchanges ----------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        return len(self._open) >= EXCHANGES_MAX

    def enter(self, exchange: Open) -> None:
        self._open.add(exchange)

    def leave(self, exchange: Open) -> None:
        self._open.discard(exchange)

    def hold(self, size: int) -> None:
        """
        Count bytes that wait for their request; negative once it is sent, or will not be.

        Raises:
            GuestLimitError: There are too many.
        """
        if size > 0 and self._unsent_bytes + size > UNSENT_BYTES_MAX:
            raise GuestLimitError(
                f"more than {UNSENT_BYTES_MAX} bytes of bodies wait for their requests to be sent"
            )
        self._unsent_bytes += size

    # -- what leaves the process, and what came in -----------------------------------------------

    def commit(self) -> None:
        self._read_bytes = 0
        if not self._context.is_unrecorded:
            self._context.oplog.commit()

    def before_output(self) -> None:
        """
        Nothing is sent that follows from what could still be lost.

        Pieces of a body in a row need only one commit.
        """
        if self._context.oplog.last_index != self._sent_index:
            self.commit()
            self._sent_index = self._context.oplog.last_index

    def note_room(self, index_before: int) -> None:
        """How much room there was says nothing that the next output could follow from."""
        if self._sent_index == index_before:
            self._sent_index = self._context.oplog.last_index

    def after_read(self, size: int) -> None:
        """Bytes were read and recorded."""
        now = self._context.clock_ns()
        if self._read_bytes == 0:
            self._read_at = now
        self._read_bytes += size
        if self._read_bytes >= READ_BYTES_MAX or not 0 <= now - self._read_at < READ_NS_MAX:
            self.commit()
