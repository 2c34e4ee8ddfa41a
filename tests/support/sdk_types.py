"""
What `golem_guest` is to a type checker, as its users see it; checked, and never run.

An ignored error that is none any more is an error itself, so both halves hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import golem_guest
    from golem_guest import (
        Operation,
        Promise,
        State,
        Transaction,
        Worker,
        atomically,
        durable,
        fallible_transaction,
        gather,
    )

    def plain(state: State, promise: Promise, other: Worker) -> int:
        state["count"] += 1
        total: int = promise.wait_json()["total"]
        counts: list[int] = gather([other.start("f", 1)])
        return total + sum(counts)

    def wrong(step: Operation[str, int]) -> None:
        atomically(len, 5)  # type: ignore[arg-type]
        drawn: str = fallible_transaction(steps)  # type: ignore[assignment]
        draw("1")  # type: ignore[arg-type]
        drawn.encode()
        Transaction().execute(step, 5)  # type: ignore[misc]
        golem_guest.atomicaly(len, "a")  # type: ignore[attr-defined]

    def steps(transaction: Transaction) -> int:
        return transaction.execute(Operation(len, None), "abc")

    @durable(name="drawn")
    def draw(least: int) -> int:
        return least
