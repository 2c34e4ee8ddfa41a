"""
``guest_examples/crawler``, killed again and again in the middle of twenty requests at a time.

Invariants: the pages are those of an undisturbed crawl, in order; a page is asked for under one key,
and again only where a kill came before its answer was read.

The short test kills the program a few times, the full one 20 times, after counts of requests that
``GOLEM_HOST_TEST_SEED`` gives.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from functools import partial
from random import Random
from typing import Final

from golem_oplog.types import ListType, Prim, RecordType
from golem_oplog.wave import parse_value
from tests.support.cli import Cli, Running, wait_until
from tests.support.http_servers import Answer, Asked, Served, serving
from tests.support.repository import ROOT

IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
KILLS: Final = 20 if IS_FULL else 3
PAGES: Final = 400 if IS_FULL else 100
AT_ONCE: Final = 20
PAGE: Final = RecordType((("url", Prim.STRING), ("status", Prim.U16), ("links", Prim.U32)))


def site(asked: Asked) -> Answer:
    """Page n leads to 2n + 1 and 2n + 2."""
    number = int(asked.target.removeprefix("/"))
    links = (f'<a href="/{n}">{n}</a>' for n in (2 * number + 1, 2 * number + 2) if n < PAGES)
    return 200, [], "".join(links).encode()


def links(number: int) -> int:
    return sum(n < PAGES for n in (2 * number + 1, 2 * number + 2))


def has_come(served: Served, wanted: int, running: Running) -> bool:
    return len(served.asked) >= wanted or running.process.poll() is not None


def test_a_crawl_goes_on_where_it_was_killed(cli: Cli) -> None:
    """See the module."""
    shutil.copytree(ROOT / "guest_examples/crawler", cli.folder / "crawler")
    counts = sorted(Random(SEED).sample(range(1, PAGES), KILLS))
    with serving(site) as served:
        call = f'crawl("{served.url}/0", {2 * PAGES})'
        command = ("run", "crawler", "--net", f"127.0.0.1:{served.port}", "--invoke", call)
        kills = 0
        for wanted in counts:
            with cli.start(*command) as running:
                wait_until(partial(has_come, served, wanted, running))
                kills += running.finish(signal.SIGKILL).code == -signal.SIGKILL
        pages = parse_value(cli.ok(*command), ListType(PAGE))
        asked = Counter((each.target, each.header("idempotency-key")) for each in served.asked)

    assert kills == KILLS
    assert [
        {"url": f"{served.url}/{n}", "status": 200, "links": links(n)} for n in range(PAGES)
    ] == pages
    # As many keys as pages, each for one of them.
    assert PAGES == len(asked) == len({key for _, key in asked})
    assert sum(asked.values()) - PAGES <= KILLS * AT_ONCE
