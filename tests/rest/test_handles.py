"""Handles in JSON: as results, as arguments, and in the metadata of their worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from golem_host import Host
from tests.support.handle_guests import API, handle_guest
from tests.support.rest import Answer, Web

WORKER = "/v1/components/handles/workers/main"


class Caller:
    def __init__(self, web: Web) -> None:
        self.web = web

    def call(self, function: str, *args: object) -> Answer:
        body = {"params": [{"value": arg} for arg in args]}
        return self.web.ask("POST", f"{WORKER}/invoke-and-await?function={function}", body)


@pytest.fixture
def caller(web: Web, host: Host) -> Iterator[Caller]:
    component = host.components.deploy(handle_guest(), name="handles")
    worker = host.workers.create(component, "main")
    yield Caller(web)
    worker.delete()


def test_a_handle_travels_as_a_document(caller: Caller, web: Web) -> None:
    """The result of one request is an argument of the next; so is what metadata lists."""
    made = caller.call("counter.new", 5).document["result"]
    counted = caller.call("counter.inc-by", made["value"], 3).document["result"]
    (listed,) = web.get(WORKER).document["resources"]
    component_id = web.get(WORKER).document["workerId"]["componentId"]
    again = caller.call("counter.inc-by", listed, 3).document["result"]
    dropped = caller.call("counter.drop", listed)
    closed = caller.call("counter.get", listed)

    handle = {"resource": f"{API}.counter", "handle": 1}
    assert {"type": "Handle", "resource": f"{API}.counter", "mode": "Owned"} == made["typ"]
    assert handle == made["value"]
    assert handle | {"uri": f"urn:worker:{component_id}/main"} == listed
    assert (8, 11) == (counted["value"], again["value"])
    assert 200 == dropped.status
    assert (400, "InvalidRequestError") == closed.error
    assert [] == web.get(WORKER).document["resources"]


def test_a_handle_of_another_worker_is_refused(caller: Caller) -> None:
    """If it says so; a number alone means one of this worker."""
    made = caller.call("counter.new", 5).document["result"]["value"]
    foreign = caller.call("counter.get", made | {"uri": "urn:worker:elsewhere/main"})
    malformed = caller.call("counter.get", made | {"uri": 7})

    assert (400, "InvalidRequestError") == foreign.error
    assert "urn:worker:elsewhere/main" in foreign.document["error"]["message"]
    assert (400, "ParamTypeMismatchError") == malformed.error
