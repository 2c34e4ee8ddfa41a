"""Every document of the REST API but guest values, as dataclasses: see `golem_host.rest.shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from golem_host.rest.bounds import PAGE_DEFAULT
from golem_host.rest.shapes import Json
from golem_oplog.lazy_dataclass import dataclass

Texts = tuple[str, ...]


# -- components ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A content that `file` of a deployment may refer to."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class InitialFileForm:
    """What every worker of the version finds in its private root."""

    path: str
    sha256: str
    size_bytes: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class ComponentForm:
    """One version of a component."""

    component_id: Annotated[str, "UUID, the same for all versions."]
    name: str
    version: int
    sha256: str
    size_bytes: int
    initial_memory_bytes: int
    source: Annotated[str | None, "Absolute path of the file or folder it was deployed from."]
    env: Mapping[str, str]
    config_vars: Mapping[str, str]
    ephemeral: bool
    files: tuple[InitialFileForm, ...] = ()


@dataclass(frozen=True, slots=True)
class ComponentDetails:
    """A version of a component with the functions at its borders, each as in `exports`."""

    component: ComponentForm
    exports: Annotated[
        tuple[Json, ...],
        'Functions: `{"name", "interface", "function", "params": [{"name", "typ"}], "result"}`.',
    ]
    imports: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class DeployQuery:
    name: str
    source: Annotated[str | None, "Absolute path of where the bytes are from."] = None
    env: Annotated[Texts, "`NAME=VALUE`, for all of its workers; may be repeated."] = ()
    config_var: Annotated[Texts, "`NAME=VALUE`; may be repeated."] = ()
    ephemeral: bool = False
    file: Annotated[
        Texts,
        "`SHA256::PATH` or `SHA256::PATH::ro`: a content of `store-file` for every worker, at an "
        "absolute path, read-only or not; may be repeated.",
    ] = ()


@dataclass(frozen=True, slots=True)
class VersionQuery:
    version: Annotated[int | None, "The latest one where it is not given."] = None


@dataclass(frozen=True, slots=True)
class ComponentListQuery:
    all_versions: bool = False


# -- workers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerId:
    component_id: str
    worker_name: str


@dataclass(frozen=True, slots=True)
class UpdateForm:
    target_version: int
    state: Annotated[str, "`pending`, `successful` or `failed`."]
    details: str | None


@dataclass(frozen=True, slots=True)
class ResourceForm:
    """A handle to a resource of a guest, in the form that an argument has."""

    resource: Annotated[str, "`ns:pkg/interface.name`."]
    handle: int
    uri: Annotated[str, "`urn:worker:<component-uuid>/<name>` of the worker."]


@dataclass(frozen=True, slots=True)
class MetadataForm:
    """A worker at one moment, as its log says."""

    worker_id: WorkerId
    component_name: str
    status: Annotated[str, "A case of `golem:api/host.worker-status`."]
    component_version: int
    pending_invocation_count: int
    retry_count: int
    last_error: str | None
    oplog_index: int
    args: Texts
    env: Mapping[str, str]
    config_vars: Mapping[str, str]
    reason: Annotated[str, "What it waits for or why it stands; empty when idle."]
    updates: tuple[UpdateForm, ...]
    created_at: str
    resources: Annotated[
        tuple[ResourceForm, ...], "Handles that its guest has given out and not got back."
    ] = ()
    plugins: Annotated[Texts, "Ids of the plugins that are active for it."] = ()
    dirs: Annotated[Texts, "Directories of the host that it was granted; not in lists."] = ()
    last_traceback: Annotated[
        str, "The guest's own account of `last_error`, where its language gives one; not in lists."
    ] = ""


@dataclass(frozen=True, slots=True)
class DamagedForm:
    """A worker whose log cannot be read."""

    worker_id: WorkerId
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerPage:
    workers: tuple[MetadataForm, ...]
    cursor: Annotated[str | None, "Give it back for the next page; null after the last one."]
    damaged: Annotated[tuple[DamagedForm, ...], "Those of the page whose log cannot be read."] = ()


@dataclass(frozen=True, slots=True)
class WorkerListQuery:
    filter: Annotated[
        Texts,
        "`PROPERTY COMPARATOR VALUE`, as in `status = idle`, `version >= 2`, `env.NAME like abc`; "
        "may be repeated, and all must hold. Properties: name, status, version, created-at, "
        "env.NAME, config.NAME.",
    ] = ()
    cursor: str | None = None
    count: int = PAGE_DEFAULT
    precise: Annotated[bool, "Status is always exact here; taken for compatibility."] = True


@dataclass(frozen=True, slots=True)
class WorkerCreateBody:
    name: str
    args: Texts = ()
    env: Mapping[str, str] = field(default_factory=dict)
    config_vars: Mapping[str, str] = field(default_factory=dict)
    dirs: Annotated[
        Texts,
        "Directories of the host, `HOST::GUEST` or `HOST::GUEST::ro`; only through the control "
        "socket.",
    ] = ()


@dataclass(frozen=True, slots=True)
class WorkerCreated:
    worker_id: WorkerId
    component_version: int


@dataclass(frozen=True, slots=True)
class NetBody:
    net: Annotated[Texts, "Patterns as `--net` takes them."] = ()


@dataclass(frozen=True, slots=True)
class InterruptQuery:
    recover_immediately: Annotated[bool, "Rebuild it at once, as after a crash."] = False


@dataclass(frozen=True, slots=True)
class UpdateBody:
    target_version: int
    mode: Literal["automatic", "snapshot-based"] = "automatic"


@dataclass(frozen=True, slots=True)
class CheckUpdateBody:
    target_version: int


@dataclass(frozen=True, slots=True)
class UpdateCheckForm:
    """Whether the worker's log can be replayed with another version."""

    version: int
    ok: bool
    replayed_to: int
    requests_differing: int
    difference: Annotated[Json, "The first difference, as an error; or null."]
    reason: str


@dataclass(frozen=True, slots=True)
class RevertBody:
    """Exactly one of the two."""

    last_oplog_index: Annotated[int | None, "The last entry that remains."] = None
    number_of_invocations: Annotated[int | None, "How many of the last ones are undone."] = None


@dataclass(frozen=True, slots=True)
class ForkTarget:
    worker_name: str
    component_id: Annotated[str | None, "That of the source, if it is given."] = None


@dataclass(frozen=True, slots=True)
class ForkBody:
    target_worker_id: ForkTarget
    oplog_index_cutoff: Annotated[
        int | None, "The last entry that the new worker has; the last there is, if not given."
    ] = None


# -- invocations --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InvokeQuery:
    function: Annotated[str | None, "The export, where the body has `params`."] = None
    timeout: Annotated[
        float | None, "Seconds, after which the invocation is interrupted, durably."
    ] = None
    retry: Annotated[bool, "Whether an attempt that traps is made again."] = True


@dataclass(frozen=True, slots=True)
class EnqueueQuery:
    function: Annotated[str | None, "The export, where the body has `params`."] = None
    at: Annotated[str | None, "When it is to begin at the earliest: RFC 3339."] = None


@dataclass(frozen=True, slots=True)
class InvokeBody:
    """Either `params`, for the function in the query, or `call`."""

    params: Annotated[
        tuple[Json, ...] | None, '`{"value": ...}` each, with its type as `typ` or without.'
    ] = None
    call: Annotated[str | None, 'WAVE, as in `add-item("tea", 350)`.'] = None


@dataclass(frozen=True, slots=True)
class InvocationResult:
    result: Annotated[Json, '`{"typ": ..., "value": ...}`; null where the function has no result.']
    idempotency_key: str
    oplog_index: Annotated[int, "Everything up to this entry is durable."]


@dataclass(frozen=True, slots=True)
class InvocationAccepted:
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class InvocationQuery:
    wait: Annotated[float, "Wait so many seconds for the outcome, if there is none yet."] = 0.0


@dataclass(frozen=True, slots=True)
class InvocationForm:
    """An invocation and its outcome, if there is one: a result or an error."""

    idempotency_key: str
    function: Annotated[str, "The export's full name."]
    done: bool
    result: Json
    error: Annotated[Json, "As `error` in the body of a failed request."]


@dataclass(frozen=True, slots=True)
class UnfinishedForm:
    idempotency_key: str
    function: str
    params: Annotated[tuple[Json, ...], '`{"name", "typ", "value"}` each.']
    running: bool


@dataclass(frozen=True, slots=True)
class UnfinishedList:
    invocations: Annotated[tuple[UnfinishedForm, ...], "The running one first."]


@dataclass(frozen=True, slots=True)
class Canceled:
    canceled: Annotated[bool, "False: it is done already."]


# -- logs and files -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OplogQuery:
    from_: Annotated[int, "First index."] = 1
    count: int = PAGE_DEFAULT
    cursor: Annotated[str | None, "From the page before, instead of `from`."] = None
    query: Annotated[str | None, "Only entries that it holds for; see `docs/search.md`."] = None


@dataclass(frozen=True, slots=True)
class OplogPage:
    entries: Annotated[
        tuple[Json, ...], "As `golem-host dump --json` prints them: index, timestamp, kind, fields."
    ]
    next: Annotated[str | None, "The cursor of the next page; null after the last one."]
    last_index: Annotated[int, "Index of the log's last entry."]


@dataclass(frozen=True, slots=True)
class OutputQuery:
    from_: Annotated[int | None, "First index; from the start, or with `follow` from now on."] = (
        None
    )
    follow: Annotated[bool, "Go on with what is written, until the client closes."] = False


@dataclass(frozen=True, slots=True)
class InputLoan:
    """A standard input."""

    keys: Annotated[Texts | None, "Of the invocations that it is for; null for any."] = None
    terminal: Annotated[bool, "Somebody types it: what was read is kept at once."] = False


@dataclass(frozen=True, slots=True)
class InputPiece:
    """What there is at a position of a standard input."""

    key: Annotated[str, "The invocation that asked for it."]
    position: Annotated[int, "The one that was asked for, in bytes."]
    size: Annotated[int, "How much was asked for; 0: there is something now."]
    base64: Annotated[str, "What is there, at most so much; nothing where the input ends."] = ""
    error: Annotated[str, "Why it cannot be read; empty where it can."] = ""


@dataclass(frozen=True, slots=True)
class InputTaken:
    taken: Annotated[bool, "False where something else is wanted by now."]


@dataclass(frozen=True, slots=True)
class FileForm:
    """What a name among a worker's private files stands for."""

    name: str
    is_dir: bool
    size: Annotated[int, "Bytes; 0 of a directory."]
    read_only: bool


@dataclass(frozen=True, slots=True)
class FileList:
    nodes: Annotated[tuple[FileForm, ...], "By name; of a file its own."]


# -- promises -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CompleteBody:
    """The promise by its index, and exactly one of the two forms of its data."""

    oplog_idx: int
    data: Annotated[Json | None, "An array with one number from 0 to 255 per byte."] = None
    data_base64: str | None = None


@dataclass(frozen=True, slots=True)
class PromiseForm:
    promise_id: Annotated[str, "`COMPONENT-ID/WORKER-NAME/OPLOG-INDEX`."]
    worker_id: WorkerId
    oplog_idx: int
    completed: bool
    size_bytes: int
    created_at: str


@dataclass(frozen=True, slots=True)
class PromisePage:
    promises: tuple[PromiseForm, ...]
    cursor: Annotated[str | None, "Give it back for the next page; null after the last one."]


@dataclass(frozen=True, slots=True)
class PromiseListQuery:
    cursor: str | None = None
    count: int = PAGE_DEFAULT


@dataclass(frozen=True, slots=True)
class PromiseValue:
    promise_id: str
    completed: bool
    data_base64: Annotated[str | None, "Null while it is not completed."]


# -- the host -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    status: Literal["ok"]


@dataclass(frozen=True, slots=True)
class Version:
    version: str
    pid: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty object."""


@dataclass(frozen=True, slots=True)
class NoQuery:
    """No parameters."""
