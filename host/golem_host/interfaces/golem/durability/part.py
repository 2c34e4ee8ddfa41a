"""What durable functions of a guest may add to its worker's log."""

from __future__ import annotations

from typing import Final, Self

from golem_host.context import InstanceContext
from golem_host.failures import GuestLimitError
from golem_oplog.cbor import encode_type
from golem_oplog.entries import FunctionKind
from golem_oplog.types import FunctionType, WitType

NAME_BYTES_MAX: Final = 512
TYPES_BYTES_MAX: Final = 64 << 10
"""Of the definition of one function: its name with the types of its request and its response."""
DEFINITIONS_MAX: Final = 10_000
"""
Functions that a log may know when a guest adds one: each is kept for as long as the log, and stands
at the head of every segment.
"""
DEFINITIONS_BYTES_MAX: Final = 4 << 20
"""Of all of these together."""


class Durability:
    """The `Part` of one instance."""

    def __init__(self, context: InstanceContext) -> None:
        self._context = context
        self._may_persist = False
        self._numbers: dict[FunctionType, int] = {}

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        return cls(context)

    def close(self) -> None:
        """Nothing of the host's was lent."""

    def begun(self, kind: FunctionKind) -> None:
        """
        A function is about to be performed, where it was not.

        Raises:
            OplogLimitError: The log has no room for its outcome.
        """
        context = self._context
        if not context.replay.live:
            return
        context.refuse_growth()
        self._may_persist = True
        if kind >= FunctionKind.WRITE_REMOTE:
            # No remote write leaves the process while an earlier entry could still be lost.
            context.oplog.commit()

    def persisting(self, function: FunctionType) -> int:
        """
        The definition id of a function that was performed.

        Raises:
            OplogLimitError: The log is full, and nobody has begun this function.
            GuestLimitError: Its name or its types are too large, or the guest has named too many.
        """
        if self._may_persist:
            # It has happened: from its begin on there was room for it.
            self._may_persist = False
        else:
            self._context.refuse_growth()
        number = self._numbers.get(function)
        if number is None:
            number = self._numbers[function] = self._define(function)
        return number

    def _define(self, function: FunctionType) -> int:
        if len(function.name.encode()) > NAME_BYTES_MAX:
            raise GuestLimitError(
                f"the name of a durable function is longer than {NAME_BYTES_MAX} bytes"
            )
        refuse_large_types(function.name, function)
        oplog = self._context.oplog
        number = oplog.defined(function)
        if number is None:
            size_bytes = oplog.definitions_bytes + len(encode_type(function))
            if size_bytes > DEFINITIONS_BYTES_MAX:
                raise GuestLimitError(
                    "the names and types of all functions in the log take more than "
                    f"{DEFINITIONS_BYTES_MAX} bytes: name the function, and put what differs from "
                    "call to call into its request"
                )
            number = oplog.define(function)
        if number >= DEFINITIONS_MAX:
            raise GuestLimitError(
                f"more than {DEFINITIONS_MAX} durable functions in one log: name the function, and "
                "put what differs from call to call into its request"
            )
        return number


def refuse_large_types(name: str, ty: WitType | FunctionType) -> None:
    """
    Raises:
        GuestLimitError: This type alone takes more than those of one function may.
    """
    if len(encode_type(ty)) > TYPES_BYTES_MAX:
        raise GuestLimitError(
            f"the types of durable function {name[:NAME_BYTES_MAX]} take more than "
            f"{TYPES_BYTES_MAX} bytes: persist its outcome as bytes"
        )
