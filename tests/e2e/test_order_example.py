"""The order example does what its README shows; the last decision is made over a killed process."""

from __future__ import annotations

import re
import shlex
import shutil
import signal

from tests.support.cli import Cli
from tests.support.guests import example
from tests.support.repository import ROOT

TEXT = (ROOT / "guest_examples/order/README.md").read_text(encoding="utf-8")
SHOWN_PROMISE = re.compile(r"[0-9a-f-]{36}/main/\d+")
PROMISE = re.compile(rf"decide promise ({SHOWN_PROMISE.pattern})\n")


def test_the_order_prints_what_its_readme_says(cli: Cli) -> None:
    """One process for each command; the one that waits is killed and run again."""
    shutil.copy(example("order"), cli.folder / "order.wasm")
    (block,) = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    block = block.replace("guest_examples/order", "order.wasm")
    steps = [step.partition("\n") for step in block.split("$ golem-host ")[1:]]
    (cheap, _, first), (dear, _, asking), (decide, _, decided), (look, _, left) = steps

    assert first == cli.ok(*shlex.split(cheap), "--quiet")
    waiting = shlex.split(dear.removesuffix(" &"))
    with cli.start(*waiting) as running:
        running.wait_for(re.compile(PROMISE.pattern.encode()))
        running.finish(signal.SIGKILL)
    asked = running.out.decode()
    found = PROMISE.search(asked)
    assert found is not None
    done = cli.run(*SHOWN_PROMISE.sub(found[1], decide).split())
    after = cli.run(*waiting, "--quiet")

    assert SHOWN_PROMISE.sub(found[1], asking).endswith(asked)
    assert SHOWN_PROMISE.sub(found[1], decided) == done.err + after.out
    assert 1 == after.code
    assert left == cli.ok(*shlex.split(look), "--quiet")
