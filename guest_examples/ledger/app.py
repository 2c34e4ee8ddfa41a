"""Books in SQLite, in a file of the worker's own.  That they survive is the host's doing."""

import sqlite3

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import api

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, cents INTEGER CHECK (cents >= 0));
CREATE TABLE IF NOT EXISTS transfer (source TEXT, target TEXT, cents INTEGER);
"""


class Api(exports.Api):
    def deposit(self, account: str, cents: int) -> int:
        with books() as database:
            database.execute(
                "INSERT INTO account VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET cents = cents + excluded.cents",
                (account, cents),
            )
            return balance(database, account)

    def transfer(self, source: str, target: str, cents: int) -> int:
        with books() as database:
            left = balance(database, source)
            balance(database, target)
            if left < cents:
                raise Err(api.Problem_TooLittle(left))
            for name, change in ((source, -cents), (target, cents)):
                database.execute(
                    "UPDATE account SET cents = cents + ? WHERE name = ?", (change, name)
                )
            database.execute("INSERT INTO transfer VALUES (?, ?, ?)", (source, target, cents))
            return left - cents

    def balances(self) -> list[tuple[str, int]]:
        return books().execute("SELECT name, cents FROM account ORDER BY name").fetchall()

    def turnover(self) -> tuple[int, int]:
        return books().execute("SELECT count(*), coalesce(sum(cents), 0) FROM transfer").fetchone()


def books() -> sqlite3.Connection:
    """A connection; as a context manager it commits, or rolls back what failed."""
    database = sqlite3.connect("/ledger.db")
    database.executescript(SCHEMA)
    return database


def balance(database: sqlite3.Connection, account: str) -> int:
    row = database.execute("SELECT cents FROM account WHERE name = ?", (account,)).fetchone()
    if row is None:
        raise Err(api.Problem_Unknown(account))
    return row[0]
