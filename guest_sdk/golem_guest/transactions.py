"""
Steps that can be taken back (spec 7.3).

Compensations run when a step *fails*.  A crash runs none: the block is done again, from its
beginning or from where the log ends.  So compensations must bear being repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from golem_guest._trap import end_invocation
from golem_guest._world import host
from golem_guest.atomic import atomic_region, is_in_region
from golem_guest.settings import RetryPolicy

_HOST = host()

I = TypeVar("I")  # noqa: E741 - input
O = TypeVar("O")  # noqa: E741 - output
R = TypeVar("R")


@dataclass(frozen=True)
class Operation(Generic[I, O]):
    """A step, and what takes it back."""

    execute: Callable[[I], O]
    """Raises if it fails; then there is nothing to take back."""
    compensate: Callable[[I, O], None] | None = None
    """Gets the input and the output of the step."""


def operation(
    execute: Callable[[I], O], compensate: Callable[[I, O], None] | None = None
) -> Operation[I, O]:
    """Couple a step with what takes it back."""
    return Operation(execute, compensate)


class RolledBackError(Exception):
    """A transaction failed and everything was taken back."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(f"rolled back after: {failure!r}")
        self.failure = failure


class PartlyRolledBackError(Exception):
    """A transaction failed, and so did taking it back: older steps are still done."""

    def __init__(self, failure: Exception, compensation_failure: Exception) -> None:
        super().__init__(f"{compensation_failure!r} while rolling back after {failure!r}")
        self.failure = failure
        self.compensation_failure = compensation_failure


class Transaction:
    """What the function of a transaction calls its steps through."""

    def __init__(self) -> None:
        self._done: list[Callable[[], None]] = []

    def execute(self, step: Operation[I, O], given: I) -> O:
        """Do a step, and remember how to take it back."""
        output = step.execute(given)
        compensate = step.compensate
        if compensate is not None:
            self._done.append(lambda: compensate(given, output))
        return output

    def roll_back(self) -> None:
        """Take back what was done, the newest first; the first that fails is the last."""
        while self._done:
            self._done.pop()()


def fallible_transaction(function: Callable[[Transaction], R]) -> R:
    """
    Call a function whose steps are taken back if it raises.

    Raises:
        RolledBackError: It raised, and nothing of it remains.
        PartlyRolledBackError: It raised, and something of it remains.
    """
    transaction = Transaction()
    try:
        return function(transaction)
    except Exception as failure:
        try:
            transaction.roll_back()
        except Exception as error:
            raise PartlyRolledBackError(failure, error) from error
        raise RolledBackError(failure) from failure


def infallible_transaction(function: Callable[[Transaction], R]) -> R:
    """
    Call a function until none of its steps fails.

    Where one does, what was done is taken back, the worker goes back in time to before the first
    step, and all of it is done again, in intervals that grow as the retry policy says and without
    an end.  A compensation that fails ends the invocation.

    Inside of an atomic region or of another such transaction the whole of that is done again, as
    the retry policy says: no worker goes back into the middle of a region.
    """
    is_inner = is_in_region()
    began = time.time()
    before = _HOST.get_oplog_index()
    with atomic_region():
        transaction = Transaction()
        try:
            return function(transaction)
        except Exception as failure:  # noqa: BLE001 - whatever failed is tried again
            try:
                transaction.roll_back()
            except Exception as error:  # noqa: BLE001 - nothing may go on from here
                end_invocation(error)
            if is_inner:
                end_invocation(failure)
            _go_back(before, began)


def _go_back(before: int, began: float) -> NoReturn:
    # Going back forgets how often it was tried, but not when it began: the whole time grows by the
    # multiplier from attempt to attempt, and so do the intervals.
    policy = RetryPolicy.current()
    delay_s = (time.time() - began) * (policy.multiplier - 1)
    time.sleep(min(max(delay_s, policy.min_delay_s), policy.max_delay_s))
    _HOST.set_oplog_index(before)
    end_invocation(RuntimeError("going back in time returned"))
