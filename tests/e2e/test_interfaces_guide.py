"""What `docs/interfaces-in-python.md` shows is Python that runs, and says what is so."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from golem_host.guest.wit_text import read_wit
from golem_host.interfaces.offered import registry
from golem_host.lending.call import CallContext
from tests.support.cli import Cli
from tests.support.guests import example
from tests.support.repository import ROOT

GUIDE: Final = (ROOT / "docs/interfaces-in-python.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Where the snippets run, one after the other."""
    found = ModuleType("guide")
    # Annotations are looked up in the module by name.
    monkeypatch.setitem(sys.modules, "guide", found)
    return found


def test_its_python_runs(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order in which it stands there, against the guest of the example."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOLEM_HOST_CACHE_DIR", str(ROOT / ".build"))
    (tmp_path / "shop.wasm").write_bytes(example("payment/shop").read_bytes())
    for number, text in enumerate(blocks("python")):
        exec(compile(text, f"guide-{number}", "exec"), vars(module))

    # The rest is linked by nobody here: that it can be lent is what can be said.
    offered = registry([module.Flaky(), module.Sessions()])
    assert offered.find("acme:pay/api", "receipts") is not None
    assert offered.offers_resource("acme:db/api.session")


def test_its_command_runs(tmp_path: Path) -> None:
    """With its first class in a module of that name."""
    (tmp_path / "shop.wasm").write_bytes(example("payment/shop").read_bytes())
    (tmp_path / "payments.py").write_text(blocks("python")[0], encoding="utf-8")
    (shown,) = blocks("console")
    command, _, expected = shown.removeprefix("$ golem-host ").partition("\n")

    assert expected == Cli(tmp_path).ok(*shlex.split(command), "--quiet")


def test_its_wit_is_that_of_the_example() -> None:
    """But for the words."""
    (text,) = blocks("wit")
    shown = read_wit([("guide", text)]).interfaces["acme:pay/api@1.0.0"]
    file = ROOT / "guest_examples/payment/shop/wit/deps/acme-pay/api.wit"
    used = read_wit([("api.wit", file.read_text(encoding="utf-8"))]).interfaces[shown.name]

    assert (used.functions, used.types) == (shown.functions, shown.types)


def test_it_names_all_of_a_call() -> None:
    """What a method can ask of its context."""
    public = {name for name in vars(CallContext) if not name.startswith("_")}

    assert [] == [name for name in sorted(public) if f"`{name}" not in GUIDE]
