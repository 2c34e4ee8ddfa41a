"""``golem-host serve APP``: a component answers HTTP, and its workers survive the server."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import RemoteDisconnected
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.cli import Cli, Running, wait_until
from tests.support.guests import python_guest
from tests.support.repository import ROOT
from tests.support.web import Site

KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def web(cli: Cli) -> Path:
    path = cli.folder / "web.wasm"
    shutil.copyfile(python_guest(ROOT / "tests/support/web_guest"), path)
    return path


@contextmanager
def serving(cli: Cli, *args: str | Path) -> Iterator[tuple[Running, Site]]:
    with cli.start("serve", *args, "--port", "0", "--json") as running:
        running.wait_for(b"\n")
        yield running, Site(urlsplit(json.loads(running.out)["url"]).port or 0)


def test_a_request_survives_the_server(cli: Cli, web: Path) -> None:
    """Killed in the middle of it: the next server finishes it, and its key has the answer."""
    with serving(cli, web, "--worker", "main") as (running, site), ThreadPoolExecutor() as pool:
        assert b"1" == site.ask("/count/").body
        asked = pool.submit(site.ask, "/sleep/1500", headers=KEY)
        wait_until(lambda: cli.run("dump", "web/main").out.count("/sleep/1500") == 1)
        running.finish(signal.SIGKILL)
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            asked.result()
    with serving(cli, web, "--worker", "main") as (running, site):
        assert b"2" == site.ask("/sleep/1500", headers=KEY).body
        assert b"3" == site.ask("/count/").body
        assert 0 == running.finish(signal.SIGTERM).code


def test_instances_of_requests_leave_nothing(cli: Cli, web: Path) -> None:
    """And what they write is the server's output: on stderr, where stdout is JSON."""
    with serving(cli, web) as (running, site):
        assert [b"", b""] == [site.ask(f"/print/{word}").body for word in ("one", "two")]
        assert b"1" == site.ask("/count/").body
        assert "one\ntwo\n" == running.finish(signal.SIGINT).err
    assert 1 == len(cli.ok("worker", "list").splitlines())


REFUSED = {
    "no handler": (("guest.wasm",), "answers no HTTP: it does not export wasi:http/incoming"),
    "two rules": (("web.wasm", "--worker", "a", "--worker-from", "path:1"), "exclude each other"),
    "no rule": (("web.wasm", "--worker-from", "cookie:a"), "names no part of a request"),
    "a token": (("web.wasm", "--token", "t"), "--token is for the REST API"),
    "no app": (("--worker", "a"), "--worker is for an APP to serve"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_told_in_one_line(cli: Cli, web: Path, case: str) -> None:
    """Before anything is served; exit code 2."""
    del web
    args, reason = REFUSED[case]
    done = cli.run("serve", "--port", "0", *args)

    assert 2 == done.code
    assert reason in done.error


def test_the_guest_book_is_as_printed(cli: Cli) -> None:
    """What README of ``guest_examples/webapp`` shows."""
    shutil.copytree(ROOT / "guest_examples/webapp", cli.folder / "webapp")
    ada = {"x-user": "ada"}
    with serving(cli, "webapp", "--worker-from", "header:x-user") as (_, site):
        posted = [
            site.ask("/", method="POST", body=line, headers=ada | headers).body
            for line, headers in (
                (b"hello", {}),
                (b"again", {"Idempotency-Key": "7"}),
                (b"again", {"Idempotency-Key": "7"}),
            )
        ]
        assert [b'{"lines": 1}', b'{"lines": 2}', b'{"lines": 2}'] == posted
        assert b'["hello", "again"]' == site.ask("/", headers=ada).body
    with serving(cli, "webapp") as (_, site):
        assert b"[]" == site.ask("/", headers=ada).body
