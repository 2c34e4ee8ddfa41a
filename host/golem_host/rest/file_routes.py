"""The routes of initial files and of workers' private files."""

from __future__ import annotations

from typing import Final

from golem_host.rest import bodies as b
from golem_host.rest.actions import components, files
from golem_host.rest.exchange import BYTES
from golem_host.rest.route import BODY_ERRORS, WORKER, WORKER_ERRORS, Route

FILE_ROUTES: Final = (
    Route(
        name="store-file",
        method="POST",
        path="/v1/files",
        summary="Keep the content of an initial file, for `deploy-component` to refer to; one that "
        "no component has goes with the next `gc`.",
        action=components.store_file,
        body=BYTES,
        reply=b.StoredFile,
        errors=BODY_ERRORS,
    ),
    Route(
        name="list-files",
        method="GET",
        path=f"{WORKER}/files/{{path:path}}",
        summary="What is in a directory of the worker's private files; the worker is not woken.",
        action=files.list_files,
        reply=b.FileList,
        errors=(*WORKER_ERRORS, "WorkerFileNotFoundError", "DivergenceError"),
    ),
    Route(
        name="read-file",
        method="GET",
        path=f"{WORKER}/file-contents/{{path:path}}",
        summary="The content of one of the worker's private files; the worker is not woken.",
        action=files.read_file,
        reply=BYTES,
        errors=(*WORKER_ERRORS, "WorkerFileNotFoundError", "DivergenceError"),
    ),
)
