"""
How an embedder declares an interface: as `golem_host.declare` does, with three differences.

A method takes no context and gives values in public form; its types come from the component that
imports it; and the name of its entries in the log follows from the interface and the function.

```python
@interface("acme:pay/api")
class Payments:
    @function(WRITE_REMOTE)
    def charge(self, account: str, cents: int) -> Result[str, str]: ...
```
"""

from __future__ import annotations

import re
from collections.abc import Callable
from keyword import iskeyword
from typing import Any, Final, TypeVar

from golem_host.declare import READ_LOCAL, READ_REMOTE, UNRECORDED, WRITE_LOCAL, WRITE_REMOTE, Shape
from golem_host.errors import DeclarationError
from golem_oplog.entries import FunctionKind
from golem_oplog.lazy_dataclass import dataclass

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])

KINDS: Final = (READ_LOCAL, WRITE_LOCAL, READ_REMOTE, WRITE_REMOTE, UNRECORDED)
"""Batched writes are left out: a batch is what several functions of the host do together."""

_ID: Final = r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*"
_INTERFACE: Final = re.compile(rf"(?:{_ID}:{_ID}/)?{_ID}(?:@[0-9A-Za-z.+-]+)?")
_NAME: Final = re.compile(_ID)

_CLASS_MARK: Final = "__lent_interface__"
_METHOD_MARK: Final = "__lent_function__"


@dataclass(frozen=True, slots=True)
class LentClass:
    """What stands above a class."""

    interface: str
    """Without a version: what a component imports is served whatever its version."""
    resource: str | None


@dataclass(frozen=True, slots=True)
class LentMethod:
    """What stands above a method."""

    shape: Shape
    name: str
    """As in WIT; empty for a constructor and a drop."""
    kind: FunctionKind | None


def interface(name: str) -> Callable[[C], C]:
    """
    The class declares functions of the interface ``ns:package/name``, with or without a version.

    Raises:
        DeclarationError: It is no such name.
    """
    return _class_mark("interface", name, None)


def resource(interface_name: str, name: str) -> Callable[[C], C]:
    """
    The class declares constructor, methods, statics and drop of one resource of an interface.

    One instance serves all resources of the kind: its constructor returns any object, which its
    methods are given as their first argument.

    Raises:
        DeclarationError: A name is none.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError(function=f"resource {name!r}", reason="is no name of a resource")
    return _class_mark("resource", interface_name, name)


def function(kind: FunctionKind | None, *, name: str | None = None) -> Callable[[F], F]:
    """
    A function, or inside of a `resource` class a method of it.

    Args:
        kind: What is recorded: see `docs/interfaces-in-python.md`.
        name: The name in WIT, where it is not that of the method with dashes.
    """
    return _method_mark("function", Shape.FREE, kind, name)


def static(kind: FunctionKind | None, *, name: str | None = None) -> Callable[[F], F]:
    """A static function of a `resource`; it is given no object."""
    return _method_mark("static", Shape.STATIC, kind, name)


def constructor(kind: FunctionKind | None = UNRECORDED) -> Callable[[F], F]:
    """Makes the object that stands behind a new handle; runs again on replay."""
    return _method_mark("constructor", Shape.CONSTRUCTOR, kind, "")


def on_drop(method: F) -> F:
    """
    Called with the object when the guest gives its handle up, on replay too.

    An instance that ends drops nothing.
    """
    setattr(method, _METHOD_MARK, LentMethod(Shape.DROP, "", UNRECORDED))
    return method


def class_mark(cls: type) -> LentClass | None:
    """What stands above a class, if anything does."""
    found = getattr(cls, _CLASS_MARK, None)
    return found if isinstance(found, LentClass) else None


def method_mark(attribute: object) -> LentMethod | None:
    """What stands above a method, if anything does."""
    found = getattr(attribute, _METHOD_MARK, None)
    return found if isinstance(found, LentMethod) else None


def _class_mark(
    decorator: str, interface_name: object, resource_name: str | None
) -> Callable[[C], C]:
    if not isinstance(interface_name, str) or not _INTERFACE.fullmatch(interface_name):
        raise DeclarationError(
            function=f"@{decorator}({interface_name!r})",
            reason='names no interface; write it as in WIT: "acme:pay/api"',
        )
    found = LentClass(interface_name.partition("@")[0], resource_name)

    def mark(cls: C) -> C:
        setattr(cls, _CLASS_MARK, found)
        return cls

    return mark


def _method_mark(
    decorator: str, shape: Shape, kind: FunctionKind | None, name: str | None
) -> Callable[[F], F]:
    if kind not in KINDS:
        # Most likely the decorator without its brackets.
        raise DeclarationError(
            function=f"@{decorator}",
            reason="needs a durable function type: READ_LOCAL, WRITE_LOCAL, READ_REMOTE, "
            f"WRITE_REMOTE or UNRECORDED, as in @{decorator}(READ_REMOTE)",
        )

    def mark(method: F) -> F:
        wit_name = wit_name_of(method.__name__) if name is None else name
        if wit_name and not _NAME.fullmatch(wit_name):
            raise DeclarationError(
                function=f"@{decorator} above {method.__name__}",
                reason=f"{wit_name!r} is no name of a function in WIT; give name=",
            )
        setattr(method, _METHOD_MARK, LentMethod(shape, wit_name, kind))
        return method

    return mark


def wit_name_of(python_name: str) -> str:
    """``charge_card`` is ``charge-card``, ``from_`` is ``from``."""
    bare = python_name.removesuffix("_")
    return (bare if iskeyword(bare) else python_name).replace("_", "-")
