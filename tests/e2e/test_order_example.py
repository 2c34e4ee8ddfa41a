"""The order example over a killed process; what its README shows is in `test_documents.py`."""

from __future__ import annotations

import re
import shutil
import signal

import pytest

from tests.support.cli import Cli
from tests.support.guests import example

PROMISE = re.compile(rb"decide promise (\S+)\n")
DEAR = ("run", "order.wasm", "--invoke", 'order("pot", 9000)')


@pytest.mark.long
def test_a_crash_compensates_nothing(cli: Cli) -> None:
    """What was reserved stays so, and nothing is asked twice; a refusal then takes it back."""
    shutil.copy(example("order"), cli.folder / "order.wasm")
    with cli.start(*DEAR) as running:
        running.wait_for(PROMISE)
        running.finish(signal.SIGKILL)
    found = PROMISE.search(running.out)
    assert found is not None
    cli.ok("promise", "complete", found[1].decode(), "no")
    after = cli.run(*DEAR, "--quiet")

    assert running.out.startswith(b"reserved one pot\n")
    assert (1, 'put the pot back\nerr("nobody pays 9000 cents")\n') == (after.code, after.out)
    assert "1\n" == cli.ok("run", "order.wasm", "--invoke", 'left("pot")')
