"""Promises are completed, looked at and deleted from outside."""

from __future__ import annotations

from base64 import b64decode

import pytest

from golem_host import Host
from golem_host.services.promises import PromiseId
from tests.support.rest import Web

WORKER = "/v1/components/clock/workers/promising"


@pytest.fixture
def promise(host: Host, request: pytest.FixtureRequest) -> PromiseId:
    """A new promise of each test."""
    number = abs(hash(request.node.name)) % 2**62 + 1
    found = PromiseId(host.components.get("clock").id, "promising", number)
    host.promises.create(found)
    return found


@pytest.mark.parametrize("form", [{"data": [1, 2, 255]}, {"dataBase64": "AQL/"}])
def test_a_promise_is_completed_once(
    web: Web, host: Host, promise: PromiseId, form: dict[str, object]
) -> None:
    """The first one wins, and the second one learns that it did not."""
    body = {"oplogIdx": promise.oplog_index, **form}

    first = web.post(f"{WORKER}/complete", body)
    second = web.post(f"{WORKER}/complete", {"oplogIdx": promise.oplog_index, "data": []})

    assert (True, False) == (first.document, second.document)
    assert bytes([1, 2, 255]) == host.promises.get(promise)


def test_a_promise_is_looked_at_and_deleted(web: Web, promise: PromiseId) -> None:
    """Its data is null while it is not completed."""
    path = f"{WORKER}/promises/{promise.oplog_index}"

    before = web.get(path).document
    web.post(f"{WORKER}/complete", {"oplogIdx": promise.oplog_index, "data": [7]})
    after = web.get(path).document
    deleted = web.ask("DELETE", path)
    gone = web.get(path)
    late = web.post(f"{WORKER}/complete", {"oplogIdx": promise.oplog_index, "data": [7]})

    assert {"promiseId": str(promise), "completed": False, "dataBase64": None} == before
    assert b"\7" == b64decode(after["dataBase64"])
    assert {} == deleted.document
    assert (404, "PromiseNotFoundError") == gone.error == late.error


def test_promises_are_listed_page_by_page(web: Web, host: Host) -> None:
    """Of one worker, or of all."""
    component_id = host.components.get("clock").id
    for number in (1, 2, 3):
        host.promises.create(PromiseId(component_id, "listed", number))
    path = "/v1/components/clock/workers/listed/promises"

    first = web.get(f"{path}?count=2").document
    second = web.get(f"{path}?count=2&cursor={first['cursor']}").document
    every = web.get("/v1/promises?count=1000").document

    assert [1, 2, 3] == [p["oplogIdx"] for p in first["promises"] + second["promises"]]
    assert second["cursor"] is None
    assert {1, 2, 3} <= {
        p["oplogIdx"] for p in every["promises"] if p["workerId"]["workerName"] == "listed"
    }


@pytest.mark.parametrize(
    "body",
    [
        {"oplogIdx": 1},
        {"oplogIdx": 1, "data": [1], "dataBase64": "AQ=="},
        {"oplogIdx": 1, "data": [256]},
        {"oplogIdx": 1, "data": [-1]},
        {"oplogIdx": 1, "data": [True]},
        {"oplogIdx": 1, "data": [1.0]},
        {"oplogIdx": 1, "data": "AQ=="},
        {"oplogIdx": 1, "dataBase64": "A"},
        {"oplogIdx": 1, "dataBase64": "!!!!"},
        {"oplogIdx": 1, "dataBase64": "ü"},
        {"oplogIdx": -1, "data": []},
        {"oplogIdx": 2**64, "data": []},
        {"data": []},
    ],
)
def test_malformed_data_is_refused(web: Web, body: object) -> None:
    """Before anything is looked up."""
    assert (400, "InvalidRequestError") == web.post(f"{WORKER}/complete", body).error


@pytest.mark.parametrize("index", ["0", str(2**63), str(2**64 - 1), "99999999999999999999"])
def test_the_index_may_be_any_number(web: Web, index: str) -> None:
    """One that no log reaches names no promise."""
    assert (404, "PromiseNotFoundError") == web.get(f"{WORKER}/promises/{index}").error


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 20])
def test_a_cursor_of_somebody_else_is_refused(web: Web, cursor: str) -> None:
    """Cursors come from the page before."""
    assert (400, "InvalidRequestError") == web.get(f"/v1/promises?cursor={cursor}").error


def test_large_data_is_taken_up_to_what_a_guest_can_read(
    web: Web, host: Host, promise: PromiseId
) -> None:
    """2.67 MiB, and one byte more is refused with the limit."""
    largest = 2_796_202
    more = web.post(
        f"{WORKER}/complete", {"oplogIdx": promise.oplog_index, "data": [1] * (largest + 1)}
    )
    most = web.post(f"{WORKER}/complete", {"oplogIdx": promise.oplog_index, "data": [1] * largest})

    assert more.status in {400, 500}
    assert "2" in more.document["error"]["message"]
    assert True is most.document
    assert largest == len(host.promises.get(promise) or b"")
