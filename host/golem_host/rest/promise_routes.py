"""The routes of promises."""

from __future__ import annotations

from typing import Final

from golem_host.rest import bodies as b
from golem_host.rest.actions import promises
from golem_host.rest.route import BODY_ERRORS, COMPONENT_ERRORS, WORKER, Route

PROMISE_ROUTES: Final = (
    Route(
        name="complete-promise",
        method="POST",
        path=f"{WORKER}/complete",
        summary="Complete a promise; false if it is completed already.",
        action=promises.complete_promise,
        body=b.CompleteBody,
        reply=bool,
        errors=(*COMPONENT_ERRORS, *BODY_ERRORS, "PromiseNotFoundError"),
    ),
    Route(
        name="list-worker-promises",
        method="GET",
        path=f"{WORKER}/promises",
        summary="Promises that a worker has made.",
        action=promises.list_worker_promises,
        query=b.PromiseListQuery,
        reply=b.PromisePage,
        errors=COMPONENT_ERRORS,
    ),
    Route(
        name="get-promise",
        method="GET",
        path=f"{WORKER}/promises/{{index}}",
        summary="A promise and its data.",
        action=promises.get_promise,
        reply=b.PromiseValue,
        errors=(*COMPONENT_ERRORS, "PromiseNotFoundError"),
    ),
    Route(
        name="delete-promise",
        method="DELETE",
        path=f"{WORKER}/promises/{{index}}",
        summary="Forget a promise.",
        action=promises.delete_promise,
        errors=COMPONENT_ERRORS,
    ),
    Route(
        name="list-promises",
        method="GET",
        path="/v1/promises",
        summary="All promises.",
        action=promises.list_all_promises,
        query=b.PromiseListQuery,
        reply=b.PromisePage,
    ),
)
