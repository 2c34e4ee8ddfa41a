"""
What guests see of ``wasi:http`` under wasmtime's own implementation: the same as under ours.

But for what we do differently with reason: headers keep their order and letters, trailers arrive, and
codes say more of a server that breaks the rules.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Final

import pytest

from tests.conformance.test_http import CLIENTS, REFUSED, TIMED, many, never
from tests.support.guests import python_guest_from
from tests.support.http_servers import raw_server, serving
from tests.support.repository import ROOT
from tests.support.wasi_hosts import Stock

OURS: Final = {"duplicate headers", "trailers of the request", "trailers of the response"}
SHARED: Final = ("nobody listens", "no authority", "another scheme")
"""Of the requests that are refused, those with one obvious code."""


@pytest.fixture(scope="module")
def wasm() -> Path:
    """The guest of the other tests, without what only our host has."""
    folder = ROOT / "tests/support/http_guest"
    app = (folder / "app.py").read_text(encoding="utf-8")
    wit = (folder / "wit/world.wit").read_text(encoding="utf-8")
    return python_guest_from(
        app.replace("import host, ", "import ").replace("wasi_http_types as types", "types"),
        wit.replace("  import golem:api/host@1.1.7;\n", ""),
    )


def test_guests_see_the_same_under_wasmtime(wasm: Path, tmp_path: Path) -> None:
    """Of servers that keep the rules, one that never answers, and requests that cannot be made."""
    found = {}
    expected = {name: said for name, (_, said) in CLIENTS.items() if name not in OURS}
    with Stock(tmp_path) as stock, serving(many) as served, raw_server(never) as silent:
        for name in expected:
            program = CLIENTS[name][0].replace("URL", served.url)
            found[name] = stock.run(wasm, ["prog", program], {}).stdout.decode().splitlines()
        timed = stock.run(wasm, ["prog", TIMED.replace("URL", silent.url)], {})
        for name in SHARED:
            body = indent(REFUSED[name][0].strip(), "    ").replace("URL", "http://127.0.0.1:1")
            program = f"try:\n{body}\nexcept Err as error: print(error.value)"
            expected[name] = [REFUSED[name][1]]
            found[name] = stock.run(wasm, ["prog", program], {}).stdout.decode().splitlines()

    assert expected == found
    assert b"200000000 None\nErrorCode_ConnectionReadTimeout()\n" == timed.stdout
