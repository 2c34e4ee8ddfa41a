"""
A durable host for WebAssembly components.

```python
with Host.open(state_dir) as host:
    component = host.components.deploy("cart.wasm", name="cart")
    worker = host.workers.get_or_create(component, "alice")
    worker.invoke("add-item", {"name": "tea", "cents": 350})
```

Everything a user needs is in this namespace; submodules are not covered by semantic versioning.
"""

from golem_host.component import Component
from golem_host.config import HostConfig
from golem_host.errors import (
    ComponentError,
    ComponentNotFoundError,
    ConflictError,
    DivergenceError,
    HostError,
    InvalidRequestError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
    ParamTypeMismatchError,
    PayloadTooLargeError,
    PreviousInvocationFailedError,
    PromiseNotFoundError,
    ResumeFailedError,
    StateDirError,
    StateDirLockedError,
    UnlinkableComponentError,
    WorkerExistsError,
    WorkerNotFoundError,
)
from golem_host.host import Host
from golem_host.worker.metadata import WorkerMetadata
from golem_host.worker.request import Call
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import OutputLine, Unfinished, Worker
from golem_oplog.protocol import SyncLevel
from golem_oplog.values import Err, Ok, ResourceRef, Some, Variant

__version__ = "0.1.0"

__all__ = [
    "Call",
    "Component",
    "ComponentError",
    "ComponentNotFoundError",
    "ConflictError",
    "DivergenceError",
    "Err",
    "Host",
    "HostConfig",
    "HostError",
    "InvalidRequestError",
    "InvocationExitedError",
    "InvocationFailedError",
    "InvocationInterruptedError",
    "Ok",
    "OutputLine",
    "ParamTypeMismatchError",
    "PayloadTooLargeError",
    "PreviousInvocationFailedError",
    "PromiseNotFoundError",
    "ResourceRef",
    "ResumeFailedError",
    "RetryPolicy",
    "Some",
    "StateDirError",
    "StateDirLockedError",
    "SyncLevel",
    "Unfinished",
    "UnlinkableComponentError",
    "Variant",
    "Worker",
    "WorkerExistsError",
    "WorkerMetadata",
    "WorkerNotFoundError",
]
