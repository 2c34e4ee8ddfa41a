"""Traps: how a guest that went wrong is told from everything else that ends a call."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from golem_host.engine import abi
from golem_host.engine.context import StoreContext
from golem_host.engine.culprit import call_with_too_much
from golem_host.engine.describe import ImportedFunction
from golem_host.errors import PayloadTooLargeError
from golem_oplog.lazy_dataclass import dataclass


class TrapKind(Enum):
    """Why a guest was stopped; the value is the engine's trap code."""

    OTHER = -1
    """No code: the guest broke a rule of the boundary, such as using a handle it had dropped."""
    STACK_OVERFLOW = 0
    MEMORY_OUT_OF_BOUNDS = 1
    HEAP_MISALIGNED = 2
    TABLE_OUT_OF_BOUNDS = 3
    INDIRECT_CALL_TO_NULL = 4
    BAD_SIGNATURE = 5
    INTEGER_OVERFLOW = 6
    INTEGER_DIVISION_BY_ZERO = 7
    BAD_CONVERSION_TO_INTEGER = 8
    UNREACHABLE = 9
    """The guest gave up: a panic, an abort, an exception that nothing caught."""
    INTERRUPT = 10
    OUT_OF_FUEL = 11
    ATOMIC_WAIT_NON_SHARED_MEMORY = 12
    NULL_REFERENCE = 13
    ARRAY_OUT_OF_BOUNDS = 14
    ALLOCATION_TOO_LARGE = 15
    CAST_FAILURE = 16
    CANNOT_ENTER_COMPONENT = 17
    """The instance is dead: an earlier call on it failed."""
    CANNOT_LEAVE_COMPONENT = 23
    INVALID_CHAR = 25
    STRING_OUT_OF_BOUNDS = 30
    LIST_OUT_OF_BOUNDS = 31
    INVALID_DISCRIMINANT = 32
    UNALIGNED_POINTER = 33
    UNCAUGHT_EXCEPTION = 49


@dataclass(eq=False)
class Trap(Exception):  # noqa: N818 # the word of the field
    """The guest was stopped by a fault of its own; its instance is dead."""

    kind: TrapKind
    message: str
    """One line."""
    backtrace: str = ""
    """The wasm frames, innermost first, one per line; empty where no guest code was running."""

    def __str__(self) -> str:
        return self.message


HOSTCALL_FUEL: Final = "fuel allocated for hostcalls has been exhausted"
_BACKTRACE: Final = "error while executing at wasm backtrace:"
_CAUSES: Final = "Caused by:"


def failure(
    error: int, context: StoreContext, function: str, imports: Sequence[ImportedFunction] = ()
) -> BaseException:
    """
    What to raise for an error that came out of a call to ``function``; frees the error.

    ``imports`` are what the guest may have been calling.

    What a handler raised, or the exception that killed the instance, comes out as the same object.
    """
    raised, context.raised = context.raised, None
    kind = _kind(error)
    text = abi.take_error(error)
    if raised is not None:
        return raised
    backtrace, message = _split(text)
    if HOSTCALL_FUEL in text:
        # With guest frames it was an import's argument, without it is what the export returned.
        if not backtrace:
            return PayloadTooLargeError(function=function)
        imported = call_with_too_much(backtrace, imports)
        return PayloadTooLargeError(function=imported, caller=function)
    return Trap(kind, message, backtrace)


def _kind(error: int) -> TrapKind:
    # An error object of the component interface answers as a trap object would.
    code = bytearray(1)
    if not abi.trap_code(error, abi.address_of(code)):
        return TrapKind.OTHER
    try:
        return TrapKind(code[0])
    except ValueError:
        return TrapKind.OTHER


def _split(text: str) -> tuple[str, str]:
    """The frames and the innermost cause of an error's text."""
    head, _, causes = text.partition(_CAUSES)
    lines = [line.strip() for line in (causes or head).splitlines() if line.strip()]
    frames = head.partition(_BACKTRACE)[2] if _BACKTRACE in head else ""
    backtrace = "\n".join(line.strip() for line in frames.splitlines() if line.strip())
    message = lines[-1] if lines else "unknown error"
    # Several causes are numbered from the outside in; the last one is the cause.
    number, colon, rest = message.partition(": ")
    return backtrace, rest if colon and number.isdigit() else message
