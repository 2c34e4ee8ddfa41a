"""
The process that `tests/crash/test_sqlite_kills.py` kills: a guest that keeps books in SQLite.

``python -m tests.support.sqlite_child STATE_DIR FIRST LAST`` asks for the transactions of these
numbers, each under a key of its own, and writes the number of each one that was acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from golem_host import Host, Worker
from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.repository import ROOT

OPEN: Final = """
db = sqlite3.connect("/books.db", isolation_level=None)
db.execute("CREATE TABLE entry (n INTEGER, amount INTEGER)")
db.execute("CREATE TABLE balance (total INTEGER)")
db.execute("INSERT INTO balance VALUES (0)")
"""
BOOK: Final = """
db.execute("BEGIN")
db.execute("INSERT INTO entry VALUES ({n}, {n} * 3)")
db.execute("UPDATE balance SET total = total + {n} * 3")
db.execute("COMMIT")
"""
BOOKS: Final = """
said.append([n for n, in db.execute("SELECT n FROM entry ORDER BY rowid")])
said.append(db.execute("SELECT total FROM balance").fetchone()[0])
said.append(db.execute("PRAGMA integrity_check").fetchone()[0])
"""


def opened(host: Host) -> Worker:
    guest = python_guest(ROOT / "tests/support/file_worker")
    worker = host.workers.get_or_create(host.components.deploy(guest, name="books"), "w")
    worker.invoke("run", OPEN, idempotency_key="open")
    return worker


def main(state_dir: Path, first: int, last: int) -> None:
    with open_host(state_dir) as host:
        worker = opened(host)
        for n in range(first, last + 1):
            worker.invoke("run", BOOK.format(n=n), idempotency_key=f"book {n}")
            # One write, so that a kill leaves whole lines.
            os.write(1, f"{n}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
