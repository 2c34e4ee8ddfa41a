"""
How an interface is declared: a class per WIT interface or resource, a method per function.

```python
@interface("wasi:clocks/wall-clock")
class WallClock:
    @function(READ_LOCAL, record="wall_clock::now")
    def now(self, services: Services) -> Datetime: ...
```

The method is the *live action* only.  The durable function type beside its name says what is
recorded; whether to perform or to answer from the log is decided in `golem_host.dispatch`, for
all functions at once.  Nothing here knows an engine, a log or a component.

Recorded names are part of the log format: changing one makes old logs diverge.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, TypeVar

from golem_oplog.entries import FunctionKind
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, WitType

READ_LOCAL: Final = FunctionKind.READ_LOCAL
WRITE_LOCAL: Final = FunctionKind.WRITE_LOCAL
READ_REMOTE: Final = FunctionKind.READ_REMOTE
WRITE_REMOTE: Final = FunctionKind.WRITE_REMOTE
WRITE_REMOTE_BATCHED: Final = FunctionKind.WRITE_REMOTE_BATCHED
UNRECORDED: Final = None
"""Deterministic given everything that is recorded: performed live and on replay alike."""

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


class Shape(Enum):
    """How a declared function is spelled among a component's imports."""

    FREE = "{name}"
    METHOD = "[method]{resource}.{name}"
    STATIC = "[static]{resource}.{name}"
    CONSTRUCTOR = "[constructor]{resource}"
    DROP = "[drop]{resource}"


@dataclass(frozen=True, slots=True)
class Observed:
    """
    The observer's form of a request: what is recorded and compared instead of all arguments.

    ``of`` receives the arguments and returns one value per parameter, all in wire form.
    """

    params: tuple[tuple[str, WitType], ...]
    of: Callable[..., tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What stands in front of one method."""

    shape: Shape
    name: str
    kind: FunctionKind | None
    record: str | None
    observed: Observed | None
    refused: bool = False
    """Every call is answered with the same error."""
    gives_wire: bool = False
    """The action returns the wire form of its result, not the public one."""


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A declaration bound to its live action: what the dispatcher links."""

    interface: str
    """``ns:pkg/name``, without a version."""
    import_name: str
    declaration: Declaration
    action: Callable[..., Any]

    @property
    def full_name(self) -> str:
        return f"{self.interface}.{{{self.import_name}}}"

    def action_for(self, imported: FunctionType) -> Callable[..., Any]:
        """
        The action for an import of this type: the same for all, where we know the types.

        Raises:
            DeclarationError: It cannot be called like that.
        """
        del imported
        return self.action


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """
    What a recorded call is in the log: its durable function type, name and types.

    Compared by identity: it is a key on the hot path.
    """

    kind: FunctionKind
    type: FunctionType


_ATTRIBUTE: Final = "__host_function__"
_INTERFACE: Final = "__interface__"
_RESOURCE: Final = "__resource__"


def interface(name: str) -> Callable[[C], C]:
    """The class declares free functions of this interface."""

    def mark(cls: C) -> C:
        setattr(cls, _INTERFACE, name)
        return cls

    return mark


def resource(interface_name: str, name: str) -> Callable[[C], C]:
    """The class declares constructor, methods, statics and drop of one resource."""

    def mark(cls: C) -> C:
        setattr(cls, _INTERFACE, interface_name)
        setattr(cls, _RESOURCE, name)
        return cls

    return mark


def function(
    kind: FunctionKind | None,
    *,
    record: str | None = None,
    name: str | None = None,
    observed: Observed | None = None,
    gives_wire: bool = False,
) -> Callable[[F], F]:
    """A free function, or inside of a `resource` class a method of it."""
    return _declare(Shape.FREE, kind, record, name, observed, gives_wire=gives_wire)


def static(kind: FunctionKind | None, *, record: str | None = None) -> Callable[[F], F]:
    return _declare(Shape.STATIC, kind, record, None, None)


def constructor(kind: FunctionKind | None, *, record: str | None = None) -> Callable[[F], F]:
    return _declare(Shape.CONSTRUCTOR, kind, record, None, None)


def on_drop(method: F) -> F:
    """
    Inside of a `resource` class: called with the object when the guest gives its handle up.

    An instance that ends drops nothing: see `golem_host.context.Part`.
    """
    setattr(method, _ATTRIBUTE, Declaration(Shape.DROP, "", UNRECORDED, None, None))
    return method


def _declare(
    shape: Shape,
    kind: FunctionKind | None,
    record: str | None,
    name: str | None,
    observed: Observed | None,
    *,
    gives_wire: bool = False,
) -> Callable[[F], F]:
    # A recorded function without a name of record would make the Python name log format.
    assert (kind is None) == (record is None), "give record= exactly where something is recorded"

    def mark(method: F) -> F:
        wit_name = name or method.__name__.replace("_", "-")
        declared = Declaration(shape, wit_name, kind, record, observed, gives_wire=gives_wire)
        setattr(method, _ATTRIBUTE, declared)
        return method

    return mark


@dataclass(frozen=True, slots=True)
class Refused:
    """
    An interface, or the rest of one, that links but answers every call with an error of its own.

    Guests import more than they use; what is not offered must still be there to be refused.
    """

    interface: str
    names: tuple[str, ...]
    """Import names, such as ``[method]descriptor.sync``."""
    answer: object
    """What each call returns, in public form."""
    resource_names: tuple[str, ...] = ()

    def functions(self) -> list[HostFunction]:
        return [
            HostFunction(
                self.interface,
                name,
                Declaration(Shape.FREE, name, UNRECORDED, None, None, refused=True),
                lambda _context, *_args: self.answer,
            )
            for name in self.names
        ]

    def resources(self) -> set[str]:
        return {f"{self.interface}.{name}" for name in self.resource_names}


class Registry:
    """
    Every host function on offer, by interface without version and import name.

    Args:
        declaring: Instances whose functions are there from the beginning.
        packages: Names of packages, such as ``wasi:io``, whose functions come when they are
            looked for.
        declaring_of: The instances of such a package.
    """

    def __init__(
        self,
        declaring: Iterable[object] = (),
        *,
        packages: Iterable[str] = (),
        declaring_of: Callable[[str], Iterable[object]] | None = None,
    ) -> None:
        self._functions: dict[tuple[str, str], HostFunction] = {}
        self._resources: set[str] = set()
        self._unopened = set(packages)
        self._declaring_of = declaring_of
        self._lock = threading.Lock()
        for instance in declaring:
            self._add(instance)

    def _open(self, name: str) -> None:
        """Load the package of an interface or a resource, where it is not yet."""
        package = name.partition("/")[0]
        if package not in self._unopened:
            return
        with self._lock:
            if package in self._unopened and self._declaring_of is not None:
                for instance in self._declaring_of(package):
                    self._add(instance)
                self._unopened.discard(package)

    def _open_all(self) -> None:
        for package in sorted(self._unopened):
            self._open(package)

    def _add(self, instance: object) -> None:
        if isinstance(instance, Refused):
            for host_function in instance.functions():
                self._put(host_function)
            self._resources.update(instance.resources())
            return
        cls = type(instance)
        interface_name: str = getattr(cls, _INTERFACE)
        resource_name: str | None = getattr(cls, _RESOURCE, None)
        if resource_name is not None:
            self._resources.add(f"{interface_name}.{resource_name}")
        for attribute in dir(cls):
            declaration: Declaration | None = getattr(getattr(cls, attribute), _ATTRIBUTE, None)
            if declaration is not None:
                shape = declaration.shape
                if resource_name is not None and shape is Shape.FREE:
                    shape = Shape.METHOD
                import_name = shape.value.format(name=declaration.name, resource=resource_name)
                self._put(
                    HostFunction(
                        interface_name, import_name, declaration, getattr(instance, attribute)
                    )
                )

    def lend(self, functions: Iterable[HostFunction], resources: Iterable[str]) -> None:
        """Offer what an embedder declares; it is ``ns:pkg/interface.resource`` that it names."""
        for host_function in functions:
            self._put(host_function)
        self._resources.update(resources)

    def _put(self, host_function: HostFunction) -> None:
        key = (host_function.interface, host_function.import_name)
        assert key not in self._functions, f"{host_function.full_name} is declared twice"
        self._functions[key] = host_function

    def find(self, interface_name: str, import_name: str) -> HostFunction | None:
        """Look up by interface name with or without a version."""
        self._open(interface_name)
        return self._functions.get((without_version(interface_name), import_name))

    def offers_resource(self, full_name: str) -> bool:
        """``full_name`` is ``ns:pkg/interface.resource``, without a version."""
        self._open(full_name)
        return full_name in self._resources

    def functions(self) -> list[HostFunction]:
        """What can be imported."""
        self._open_all()
        every = [self._functions[key] for key in sorted(self._functions)]
        return [each for each in every if each.declaration.shape is not Shape.DROP]

    def interfaces(self) -> list[str]:
        self._open_all()
        return sorted(
            {key[0] for key in self._functions} | {r.partition(".")[0] for r in self._resources}
        )


def without_version(interface_name: str) -> str:
    return interface_name.partition("@")[0]
