"""
The route table: every operation of the REST API, once.

The application, the OpenAPI document and the manual's page are made from it.  Paths and names
follow the worker API of Golem, so that its tools' authors find what they know.
"""

from __future__ import annotations

from typing import Final

from golem_host.rest import bodies as b
from golem_host.rest.actions import (
    components,
    invocations,
    logs,
    output,
    system,
    workers,
)
from golem_host.rest.exchange import BYTES, LINES, TEXT, WASM
from golem_host.rest.file_routes import FILE_ROUTES
from golem_host.rest.input_routes import INPUT_ROUTES
from golem_host.rest.plugin_routes import PLUGIN_ROUTES
from golem_host.rest.promise_routes import PROMISE_ROUTES
from golem_host.rest.reports import CollectedForm, CollectQuery, ExplanationForm
from golem_host.rest.route import (
    BODY_ERRORS,
    COMPONENT,
    COMPONENT_ERRORS,
    WORKER,
    WORKER_ERRORS,
    WORKERS,
    Route,
)

_CALL: Final = (
    *COMPONENT_ERRORS,
    *BODY_ERRORS,
    "ParamTypeMismatchError",
    "WaveError",
    "ConflictError",
    "QueueFullError",
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
        errors=(*BODY_ERRORS, "ComponentError", "UnlinkableComponentError", "ConflictError"),
    ),
    Route(
        name="get-component",
        method="GET",
        path=COMPONENT,
        summary="One component, with what it exports and imports.",
        action=components.get_component,
        query=b.VersionQuery,
        reply=b.ComponentDetails,
        errors=COMPONENT_ERRORS,
    ),
    Route(
        name="delete-component",
        method="DELETE",
        path=COMPONENT,
        summary="Forget a component with all its versions; refused while it has workers.",
        action=components.delete_component,
        errors=(*COMPONENT_ERRORS, "ConflictError"),
    ),
    Route(
        name="get-component-wit",
        method="GET",
        path=f"{COMPONENT}/wit",
        summary="The component's world as WIT text.",
        action=components.component_wit,
        query=b.VersionQuery,
        reply=TEXT,
        errors=COMPONENT_ERRORS,
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
        errors=COMPONENT_ERRORS,
    ),
    Route(
        name="create-worker",
        method="POST",
        path=WORKERS,
        summary="A new worker.",
        action=workers.create_worker,
        body=b.WorkerCreateBody,
        reply=b.WorkerCreated,
        errors=(*COMPONENT_ERRORS, *BODY_ERRORS, "WorkerExistsError"),
    ),
    Route(
        name="get-worker",
        method="GET",
        path=WORKER,
        summary="What can be said of a worker.",
        action=workers.get_worker,
        reply=b.MetadataForm,
        errors=WORKER_ERRORS,
    ),
    Route(
        name="explain-worker",
        method="GET",
        path=f"{WORKER}/explain",
        summary="In one sentence: what it waits for or why it failed, since when, and what would "
        "free it.",
        action=workers.explain_worker,
        reply=ExplanationForm,
        errors=WORKER_ERRORS,
    ),
    Route(
        name="delete-worker",
        method="DELETE",
        path=WORKER,
        summary="Stop a worker and remove its log; what it did outside stays done.",
        action=workers.delete_worker,
        errors=WORKER_ERRORS,
    ),
    Route(
        name="grant-net",
        method="PUT",
        path=f"{WORKER}/net",
        summary="What the worker may do on the network besides what all may, while this host runs; "
        "only through the control socket.",
        action=workers.grant_net,
        body=b.NetBody,
        errors=(*WORKER_ERRORS, *BODY_ERRORS),
    ),
    Route(
        name="interrupt-worker",
        method="POST",
        path=f"{WORKER}/interrupt",
        summary="Stop what runs, durably, until it is resumed or invoked.",
        action=workers.interrupt_worker,
        query=b.InterruptQuery,
        errors=WORKER_ERRORS,
    ),
    Route(
        name="resume-worker",
        method="POST",
        path=f"{WORKER}/resume",
        summary="Go on with what is unfinished.",
        action=workers.resume_worker,
        errors=(*WORKER_ERRORS, "PreviousInvocationFailedError", "InvocationExitedError"),
    ),
    Route(
        name="simulate-crash",
        method="POST",
        path=f"{WORKER}/simulate-crash",
        summary="Throw the instance away, and rebuild it by replay.",
        action=workers.simulate_crash,
        errors=WORKER_ERRORS,
    ),
    Route(
        name="update-worker",
        method="POST",
        path=f"{WORKER}/update",
        summary="Ask for another version of the worker's component.",
        action=workers.update_worker,
        body=b.UpdateBody,
        errors=(*WORKER_ERRORS, *BODY_ERRORS),
    ),
    Route(
        name="check-update",
        method="POST",
        path=f"{WORKER}/check-update",
        summary="Whether an automatic update would work; nothing is performed or recorded.",
        action=workers.check_update,
        body=b.CheckUpdateBody,
        reply=b.UpdateCheckForm,
        errors=(*WORKER_ERRORS, *BODY_ERRORS),
    ),
    Route(
        name="revert-worker",
        method="POST",
        path=f"{WORKER}/revert",
        summary="Take a worker back, to an entry or by a number of invocations.",
        action=workers.revert_worker,
        body=b.RevertBody,
        errors=(*WORKER_ERRORS, *BODY_ERRORS),
    ),
    Route(
        name="fork-worker",
        method="POST",
        path=f"{WORKER}/fork",
        summary="A new worker with this one's past, which goes on at once.",
        action=workers.fork_worker,
        body=b.ForkBody,
        reply=b.WorkerId,
        errors=(*WORKER_ERRORS, *BODY_ERRORS, "WorkerExistsError"),
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
        errors=WORKER_ERRORS,
    ),
    Route(
        name="get-invocation",
        method="GET",
        path=f"{WORKER}/invocations/{{key}}",
        summary="What became of an invocation, waiting for it if asked to.",
        action=invocations.get_invocation,
        query=b.InvocationQuery,
        reply=b.InvocationForm,
        errors=(*WORKER_ERRORS, "InvocationNotFoundError"),
        waits=True,
    ),
    Route(
        name="cancel-invocation",
        method="DELETE",
        path=f"{WORKER}/invocations/{{key}}",
        summary="Take an invocation out of the queue.",
        action=invocations.cancel_invocation,
        reply=b.Canceled,
        errors=(*WORKER_ERRORS, "InvocationNotFoundError"),
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
        errors=(*WORKER_ERRORS, "QueryError"),
    ),
    Route(
        name="export-worker",
        method="GET",
        path=f"{WORKER}/export",
        summary="The worker's oplog with its large payloads as one file.",
        action=logs.export_worker,
        reply=BYTES,
        errors=WORKER_ERRORS,
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
            *COMPONENT_ERRORS,
            *BODY_ERRORS,
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
        errors=WORKER_ERRORS,
    ),
    *INPUT_ROUTES,
    *FILE_ROUTES,
    *PROMISE_ROUTES,
    *PLUGIN_ROUTES,
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
