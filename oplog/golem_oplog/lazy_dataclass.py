"""
``@dataclass`` of the standard library, with its methods compiled when they are first needed.

The standard one compiles five methods of every class while its module is imported, which was most
of what importing this project cost; a short command makes instances of a third of the classes, and
compares or prints hardly any.  Here a class has its fields at once, so `dataclasses.fields`,
`replace` and positional patterns work as ever, and stand-ins for its methods.  The first call of a
stand-in puts the method itself in its place: ``__init__`` is written here, the others are those of
the standard decorator, made on a plain class with the same fields.

Of the standard parameters ``eq``, ``frozen``, ``kw_only`` and ``slots`` are offered.  `InitVar` is
not, and that no frozen class derives from another kind is left to the type checker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Final

__all__ = ["dataclass"]

_COMPARED: Final = ("__eq__", "__hash__")


def _dataclass(
    cls: type | None = None,
    *,
    eq: bool = True,
    frozen: bool = False,
    kw_only: bool = False,
    slots: bool = False,
) -> type | Callable[[type], type]:
    def decorate(cls: type) -> type:
        # What the class itself defines stays, as with the standard decorator.
        own = {name for name, value in vars(cls).items() if value is not None}
        # The standard decorator would derive a missing sentence from the signature, at length.
        cls.__doc__ = cls.__doc__ or cls.__name__
        made: type = dataclasses.dataclass(
            init=False, repr=False, eq=False, kw_only=kw_only, slots=slots
        )(cls)
        if "__init__" not in own:
            _install(made, "__init__", partial(_compile_init, made, frozen=frozen))
        for name in ("__repr__", *(_COMPARED if eq else ())):
            if name not in own:
                _install(made, name, partial(_standard, made, name))
        if eq and not frozen and "__hash__" not in own:
            # What can change is no key.
            _put(made, "__hash__", None)
        if frozen:
            _freeze(made, slots=slots)
        return made

    return decorate if cls is None else decorate(cls)


def _install(cls: type, name: str, make: Callable[[], object]) -> None:
    def stand_in(self: object, *args: object, **kwargs: object) -> object:
        # Two threads may both do this: what they put in place is the same.
        _put(cls, name, make())
        return getattr(cls, name)(self, *args, **kwargs)

    _put(cls, name, stand_in)


def _put(cls: type, name: str, value: object) -> None:
    setattr(cls, name, value)


def _compile_init(cls: type, *, frozen: bool) -> object:
    """Field by field, as the standard ``__init__`` does."""
    names: dict[str, object] = {"_set": object.__setattr__, "_missing": dataclasses.MISSING}
    positional = ["self"]
    by_keyword: list[str] = []
    body: list[str] = []
    for field in dataclasses.fields(cls):
        name = value = field.name
        parameter = name
        if field.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
            value = name if field.init else f"_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            names[f"_make_{name}"] = field.default_factory
            parameter = f"{name}=_missing"
            value = f"_make_{name}()"
            if field.init:
                value += f" if {name} is _missing else {name}"
        if field.init:
            (by_keyword if field.kw_only else positional).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    if by_keyword:
        positional += ["*", *by_keyword]
    lines = "\n ".join(body or ["pass"])
    # All of it is made of the names of fields.
    exec(f"def __init__({', '.join(positional)}):\n {lines}", names)  # noqa: S102
    init: object = names["__init__"]
    assert isinstance(init, FunctionType)
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _standard(cls: type, name: str) -> object:
    """A method other than ``__init__``, which says nothing of the class that it was made for."""
    pattern = dataclasses.make_dataclass(
        cls.__name__,
        [(field.name, field.type, field) for field in dataclasses.fields(cls)],
        namespace={"__doc__": cls.__doc__},
        init=False,
        unsafe_hash=True,
    )
    method: object = vars(pattern)[name]
    return method


def _freeze(cls: type, *, slots: bool) -> None:
    _put(cls, "__setattr__", _refuse_set)
    _put(cls, "__delattr__", _refuse_delete)
    if slots:
        # Otherwise a copy would be set field by field.
        _put(cls, "__getstate__", _get_state)
        _put(cls, "__setstate__", _set_state)


def _refuse_set(self: object, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: object) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]  # type: ignore[arg-type]


def _set_state(self: object, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):  # type: ignore[arg-type]
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    # Type checkers know the standard one by its name.
    from dataclasses import dataclass
else:
    dataclass = _dataclass
