"""``golem-host wit``: of files, of what is deployed, and of WIT that nobody has built."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from golem_cli.program import cli
from tests.support.hosts import CACHE_DIR, QUICK, open_host
from tests.support.lending_guest import lent, paying_guest
from tests.support.repository import ROOT

SHOP = ROOT / "guest_examples/payment/shop"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOLEM_HOST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("GOLEM_HOST_CACHE_DIR", str(CACHE_DIR))
    (tmp_path / "paying.wasm").write_bytes(paying_guest())


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, ["wit", *map(str, args)])


def test_a_file_is_printed_without_being_deployed(tmp_path: Path) -> None:
    """As WIT, or as Python; nothing of a state directory is made."""
    wit, python = run("paying.wasm"), run("paying.wasm", "--python")

    assert "import acme:pay/api@1.0.0;" in wit.stdout
    assert '@resource("acme:pay/api", "till")' in python.stdout
    assert python.stdout.startswith('"""\nWhat the component paying imports')
    assert {"name": "paying.wasm", "wit": wit.stdout} == json.loads(
        run("paying.wasm", "--json").stdout
    )
    assert not (tmp_path / "state").exists()


def test_what_is_deployed_is_printed_by_name(tmp_path: Path) -> None:
    """Also while nobody lends what it imports."""
    config = replace(QUICK, interfaces=lent(tmp_path / "book"))
    with open_host(tmp_path / "state", config) as host:
        host.components.deploy(paying_guest(), name="shop")

    assert run("paying.wasm").stdout == run("shop").stdout
    assert "class PayApi:" in run("shop", "--python").stdout


@pytest.mark.parametrize("target", [SHOP, SHOP / "wit", SHOP / "wit/deps/acme-pay/api.wit"])
def test_wit_is_read_without_a_build(target: Path) -> None:
    """A project, a folder of WIT, or a file of interfaces that no world imports."""
    done = run(target, "--python")

    assert '@interface("acme:pay/api")\nclass PayApi:' in done.stdout
    assert "    def receipts(self, account: str) -> list[Receipt]:" in done.stdout


def test_one_interface_can_be_asked_for() -> None:
    """By its name, with or without package and version; also one that is not imported."""
    for name in ("acme:pay/api@1.0.0", "acme:pay/api"):
        assert "class PayApi:" in run(SHOP, "--python", "--interface", name).stdout
    shown = run(SHOP, "--python", "--interface", "example:shop/api").stdout
    assert "class ShopApi:" in shown
    assert "class PayApi:" not in shown


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((SHOP,), "give --python for Python classes"),
        (("paying.wasm", "--interface", "api"), "--interface is for --python"),
        (
            (SHOP, "--python", "--interface", "acme:pay/apo"),
            "has no interface acme:pay/apo; it has",
        ),
        ((ROOT / "guest_examples/order", "--python"), "nothing but what this host offers"),
        (("empty", "--python"), "there is no WIT, neither here nor in wit/"),
        (("broken.wit", "--python"), "broken.wit, line 2: expected 'func', found 'fun'"),
        (("binary.wit", "--python"), "binary.wit is no text in UTF-8"),
    ],
)
def test_what_cannot_be_printed_is_told(
    args: tuple[str | Path, ...], said: str, tmp_path: Path
) -> None:
    """In one line, with code 2."""
    (tmp_path / "broken.wit").write_text("interface a {\n  f: fun();\n}\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.wit").write_bytes(b"\xff\xfe")
    done = run(*args)

    assert (2, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert said in done.stderr


def test_a_missing_file_is_told() -> None:
    """With code 3."""
    assert 3 == run("none.wit", "--python").exit_code
    assert 3 == run("none.wasm").exit_code
