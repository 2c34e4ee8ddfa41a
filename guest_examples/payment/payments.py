"""What the shop imports: payments in a SQLite file, each of them made once."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from golem_host import (
    READ_REMOTE,
    WRITE_REMOTE,
    CallContext,
    Err,
    Ok,
    Result,
    Variant,
    function,
    interface,
)


@dataclass(frozen=True)
class Amount:
    cents: int
    currency: str


@dataclass(frozen=True)
class Receipt:
    number: int
    amount: Amount
    note: str | None


@interface("acme:pay/api")
class Payments:
    def __init__(self) -> None:
        self._sql("CREATE TABLE IF NOT EXISTS charge (key UNIQUE, account, cents, currency, note)")

    @function(WRITE_REMOTE)
    def charge(
        self, account: str, amount: Amount, note: str | None, *, call: CallContext
    ) -> Result[Receipt, Variant]:
        if account not in {"ann", "bob"}:
            return Err(Variant("unknown-account"))
        if amount.cents > 100_000:
            return Err(Variant("declined", "more than 100000 cents"))
        # However often this call is made again, its key is the same.
        row = (call.idempotency_key, account, amount.cents, amount.currency, note)
        self._sql("INSERT OR IGNORE INTO charge VALUES (?, ?, ?, ?, ?)", *row)
        return Ok(self.receipts(call.idempotency_key)[0])

    @function(READ_REMOTE)
    def receipts(self, account: str) -> list[Receipt]:
        rows = self._sql(
            "SELECT rowid, cents, currency, note FROM charge WHERE ? IN (key, account)", account
        )
        return [Receipt(number, Amount(*paid), note) for number, *paid, note in rows]

    def _sql(self, query: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect("payments.db")) as db, db:
            return db.execute(query, values).fetchall()
