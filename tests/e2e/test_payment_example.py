"""
The payment example: a guest in Python whose imports are answered by Python of the host's side.

It does what its README shows (`test_documents.py`) also under ``kill -9``; and the skeleton that is
printed for it is fit to be lent to it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Final

import pytest

from golem_host import Host, InvocationFailedError
from golem_host.lending.wanted import of_component, of_wit
from tests.support.cli import Cli
from tests.support.guests import example
from tests.support.hosts import QUICK, open_host
from tests.support.lending_guest import paying_guest
from tests.support.repository import ROOT
from tests.unit.host.test_skeleton import AWKWARD

EXAMPLE: Final = ROOT / "guest_examples/payment"

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
KILLS: Final = 20
BUY: Final = ("run", "shop", "--quiet", "--interface", "payments:Payments", "--invoke")


@pytest.fixture
def shop(tmp_path: Path) -> Cli:
    """The example, as the current folder."""
    shutil.copytree(EXAMPLE, tmp_path / "payment")
    return Cli(tmp_path / "payment")


@pytest.mark.long
def test_a_killed_payment_is_made_once(shop: Cli) -> None:
    """Whenever the process dies, the same command again ends as if nothing had been."""
    shop.ok(*BUY, 'buy("ann", 1, none)')
    random, killed = Random(SEED), 0
    for number in range(2, KILLS + 2):
        command = (*BUY, f'buy("ann", {number}, none)')
        with shop.start(*command) as running:
            # Not to wait for anything: whatever the process does then is what it is killed in.
            threading.Event().wait(random.uniform(0.3, 0.8))
            killed += running.finish(signal.SIGKILL).code == -signal.SIGKILL
        shop.ok(*command)

    assert killed > 0
    with sqlite3.connect(shop.folder / "payments.db") as db:
        keys, cents = zip(*db.execute("SELECT key, cents FROM charge"), strict=True)
    db.close()
    # A command that had ended before its kill was another purchase when it was given again.
    assert set(range(1, KILLS + 2)) == set(cents)
    assert len(keys) == len(set(keys))
    assert len(cents) <= KILLS + 1 + (KILLS - killed)


# -- skeletons -------------------------------------------------------------------------------------


def loaded(text: str, folder: Path) -> ModuleType:
    """The text as a module, which imports cleanly."""
    (folder / "skeleton.py").write_text(text, encoding="utf-8")
    module = ModuleType("skeleton")
    # Annotations are looked up in the module by name.
    sys.modules["skeleton"] = module
    exec(compile(text, str(folder / "skeleton.py"), "exec"), vars(module))
    return module


def opened(state: Path, lent: Sequence[object] = ()) -> Host:
    return open_host(state, replace(QUICK, interfaces=lent))


def texts_for(wasm: bytes, name: str, folder: Path) -> str:
    """What `golem-host wit --python` prints for a component."""
    with opened(folder / "look") as host:
        compiled = host.components._engine().load(wasm, name=name)
        return of_component(name, compiled.description)


def test_a_skeleton_links_against_the_component(tmp_path: Path) -> None:
    """Of the component, and of its project without a build; what is not filled in says so."""
    wasm = example("payment/shop").read_bytes()
    built, written = texts_for(wasm, "shop", tmp_path), of_wit(EXAMPLE / "shop")
    definitions = [text[text.index("class Currency") :] for text in (built, written)]
    # A compiled component has lost what the WIT says in words.
    spoken = re.sub(r' *"""[^"]*"""\n\n?', "", definitions[1])
    assert re.sub(r' *"""[^"]*"""\n\n?', "", definitions[0]) == spoken
    assert '"""All that an account has paid, in order."""' in written

    for number, text in enumerate((built, written)):
        with opened(tmp_path / str(number), loaded(text, tmp_path).lent()) as host:
            worker = host.workers.create(host.components.deploy(wasm, name="shop"), "main")
            with pytest.raises(InvocationFailedError, match=r"NotImplementedError \(skeleton\.py"):
                worker.invoke("buy", "ann", 1, None)


def test_a_skeleton_of_a_resource_links(tmp_path: Path) -> None:
    """Constructor, methods and drop are there."""
    text = texts_for(paying_guest(), "paying", tmp_path)
    lent = loaded(text, tmp_path).lent()
    with opened(tmp_path / "state", lent) as host:
        host.components.deploy(paying_guest(), name="paying")

    assert ["PayApi", "PayApiTill"] == [type(each).__name__ for each in lent]


@pytest.mark.long
def test_skeletons_are_typed(tmp_path: Path) -> None:
    """``mypy --strict`` has nothing to say."""
    awkward = tmp_path / "awkward.wit"
    awkward.write_text(AWKWARD, encoding="utf-8")
    paying = texts_for(paying_guest(), "paying", tmp_path)
    texts = [of_wit(EXAMPLE / "shop"), of_wit(awkward), paying]
    for number, text in enumerate(texts):
        file = tmp_path / f"skeleton_{number}.py"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", str(file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
