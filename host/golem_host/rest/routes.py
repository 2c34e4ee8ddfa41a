"""
The route table: every operation of the REST API, once.

The application, the OpenAPI document and the manual's page are made from it.  Paths and names
follow the worker API of Golem, so that its tools' authors find what they know.
"""

from __future__ import annotations

from typing import Final

from golem_host.rest import bodies as b
from golem_host.rest.actions import components, invocations, logs, output, promises, system, workers
from golem_host.rest.exchange import BYTES, LINES, TEXT, WASM
from golem_host.rest.reports import CollectedForm, CollectQuery, ExplanationForm
from golem_host.rest.route import Route

COMPONENT: Final = "/v1/components/{component}"
WORKERS: Final = f"{COMPONENT}/workers"
WORKER: Final = f"{WORKERS}/{{worker}}"

_COMPONENT: Final = ("ComponentNotFoundError",)
_WORKER: Final = (*_COMPONENT, "WorkerNotFoundError", "CorruptOplogError")
_BODY: Final = ("BodyTooLargeError", "MediaTypeError", "SlowClientError")
_CALL: Final = (
    *_COMPONENT,
    *_BODY,
    "ParamTypeMismatchError",
    "WaveError",
    "ConflictError",
    "PreviousInvocationFailedError",
    "InvocationExitedError",
    "CorruptOplogError",
)
_OUTCOME: Final = (
    "InvocationFailedError",
    "InvocationInterruptedError",
    "DivergenceError",
    "ResumeFailedError",
    "PayloadTooLargeError",
)

ROUTES: Final = (
    # components
    Route(
        name="list-components",
        method="GET",
        path="/v1/components",
        summary="Deployed components, each with its latest version.",
        action=components.list_components,
        query=b.ComponentListQuery,
        reply=tuple[b.ComponentForm, ...],
    ),
    Route(
        name="deploy-component",
        method="POST",
        path="/v1/components",
        summary="Deploy a component, or a new version of one: other bytes or settings under the "
        "same name are version + 1, the same ones change nothing.",
        action=components.deploy_component,
        query=b.DeployQuery,
        body=WASM,
        reply=b.ComponentForm,
        errors=(*_BODY, "ComponentError", "UnlinkableComponentError", "ConflictError"),
    ),
    Route(
        name="store-file",
        method="POST",
        path="/v1/files",
        summary="Keep the content of an initial file, for `deploy-component` to refer to; one that "
        "no component has goes with the next `gc`.",
        action=components.store_file,
        body=BYTES,
        reply=b.StoredFile,
        errors=_BODY,
    ),
    Route(
        name="get-component",
        method="GET",
        path=COMPONENT,
        summary="One component, with what it exports and imports.",
        action=components.get_component,
        query=b.VersionQuery,
        reply=b.ComponentDetails,
        errors=_COMPONENT,
    ),
    Route(
        name="delete-component",
        method="DELETE",
        path=COMPONENT,
        summary="Forget a component with all its versions; refused while it has workers.",
        action=components.delete_component,
        errors=(*_COMPONENT, "ConflictError"),
    ),
    Route(
        name="get-component-wit",
        method="GET",
        path=f"{COMPONENT}/wit",
        summary="The component's world as WIT text.",
        action=components.component_wit,
        query=b.VersionQuery,
        reply=TEXT,
        errors=_COMPONENT,
    ),
    # workers
    Route(
        name="list-workers",
        method="GET",
        path=WORKERS,
        summary="Workers of a component, page by page.",
        action=workers.list_workers,
        query=b.WorkerListQuery,
        reply=b.WorkerPage,
        errors=_COMPONENT,
    ),
    Route(
        name="create-worker",
        method="POST",
        path=WORKERS,
        summary="A new worker.",
        action=workers.create_worker,
        body=b.WorkerCreateBody,
        reply=b.WorkerCreated,
        errors=(*_COMPONENT, *_BODY, "WorkerExistsError"),
    ),
    Route(
        name="get-worker",
        method="GET",
        path=WORKER,
        summary="What can be said of a worker.",
        action=workers.get_worker,
        reply=b.MetadataForm,
        errors=_WORKER,
    ),
    Route(
        name="explain-worker",
        method="GET",
        path=f"{WORKER}/explain",
        summary="In one sentence: what it waits for or why it failed, since when, and what would "
        "free it.",
        action=workers.explain_worker,
        reply=ExplanationForm,
        errors=_WORKER,
    ),
    Route(
        name="delete-worker",
        method="DELETE",
        path=WORKER,
        summary="Stop a worker and remove its log; what it did outside stays done.",
        action=workers.delete_worker,
        errors=_WORKER,
    ),
    Route(
        name="interrupt-worker",
        method="POST",
        path=f"{WORKER}/interrupt",
        summary="Stop what runs, durably, until it is resumed or invoked.",
        action=workers.interrupt_worker,
        query=b.InterruptQuery,
        errors=_WORKER,
    ),
    Route(
        name="resume-worker",
        method="POST",
        path=f"{WORKER}/resume",
        summary="Go on with what is unfinished.",
        action=workers.resume_worker,
        errors=(*_WORKER, "PreviousInvocationFailedError", "InvocationExitedError"),
    ),
    Route(
        name="simulate-crash",
        method="POST",
        path=f"{WORKER}/simulate-crash",
        summary="Throw the instance away, and rebuild it by replay.",
        action=workers.simulate_crash,
        errors=_WORKER,
    ),
    Route(
        name="update-worker",
        method="POST",
        path=f"{WORKER}/update",
        summary="Ask for another version of the worker's component.",
        action=workers.update_worker,
        body=b.UpdateBody,
        errors=(*_WORKER, *_BODY),
    ),
    Route(
        name="check-update",
        method="POST",
        path=f"{WORKER}/check-update",
        summary="Whether an automatic update would work; nothing is performed or recorded.",
        action=workers.check_update,
        body=b.CheckUpdateBody,
        reply=b.UpdateCheckForm,
        errors=(*_WORKER, *_BODY),
    ),
    Route(
        name="revert-worker",
        method="POST",
        path=f"{WORKER}/revert",
        summary="Take a worker back, to an entry or by a number of invocations.",
        action=workers.revert_worker,
        body=b.RevertBody,
        errors=(*_WORKER, *_BODY),
    ),
    Route(
        name="fork-worker",
        method="POST",
        path=f"{WORKER}/fork",
        summary="A new worker with this one's past, which goes on at once.",
        action=workers.fork_worker,
        body=b.ForkBody,
        reply=b.WorkerId,
        errors=(*_WORKER, *_BODY, "WorkerExistsError"),
    ),
    # invocations
    Route(
        name="invoke-and-await",
        method="POST",
        path=f"{WORKER}/invoke-and-await",
        summary="Call an export and wait for its result. The worker is made when there is none of "
        "this name. Ask again with the same key if the answer is lost.",
        action=invocations.invoke_and_await,
        query=b.InvokeQuery,
        body=b.InvokeBody,
        reply=b.InvocationResult,
        errors=(*_CALL, *_OUTCOME),
        takes_key=True,
        waits=True,
    ),
    Route(
        name="invoke",
        method="POST",
        path=f"{WORKER}/invoke",
        summary="Accept a call that will be made whatever happens: it is on disk when this "
        "answers. The worker is made when there is none of this name.",
        action=invocations.invoke,
        query=b.EnqueueQuery,
        body=b.InvokeBody,
        reply=b.InvocationAccepted,
        errors=_CALL,
        takes_key=True,
    ),
    Route(
        name="list-invocations",
        method="GET",
        path=f"{WORKER}/invocations",
        summary="Everything accepted and not completed, the running one first.",
        action=invocations.list_unfinished,
        reply=b.UnfinishedList,
        errors=_WORKER,
    ),
    Route(
        name="get-invocation",
        method="GET",
        path=f"{WORKER}/invocations/{{key}}",
        summary="What became of an invocation, waiting for it if asked to.",
        action=invocations.get_invocation,
        query=b.InvocationQuery,
        reply=b.InvocationForm,
        errors=(*_WORKER, "InvocationNotFoundError"),
        waits=True,
    ),
    Route(
        name="cancel-invocation",
        method="DELETE",
        path=f"{WORKER}/invocations/{{key}}",
        summary="Take an invocation out of the queue.",
        action=invocations.cancel_invocation,
        reply=b.Canceled,
        errors=(*_WORKER, "InvocationNotFoundError"),
    ),
    # logs and files
    Route(
        name="get-oplog",
        method="GET",
        path=f"{WORKER}/oplog",
        summary="The worker's oplog, page by page, or the entries of it that match a query.",
        action=logs.read_oplog,
        query=b.OplogQuery,
        reply=b.OplogPage,
        errors=(*_WORKER, "QueryError"),
    ),
    Route(
        name="export-worker",
        method="GET",
        path=f"{WORKER}/export",
        summary="The worker's oplog with its large payloads as one file.",
        action=logs.export_worker,
        reply=BYTES,
        errors=_WORKER,
    ),
    Route(
        name="import-worker",
        method="POST",
        path=f"{WORKER}/import",
        summary="A new worker from a file that `export` has made; it goes on where that one was.",
        action=logs.import_worker,
        body=BYTES,
        reply=b.WorkerCreated,
        errors=(
            *_COMPONENT,
            *_BODY,
            "ConflictError",
            "MalformedExportError",
            "UnsupportedFormatError",
            "WorkerExistsError",
        ),
    ),
    Route(
        name="stream-output",
        method="GET",
        path=f"{WORKER}/output",
        summary="What the guest has written, and with `follow` what it writes: a JSON document "
        "per line, or server-sent events where `text/event-stream` is accepted.",
        action=output.stream_output,
        query=b.OutputQuery,
        reply=LINES,
        errors=_WORKER,
    ),
    # promises
    Route(
        name="complete-promise",
        method="POST",
        path=f"{WORKER}/complete",
        summary="Complete a promise; false if it is completed already.",
        action=promises.complete_promise,
        body=b.CompleteBody,
        reply=bool,
        errors=(*_COMPONENT, *_BODY, "PromiseNotFoundError"),
    ),
    Route(
        name="list-worker-promises",
        method="GET",
        path=f"{WORKER}/promises",
        summary="Promises that a worker has made.",
        action=promises.list_worker_promises,
        query=b.PromiseListQuery,
        reply=b.PromisePage,
        errors=_COMPONENT,
    ),
    Route(
        name="get-promise",
        method="GET",
        path=f"{WORKER}/promises/{{index}}",
        summary="A promise and its data.",
        action=promises.get_promise,
        reply=b.PromiseValue,
        errors=(*_COMPONENT, "PromiseNotFoundError"),
    ),
    Route(
        name="delete-promise",
        method="DELETE",
        path=f"{WORKER}/promises/{{index}}",
        summary="Forget a promise.",
        action=promises.delete_promise,
        errors=_COMPONENT,
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
    # the host
    Route(
        name="collect",
        method="POST",
        path="/v1/gc",
        summary="Remove what nothing refers to any more; workers may run meanwhile.",
        action=system.collect,
        query=CollectQuery,
        reply=CollectedForm,
        errors=("OplogWriteError",),
    ),
    Route(
        name="health",
        method="GET",
        path="/v1/health",
        summary="Whether the host answers.",
        action=system.health,
        reply=b.Health,
    ),
    Route(
        name="version",
        method="GET",
        path="/v1/version",
        summary="The host's version and process.",
        action=system.version,
        reply=b.Version,
    ),
)
