"""
The classes that stand for WIT values where Python has no value of its own kind.

The other WIT types appear as plain Python values: see `golem_oplog.values`.
"""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar, Union

from golem_oplog.lazy_dataclass import dataclass

T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Variant:
    """A case of a ``variant``, by its WIT name, with its payload where it has one."""

    case: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Some:
    """A present ``option`` whose payload is an option too, so that ``Some(None)`` can be said."""

    value: object


@dataclass(frozen=True, slots=True)
class Ok(Generic[T_co]):
    """The good side of a ``result``."""

    value: T_co = None  # type: ignore[assignment] # what `Ok()` holds where there is nothing to say


@dataclass(frozen=True, slots=True)
class Err(Generic[E_co]):
    """The bad side of a ``result``: a value that is returned, never raised."""

    value: E_co = None  # type: ignore[assignment] # as of `Ok`


Result: TypeAlias = Union[Ok[T_co], Err[E_co]]
"""What a function returns that gives a ``result``: ``Result[str, int]``."""


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A resource by number: ``resource`` is ``ns:pkg/interface.name`` without a version."""

    resource: str
    handle: int
    uri: str | None = None
    """
    The worker that has it, ``urn:worker:<component-uuid>/<name>``: may be given, so that the number
    is taken for no other worker's.
    """
