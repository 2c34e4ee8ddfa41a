"""
Errors as JSON, and the one table from error class to HTTP status.

``{"error": {"class": "WorkerNotFoundError", "message": "...", "fields": {...}}}``: the class and
its fields are enough to raise the same error again at the other end.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Final

from golem_host import errors as host_errors
from golem_host.errors import HostError
from golem_oplog import errors as oplog_errors
from golem_oplog.data_error import DataError
from golem_oplog.lazy_dataclass import dataclass


@dataclass(eq=False, kw_only=True)
class RestError(HostError):
    """What the REST API itself refuses."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class UnauthorizedError(RestError):
    """The token is missing or wrong."""


class ForbiddenOriginError(RestError):
    """The request comes from a web page of another site, or names another host than this one."""


class NoSuchPathError(RestError):
    """No operation has this path."""


class MethodNotAllowedError(RestError):
    """The path has operations, but not with this method."""


class BodyTooLargeError(RestError):
    """More bytes than a body may have."""


class MediaTypeError(RestError):
    """The body is not of the media type that the operation takes."""


class SlowClientError(RestError):
    """The body did not arrive in time."""


class InvocationNotFoundError(RestError):
    """The worker has accepted nothing under this key."""


class OverloadedError(RestError):
    """Too many requests are in work; try again."""


class HostClosingError(RestError):
    """The host is closing.  What was accepted stays accepted; the next owner goes on with it."""


class InternalError(RestError):
    """A mistake in this program."""


STATUS: Final = {
    # the caller's
    "InvalidRequestError": 400,
    "ParamTypeMismatchError": 400,
    "ValueTypeError": 400,
    "WaveError": 400,
    "QueryError": 400,
    "UnauthorizedError": 401,
    "ForbiddenOriginError": 403,
    "NoSuchPathError": 404,
    "ComponentNotFoundError": 404,
    "WorkerNotFoundError": 404,
    "WorkerFileNotFoundError": 404,
    "PluginNotFoundError": 404,
    "PromiseNotFoundError": 404,
    "InvocationNotFoundError": 404,
    "NoSuchEntryError": 404,
    "OplogNotFoundError": 404,
    "MethodNotAllowedError": 405,
    "SlowClientError": 408,
    "WorkerExistsError": 409,
    "ConflictError": 409,
    "StateDirLockedError": 409,
    "OplogExistsError": 409,
    "OplogInUseError": 409,
    "BodyTooLargeError": 413,
    "MediaTypeError": 415,
    "QueueFullError": 429,
    # the artefact's
    "ComponentError": 422,
    "EntryTooLargeError": 422,
    "MalformedExportError": 422,
    "UnsupportedFormatError": 422,
    # the worker's: in a state in which it cannot do this
    "InvocationInterruptedError": 409,
    "PreviousInvocationFailedError": 409,
    "InvocationExitedError": 409,
    # the guest's
    "InvocationFailedError": 500,
    "PayloadTooLargeError": 500,
    "DivergenceError": 500,
    "ResumeFailedError": 500,
    # ours and the world's
    "StateDirError": 500,
    "OplogError": 500,
    "HostError": 500,
    "InternalError": 500,
    "OverloadedError": 503,
    "HostClosingError": 503,
}
"""A class that is not here has the status of the nearest one above it."""

TIMEOUT_STATUS: Final = 504
"""An invocation that was interrupted because its caller's time ran out."""


def status_of(error: BaseException) -> int:
    if getattr(error, "kind", None) == "timeout":
        return TIMEOUT_STATUS
    return next((STATUS[c.__name__] for c in type(error).__mro__ if c.__name__ in STATUS), 500)


def document_of(error: BaseException) -> dict[str, object]:
    """The JSON form of an error; of one that is none of ours, no more than its class."""
    if not isinstance(error, DataError):
        reason = f"{type(error).__name__} (the host's log has more)"
        error = InternalError(reason=f"internal error, please report it: {reason}")
    values = {f.name: _plain(getattr(error, f.name)) for f in fields(error)}
    return {
        "error": {"class": type(error).__name__, "message": str(error), "fields": values},
    }


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def error_of(document: object) -> HostError | oplog_errors.OplogError | None:
    """The error that a document describes; None where it describes none of ours."""
    match document:
        case {"error": {"class": str(name), "fields": {**values}}}:
            pass
        case _:
            return None
    cls = error_classes().get(name)
    if cls is None:
        return None
    known = {f.name for f in fields(cls)}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
    try:
        return cls(**given)
    except TypeError:
        # Another version's error of this name has other fields.
        return None


def error_classes() -> Mapping[str, type[HostError | oplog_errors.OplogError]]:
    if not _CLASSES:
        for module in (host_errors, oplog_errors, inspect.getmodule(RestError)):
            assert isinstance(module, ModuleType)
            members = inspect.getmembers(module, inspect.isclass)
            _CLASSES.update({n: c for n, c in members if issubclass(c, _ROOTS) and is_dataclass(c)})
    return _CLASSES


_ROOTS: Final = (HostError, oplog_errors.OplogError)
_CLASSES: dict[str, type[HostError | oplog_errors.OplogError]] = {}
