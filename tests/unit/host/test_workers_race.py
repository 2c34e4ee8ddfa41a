"""Workers that several threads make and use at the same moment."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.support.components import clock_component
from tests.support.hosts import open_host

THREADS = 16
ROUNDS = 20


def test_a_worker_is_used_while_it_is_made(tmp_path: Path) -> None:
    """Whoever finds it before its maker is done waits for that, and is not refused."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        failures: list[BaseException] = []
        together = threading.Barrier(THREADS)

        def use() -> None:
            try:
                for number in range(ROUNDS):
                    together.wait()
                    host.workers.get_or_create(component, f"w{number}").invoke("add", 1)
            except BaseException as error:  # noqa: BLE001 - shown below
                failures.append(error)
                together.abort()

        threads = [threading.Thread(target=use) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [] == failures
        assert THREADS == host.workers.get(component, "w0").invoke("value")
