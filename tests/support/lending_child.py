"""
The process that `tests/crash/test_lending_kills.py` kills: a host that lends what it writes down.

``python -m tests.support.lending_child ROOT EXPORT IDEMPOTENT`` with ``LENDING_KILL_AT`` in the
environment: a `Point`, ``effect:before:N`` or ``effect:after:N`` for the n-th line that the
embedder writes, or empty.  Prints the outcome, and how often each operation was counted.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final
from unittest.mock import patch

from golem_host import InvocationFailedError
from golem_host import host as host_module
from golem_oplog.protocol import SyncLevel
from tests.support.hosts import QUICK, open_host
from tests.support.killing_files import Killer, KillingFiles, Point
from tests.support.lending_guest import Book, Payments, Tills, paying_guest

COUNT: Final = 3
KEY: Final = "k"


class KillingBook(Book):
    """A `Book` whose lines pass the killer."""

    def __init__(self, path: Path, killer: Killer) -> None:
        super().__init__(path)
        self._killer = killer

    def write(self, **line: object) -> None:
        write = super().write
        self._killer.passing("effect", lambda: write(**line))


def main(root: Path, export: str, idempotent: bool, kill_at: str) -> None:
    operation, _, rest = kill_at.partition(":")
    when, _, number = rest.partition(":")
    killer = Killer(Point(operation, when, int(number)) if kill_at else None)
    book = KillingBook(root / "book", killer)
    config = replace(QUICK, sync_level=SyncLevel.POWER, interfaces=(Payments(book), Tills(book)))
    with (
        patch.object(host_module, "OsFiles", lambda: KillingFiles(killer)),
        open_host(root / "state", config) as host,
    ):
        component = host.components.deploy(paying_guest(), name="shop")
        worker = host.workers.get_or_create(component, "main")
        args = (COUNT, idempotent) if export == "buy" else (COUNT,)
        try:
            outcome: object = worker.invoke(export, *args, idempotency_key=KEY)
        except InvocationFailedError as error:
            outcome = str(error)
    sys.stdout.write(json.dumps({"outcome": outcome, "counts": dict(killer.counts)}))


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        sys.argv[2],
        sys.argv[3] == "True",
        os.environ.get("LENDING_KILL_AT", ""),
    )
