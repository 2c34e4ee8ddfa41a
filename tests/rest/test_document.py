"""docs/rest.md says what is so: its tables are the code's, its examples run as printed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from docs.generate_rest import TARGET, with_tables
from tests.support.components import clock_component
from tests.support.hosts import open_host
from tests.support.rest import served

TEXT = TARGET.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code() -> None:
    """docs/rest.md is what docs/generate_rest.py writes."""
    assert with_tables(TEXT) == TEXT, "run: python docs/generate_rest.py"


def test_the_examples_run_as_printed(tmp_path: Path) -> None:
    """Each command, in order, on a new host, gives the line below it."""
    (block,) = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    lines = block.splitlines()
    commands, printed = lines[::2], lines[1::2]
    assert len(commands) == len(printed)
    with open_host(tmp_path) as host, served(host) as web:
        host.components.deploy(clock_component(), name="counter")
        for command, expected in zip(commands, printed, strict=True):
            words = shlex.split(command.removeprefix("$ curl -s "))
            url = urlsplit(words.pop(0))
            given = dict(zip(words[::2], words[1::2], strict=True))
            headers = dict(value.split(": ") for option, value in _pairs(words) if option == "-H")
            answer = web.ask(
                "POST" if "-d" in given else "GET",
                f"{url.path}?{url.query}" if url.query else url.path,
                content=given["-d"].encode() if "-d" in given else None,
                headers=headers,
            )

            assert json.loads(expected) == answer.document


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))
