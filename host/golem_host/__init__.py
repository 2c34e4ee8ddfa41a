"""
A durable host for WebAssembly components.

```python
with Host.open(state_dir) as host:
    component = host.components.deploy("cart.wasm", name="cart")
    worker = host.workers.get_or_create(component, "alice")
    worker.invoke("add-item", {"name": "tea", "cents": 350})
```

Everything a user needs is in this namespace; submodules are not covered by semantic versioning.
Names are loaded when they are first used: importing the package loads no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from golem_host.component import Component
    from golem_host.config import HostConfig
    from golem_host.declare import (
        READ_LOCAL,
        READ_REMOTE,
        UNRECORDED,
        WRITE_LOCAL,
        WRITE_REMOTE,
    )
    from golem_host.errors import (
        ComponentError,
        ComponentNotFoundError,
        ConflictError,
        DeclarationError,
        DivergenceError,
        HostError,
        InvalidRequestError,
        InvocationExitedError,
        InvocationFailedError,
        InvocationInterruptedError,
        InvocationLostError,
        OplogLimitError,
        ParamTypeMismatchError,
        PayloadTooLargeError,
        PluginNotFoundError,
        PreviousInvocationFailedError,
        PromiseNotFoundError,
        QueueFullError,
        ResumeFailedError,
        StateDirError,
        StateDirLockedError,
        UnlinkableComponentError,
        WorkerExistsError,
        WorkerFileNotFoundError,
        WorkerNotFoundError,
    )
    from golem_host.failures import WorldError
    from golem_host.files.initial import DeployedFile, InitialFile
    from golem_host.files.look import FileEntry
    from golem_host.host import Host
    from golem_host.lending.call import CallContext
    from golem_host.lending.declaring import (
        constructor,
        function,
        interface,
        on_drop,
        resource,
        static,
    )
    from golem_host.services.promises import PromiseId, PromiseInfo
    from golem_host.trace_context import TraceContext
    from golem_host.worker.dry_run import UpdateCheck
    from golem_host.worker.explain import Explanation
    from golem_host.worker.metadata import WorkerMetadata
    from golem_host.worker.output_line import OutputLine
    from golem_host.worker.request import Call
    from golem_host.worker.retry import RetryPolicy
    from golem_host.worker.worker import Unfinished, Worker
    from golem_oplog.protocol import SyncLevel
    from golem_oplog.values import Err, Ok, ResourceRef, Result, Some, Variant

__version__ = "0.1.0"

_HOMES: Final = {
    "Call": "golem_host.worker.request",
    "CallContext": "golem_host.lending.call",
    "Component": "golem_host.component",
    "DeployedFile": "golem_host.files.initial",
    "Err": "golem_oplog.values",
    "Explanation": "golem_host.worker.explain",
    "FileEntry": "golem_host.files.look",
    "Host": "golem_host.host",
    "HostConfig": "golem_host.config",
    "InitialFile": "golem_host.files.initial",
    "Ok": "golem_oplog.values",
    "OutputLine": "golem_host.worker.output_line",
    "PromiseId": "golem_host.services.promises",
    "PromiseInfo": "golem_host.services.promises",
    "READ_LOCAL": "golem_host.declare",
    "READ_REMOTE": "golem_host.declare",
    "ResourceRef": "golem_oplog.values",
    "Result": "golem_oplog.values",
    "RetryPolicy": "golem_host.worker.retry",
    "Some": "golem_oplog.values",
    "SyncLevel": "golem_oplog.protocol",
    "TraceContext": "golem_host.trace_context",
    "UNRECORDED": "golem_host.declare",
    "Unfinished": "golem_host.worker.worker",
    "UpdateCheck": "golem_host.worker.dry_run",
    "Variant": "golem_oplog.values",
    "WRITE_LOCAL": "golem_host.declare",
    "WRITE_REMOTE": "golem_host.declare",
    "Worker": "golem_host.worker.worker",
    "WorkerMetadata": "golem_host.worker.metadata",
    "WorldError": "golem_host.failures",
    "constructor": "golem_host.lending.declaring",
    "function": "golem_host.lending.declaring",
    "interface": "golem_host.lending.declaring",
    "on_drop": "golem_host.lending.declaring",
    "resource": "golem_host.lending.declaring",
    "static": "golem_host.lending.declaring",
}

__all__ = [
    "READ_LOCAL",
    "READ_REMOTE",
    "UNRECORDED",
    "WRITE_LOCAL",
    "WRITE_REMOTE",
    "Call",
    "CallContext",
    "Component",
    "ComponentError",
    "ComponentNotFoundError",
    "ConflictError",
    "DeclarationError",
    "DeployedFile",
    "DivergenceError",
    "Err",
    "Explanation",
    "FileEntry",
    "Host",
    "HostConfig",
    "HostError",
    "InitialFile",
    "InvalidRequestError",
    "InvocationExitedError",
    "InvocationFailedError",
    "InvocationInterruptedError",
    "InvocationLostError",
    "Ok",
    "OplogLimitError",
    "OutputLine",
    "ParamTypeMismatchError",
    "PayloadTooLargeError",
    "PluginNotFoundError",
    "PreviousInvocationFailedError",
    "PromiseId",
    "PromiseInfo",
    "PromiseNotFoundError",
    "QueueFullError",
    "ResourceRef",
    "Result",
    "ResumeFailedError",
    "RetryPolicy",
    "Some",
    "StateDirError",
    "StateDirLockedError",
    "SyncLevel",
    "TraceContext",
    "Unfinished",
    "UnlinkableComponentError",
    "UpdateCheck",
    "Variant",
    "Worker",
    "WorkerExistsError",
    "WorkerFileNotFoundError",
    "WorkerMetadata",
    "WorkerNotFoundError",
    "WorldError",
    "constructor",
    "function",
    "interface",
    "on_drop",
    "resource",
    "static",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES.get(name, "golem_host.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
