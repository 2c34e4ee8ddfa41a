"""``agent``, ``reminder`` and ``mapreduce`` print what their READMEs show, over killed processes."""

from __future__ import annotations

import re
import shutil
import signal
import urllib.request

import pytest

from tests.support.agent_model import model
from tests.support.cli import Cli, wait_until
from tests.support.guests import python_guest
from tests.support.readme import Step, killed, same, steps
from tests.support.repository import ROOT


def example(cli: Cli, name: str) -> list[Step]:
    """Its README; the guest lies where that says, and is built."""
    python_guest(ROOT / "guest_examples" / name)
    shutil.copytree(ROOT / "guest_examples" / name, cli.folder / "guest_examples" / name)
    return steps(name)


def asked(step: Step, port: str) -> None:
    """How often the model had to think."""
    assert step.command == "curl -s http://127.0.0.1:8801"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as response:
        assert step.shown == response.read().decode()


@pytest.mark.long
def test_the_agent_asks_nothing_twice(cli: Cli) -> None:
    """Neither undisturbed nor when both halves are killed in the middle of their conversations."""
    first, travel, count, dies, kill, again, recount = example(cli, "agent")

    with model(cli, first) as port:
        same(cli, travel, port=port)
        asked(count, port)
        killed(cli, dies, port=port)
        assert "kill -9 %2" == kill.command
        same(cli, again, port=port)
        asked(recount, port)


@pytest.mark.long
def test_the_reminder_says_everything_once(cli: Cli) -> None:
    """Sleeping and scheduled, in one process after the other."""
    remind, watch, kill, again, every, serve, stream = example(cli, "reminder")

    same(cli, remind)
    killed(cli, watch)
    assert "kill -9 %1" == kill.command
    same(cli, again)
    same(cli, every)
    with cli.start(*serve.args) as running:
        wait_until(lambda: stream.shown == cli.ok(*stream.args))
        running.finish(signal.SIGTERM)
    assert serve.shown == ""


@pytest.mark.long
def test_the_counting_workers_go_on(cli: Cli) -> None:
    """All of them, each with its own text, and no text twice."""
    count, dies, kill, again, texts = example(cli, "mapreduce")

    same(cli, count)
    killed(cli, dies)
    assert "kill -9 %1" == kill.command
    same(cli, again)
    same(cli, texts)
    for number in (2, 3):
        assert texts.shown == cli.ok("worker", "invoke", f"mapreduce/second-{number}", "texts()")
    assert 3 == len(re.findall("mapreduce/second-", cli.ok("worker", "list")))
