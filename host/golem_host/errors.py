"""
Everything the host can refuse or report, one class per thing the caller would do next.

Each error is data; the message is made from the fields, and the command line maps classes to exit
codes in one table.  Whose fault it is shows in the class: the artefact's (`ComponentError`), the
caller's (`InvalidRequestError`, `ParamTypeMismatchError`), the guest's (`InvocationFailedError`),
the world's (`StateDirError`), history's (`DivergenceError`).
"""

from __future__ import annotations

from golem_oplog.data_error import DataError
from golem_oplog.lazy_dataclass import dataclass


@dataclass(eq=False, kw_only=True)
class HostError(DataError):
    """The root of everything that this package raises on purpose."""


def os_reason(error: OSError) -> str:
    """What the operating system says of it, to stand at the end of a line."""
    return (error.strerror or str(error)).lower()


@dataclass(eq=False, kw_only=True)
class InvalidRequestError(HostError):
    """The request cannot be right, whatever the state of the host."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False, kw_only=True)
class HostClosedError(InvalidRequestError):
    """The host was closed, or is being closed: what is asked of it is for the next one."""

    reason: str = "the host is closed"


@dataclass(eq=False, kw_only=True)
class ParamTypeMismatchError(HostError):
    """An argument does not fit the export's parameter, or there are too few or too many."""

    function: str
    """Its name."""
    parameter: str
    """Name of the parameter; empty where the number of arguments is wrong."""
    reason: str

    def __str__(self) -> str:
        where = f"{self.function}, parameter {self.parameter}" if self.parameter else self.function
        return f"{where}: {self.reason}"


@dataclass(eq=False, kw_only=True)
class ComponentError(HostError):
    """The bytes are not a component that can be hosted."""

    component: str
    """File or component name, as the caller gave it."""
    reason: str

    def __str__(self) -> str:
        return f"{self.component}: {self.reason}"


@dataclass(eq=False, kw_only=True)
class UnlinkableComponentError(ComponentError):
    """Imports that this host does not offer, or offers with another type: all of them."""

    missing: tuple[str, ...]
    """Functions and resources that are not offered at all."""
    mistyped: tuple[str, ...] = ()
    """Functions that are offered with another type; the reason has both types."""


@dataclass(eq=False, kw_only=True)
class DeclarationError(HostError):
    """A host function is declared in a way that replay could not repeat."""

    function: str
    """With its type, in WIT text."""
    reason: str

    def __str__(self) -> str:
        return f"{self.function} {self.reason}"


@dataclass(eq=False, kw_only=True)
class GuestBuildError(ComponentError):
    """A guest project cannot be built; the component is the project's folder."""

    advice: str = ""
    """What to do about it, where that is known."""
    detail: str = ""
    """What the guest or the tool said: a traceback, a place in the WIT.  Several lines."""

    def __str__(self) -> str:
        line = f"{self.component}: {self.reason}"
        return f"{line}; {self.advice}" if self.advice else line


@dataclass(eq=False, kw_only=True)
class ComponentNotFoundError(HostError):
    """No component is deployed under this name or version."""

    component: str
    version: int | None = None

    def __str__(self) -> str:
        if self.version is None:
            return (
                f"no component {self.component!r} is deployed "
                "(`golem-host component list` shows those that are)"
            )
        return f"component {self.component!r} has no version {self.version}"


@dataclass(eq=False, kw_only=True)
class WorkerExistsError(HostError):
    """`create` found a worker of this name."""

    component: str
    worker: str

    def __str__(self) -> str:
        return f"worker {self.component}/{self.worker} exists already"


@dataclass(eq=False, kw_only=True)
class WorkerNotFoundError(HostError):
    """There is no worker of this name."""

    component: str
    worker: str

    def __str__(self) -> str:
        return (
            f"no worker {self.component}/{self.worker} "
            "(`golem-host worker list` shows those that exist)"
        )


@dataclass(eq=False, kw_only=True)
class WorkerFileNotFoundError(HostError):
    """The worker has nothing of this path among its private files."""

    component: str
    worker: str
    path: str

    def __str__(self) -> str:
        label = f"{self.component}/{self.worker}"
        return f"worker {label} has no {self.path[:200]!r} (`golem-host worker files {label}`)"


@dataclass(eq=False, kw_only=True)
class PromiseNotFoundError(HostError):
    """The promise was never created, or was deleted."""

    promise: str
    """In text form."""

    def __str__(self) -> str:
        return f"no promise {self.promise}"


@dataclass(eq=False, kw_only=True)
class PluginNotFoundError(HostError):
    """No plugin of this name is installed."""

    plugin: str

    def __str__(self) -> str:
        return f"no plugin {self.plugin}; `golem-host plugin list` shows those there are"


@dataclass(eq=False, kw_only=True)
class DivergenceError(HostError):
    """On replay the guest asked for something else than it did when the log was written."""

    index: int
    """Of the entry where they part."""
    recorded: str
    """What the log has there, with its arguments."""
    attempted: str
    """What the guest asked for instead."""
    last_agreed: str = ""
    """The last call before it that both have; empty if there is none."""
    cause: str = ""
    """What is wrong with the guest, where that is known."""

    def __str__(self) -> str:
        text = (
            f"replay diverged at oplog index {self.index}: "
            f"recorded {self.recorded}, attempted {self.attempted}"
        )
        if self.last_agreed:
            text = f"{text}; last agreed on {self.last_agreed}"
        return f"{text}; {self.cause}" if self.cause else text


@dataclass(eq=False, kw_only=True)
class InvocationInterruptedError(HostError):
    """The invocation was stopped on demand; `resume` continues it."""

    kind: str
    """``interrupt`` or ``timeout``."""

    def __str__(self) -> str:
        return f"the invocation was stopped ({self.kind}); resume the worker to continue it"


@dataclass(eq=False, kw_only=True)
class InvocationLostError(InvocationInterruptedError):
    """An ephemeral worker was stopped in the middle: nothing can go on with what it did."""

    kind: str = "lost"

    def __str__(self) -> str:
        return (
            "the invocation was lost: its worker is ephemeral and was stopped in the middle; "
            "invoke it again with another idempotency key"
        )


@dataclass(eq=False, kw_only=True)
class InvocationGoneError(HostError):
    """A call that a worker had accepted was canceled, or reverted with the worker's past."""

    worker: str
    """``component/name``."""
    idempotency_key: str

    def __str__(self) -> str:
        return (
            f"call {self.idempotency_key} of worker {self.worker} has no result: it was canceled, "
            "or reverted with the worker's past"
        )


@dataclass(eq=False, kw_only=True)
class InvocationFailedError(HostError):
    """The guest trapped, and no retry is left."""

    error: str
    """What the guest said last: its exception, where its language has them."""
    stderr: str = ""
    """The last lines the guest wrote to stderr during this invocation."""
    traceback: str = ""
    """The guest's own traceback, where its language prints one."""

    def __str__(self) -> str:
        return f"the invocation failed: {self.error}"


@dataclass(eq=False, kw_only=True)
class PreviousInvocationFailedError(HostError):
    """An earlier invocation failed for good: the worker takes no more until it is repaired."""

    error: str
    """Of the invocation that failed for good."""
    stderr: str = ""

    def __str__(self) -> str:
        return (
            f"an earlier invocation of this worker failed: {self.error}; "
            "update, revert or delete the worker"
        )


@dataclass(eq=False, kw_only=True)
class InvocationExitedError(HostError):
    """The guest called exit, now or in an earlier invocation."""

    exit_code: int
    """As the guest gave it."""

    def __str__(self) -> str:
        return f"the worker has exited with code {self.exit_code}"


@dataclass(eq=False, kw_only=True)
class ResumeFailedError(HostError):
    """The instance could not be rebuilt from its log."""

    worker: str
    reason: str

    def __str__(self) -> str:
        return f"worker {self.worker} cannot be resumed: {self.reason}"


@dataclass(eq=False, kw_only=True)
class PayloadTooLargeError(HostError):
    """More data left the guest in one call than the engine can carry; permanent."""

    function: str
    """What was given or returned the value; "one of ..." where the engine leaves it open."""
    caller: str = ""
    """For an import: the export that called it."""
    limit: str = "2796202 list elements (2.67 MiB as list<u8>)"

    def __str__(self) -> str:
        called = f"{self.function}, called by {self.caller}" if self.caller else self.function
        return (
            f"{called}: a value is too large; at most {self.limit} can leave a guest in "
            "one call: pass it in parts"
        )


@dataclass(eq=False, kw_only=True)
class OplogLimitError(HostError):
    """The guest has made its worker's log as large as it may be; permanent."""

    size_bytes: int
    size_bytes_max: int

    def __str__(self) -> str:
        return (
            f"the worker's oplog has grown to {self.size_bytes} bytes, and "
            f"HostConfig.oplog_bytes_max allows {self.size_bytes_max}: "
            "revert the worker and raise the bound, or delete it"
        )


@dataclass(eq=False, kw_only=True)
class QueueFullError(HostError):
    """So many calls wait for one worker that it takes no more."""

    component: str
    worker: str
    pending_max: int
    """`HostConfig.pending_max`."""

    def __str__(self) -> str:
        return (
            f"worker {self.component}/{self.worker} has {self.pending_max} calls waiting, as many "
            "as HostConfig.pending_max allows; try again when some of them are done "
            "(`golem-host worker explain` says what it waits for)"
        )


@dataclass(eq=False, kw_only=True)
class StateDirError(HostError):
    """The state directory cannot be used: damaged, read-only, full, of a newer format."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"state directory {self.path}: {self.reason}"


@dataclass(eq=False, kw_only=True)
class StateDirLockedError(StateDirError):
    """Another process owns the state directory."""

    pid: int | None
    """Of the process that owns it; None if that is not known."""

    def __str__(self) -> str:
        owner = f"process {self.pid}" if self.pid else "another process"
        return (
            f"state directory {self.path} is in use by {owner}; "
            "wait for it, stop it, or give another --state-dir"
        )


@dataclass(eq=False, kw_only=True)
class ConflictError(HostError):
    """Right in itself, but something else holds the place: another key, path or worker state."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False, kw_only=True)
class HandlerResultError(HostError):
    """A host function returned what its WIT type does not allow: a fault of the host's code."""

    function: str
    reason: str

    def __str__(self) -> str:
        return f"{self.function}: the host's answer does not fit its type: {self.reason}"


@dataclass(eq=False, kw_only=True)
class EngineMismatchError(HostError):
    """The installed wasmtime does not behave as this package was built for."""

    reason: str

    def __str__(self) -> str:
        return f"the installed wasmtime cannot be used: {self.reason}; install wasmtime 50"
