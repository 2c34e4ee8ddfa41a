"""Output is streamed as it is written: whole, in order, each byte once, at the reader's pace."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from golem_host import Host
from tests.support.cli_guest import cli_guest
from tests.support.hosts import open_host
from tests.support.rest import Web, control

WORKERS = "/v1/components/cli/workers"


@contextmanager
def stream(web: Web, path: str, **headers: str) -> Iterator[HTTPResponse]:
    with closing(web.connect()) as connection:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=spelled)
        with connection.getresponse() as response:
            yield response


def documents(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def until(response: HTTPResponse, text: str) -> list[Any]:
    """Documents up to and with the first that holds a text."""
    found: list[Any] = []
    while text not in str(found):
        line = response.readline()
        assert line, found
        found.append(json.loads(line))
    return found


def test_past_output_comes_from_the_log(web: Web) -> None:
    """All of it, or from an index on; the stream ends by itself."""
    web.call("cli", "past", "hello()")
    web.call("cli", "past", "hello()")

    whole = documents(web.get(f"{WORKERS}/past/output").content)
    later = documents(web.get(f"{WORKERS}/past/output?from={whole[0]['index'] + 1}").content)

    assert [("stdout", "hello")] * 2 == [(line["stream"], line["text"]) for line in whole]
    assert whole[1:] == later


def test_output_is_followed_as_it_is_written(web: Web) -> None:
    """From now on, while the invocation still runs."""
    web.call("cli", "live", "hello()")
    with stream(web, f"{WORKERS}/live/output?follow=true") as response:
        caller = threading.Thread(target=web.call, args=("cli", "live", "nap(1)"))
        caller.start()
        seen = until(response, "awake")
        caller.join()

    assert ["napping", "awake"] == [line["text"].strip() for line in seen if "text" in line]


def test_following_from_an_index_misses_nothing(web: Web) -> None:
    """What was there before comes first, then what is new, each once."""
    web.call("cli", "both", "hello()")
    with stream(web, f"{WORKERS}/both/output?follow=true&from=1") as response:
        first = until(response, "hello")
        web.call("cli", "both", "nap(1)")
        rest = until(response, "awake")

    texts = [line["text"].strip() for line in first + rest if "text" in line]
    assert ["hello", "napping", "awake"] == texts


def test_notices_of_the_host_are_in_the_stream(web: Web) -> None:
    """Such as that a failed attempt is tried again."""
    with stream(web, f"{WORKERS}/noted/output?follow=true") as missing:
        assert 404 == missing.status
    web.post(WORKERS, {"name": "noted"})
    with stream(web, f"{WORKERS}/noted/output?follow=true") as response:
        web.call("cli", "noted", "fail()")
        seen = until(response, "notice")

    assert any("oops" in line.get("text", "") for line in seen)


def test_server_sent_events_go_on_where_they_were_cut_off(web: Web) -> None:
    """The id is the index; the browser's own Last-Event-ID asks for what follows it."""
    web.call("cli", "events", "hello()")
    web.call("cli", "events", "hello()")
    accept = {"accept": "text/event-stream"}

    whole = web.ask("GET", f"{WORKERS}/events/output", headers=accept)
    blocks = whole.content.decode().strip().split("\n\n")
    first_id = blocks[0].splitlines()[0].removeprefix("id: ")
    rest = web.ask("GET", f"{WORKERS}/events/output", headers=accept | {"last-event-id": first_id})

    assert whole.headers["content-type"].startswith("text/event-stream")
    assert 2 == len(blocks)
    assert blocks[1] == rest.content.decode().strip()
    assert "hello" == json.loads(blocks[0].splitlines()[1].removeprefix("data: "))["text"]


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9" * 30])
def test_a_last_event_id_of_somebody_else_is_refused(web: Web, given: str) -> None:
    """It is the index of an entry."""
    web.post(WORKERS, {"name": "identified"})

    answer = web.get(f"{WORKERS}/identified/output", **{"last-event-id": given})

    assert (400, "InvalidRequestError") == answer.error


def test_a_stream_ends_with_an_error_when_its_worker_is_deleted(web: Web) -> None:
    """The next thing to be read is the reason."""
    web.call("cli", "doomed", "hello()")
    with stream(web, f"{WORKERS}/doomed/output?follow=true&from=1") as response:
        until(response, "hello")
        web.ask("DELETE", f"{WORKERS}/doomed")
        # One of the same name is another worker.
        web.call("cli", "doomed", "hello()")
        rest = documents(response.read())

    assert "WorkerNotFoundError" == rest[-1]["error"]["class"]
    assert "hello" not in str(rest)


def test_streams_end_when_the_host_closes(tmp_path: Path) -> None:
    """With an error that says so, and without holding up the end."""
    with open_host(tmp_path) as host:
        host.components.deploy(cli_guest(), name="cli")
        web = control(tmp_path)
        web.call("cli", "w", "hello()")
        followed = stream(web, f"{WORKERS}/w/output?follow=true&from=1")
        with followed as response:
            until(response, "hello")
            host.close()
            rest = documents(response.read())

    assert "HostClosingError" == rest[-1]["error"]["class"]


def test_a_caller_is_told_when_the_host_closes(tmp_path: Path) -> None:
    """503: the invocation is not lost, and somebody else may ask for it."""
    host = open_host(tmp_path)
    host.components.deploy(cli_guest(), name="cli")
    web = control(tmp_path)
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(web.call("cli", "w", "spin()", idempotency_key="k"))
    )
    caller.start()
    web.post(WORKERS, {"name": "w"})
    with stream(web, f"{WORKERS}/w/output?follow=true&from=1") as response:
        until(response, "spinning")
        host.close()
    caller.join()

    assert (503, "HostClosingError") == answers[0].error


def test_a_client_that_goes_away_leaves_its_invocation_running(web: Web, host: Host) -> None:
    """Its key gives the outcome to whoever asks next."""
    worker = host.workers.get_or_create(host.components.get("cli"), "left")
    with closing(web.connect()) as connection:
        headers = {"content-type": "application/json", "idempotency-key": "k"}
        body = json.dumps({"call": "nap(300)"})
        with stream(web, f"{WORKERS}/left/output?follow=true&from=1") as response:
            connection.request("POST", f"{WORKERS}/left/invoke-and-await", body, headers)
            until(response, "napping")
    again = web.call("cli", "left", "nap(300)", idempotency_key="k")

    assert 200 == again.status
    assert 1 == sum("napping" in line.text for line in worker.output())
