"""
Small immutable classes that cost nothing at start-up.

`dataclasses` writes and compiles the source of six methods for each class, which for the some
hundred classes of this project took a quarter of the time of a short command.  Here the methods
are closures.  Only what those classes need is supported: fields, defaults, positional and keyword
arguments; no inheritance between them, no factories, no `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import get_annotations
from operator import attrgetter
from typing import NoReturn, TypeVar, dataclass_transform

C = TypeVar("C", bound=type)


@dataclass_transform(frozen_default=True)
def frozen(cls: C) -> C:
    """The class with a slot for each annotated field, compared and hashed by them, immutable."""
    names = tuple(get_annotations(cls))
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    members = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in names and name not in {"__dict__", "__weakref__"}
    }
    made = type(cls)(
        cls.__name__, cls.__bases__, {**members, "__slots__": names, "__match_args__": names}
    )
    key = attrgetter(*names) if names else _nothing
    get_state, set_state = _state(names)
    methods: dict[str, object] = {
        "__init__": _init(
            cls.__name__, names, [made.__dict__[name].__set__ for name in names], defaults
        ),
        "__eq__": _eq(key),
        "__hash__": _hash(key),
        "__repr__": _repr(names),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": get_state,
        "__setstate__": set_state,
    }
    for name, method in methods.items():
        if name not in members:
            setattr(made, name, method)
    return made


def _init(
    class_name: str,
    names: tuple[str, ...],
    setters: list[Callable[[object, object], None]],
    defaults: dict[str, object],
) -> object:
    def init(self: object, *args: object, **given: object) -> None:
        if len(args) == len(names) and not given:
            for put, value in zip(setters, args, strict=True):
                put(self, value)
            return
        if len(args) > len(names):
            message = f"{class_name} takes {len(names)} arguments, {len(args)} were given"
            raise TypeError(message)
        values = {**defaults, **dict(zip(names, args, strict=False)), **given}
        if len(values) != len(names) or given.keys() & names[: len(args)]:
            message = f"{class_name} takes {', '.join(names)}; {sorted(given)} do not fit that"
            raise TypeError(message)
        for put, name in zip(setters, names, strict=True):
            if name not in values:
                message = f"{class_name} needs {name!r}"
                raise TypeError(message)
            put(self, values[name])

    return init


def _eq(key: Callable[[object], object]) -> Callable[[object, object], object]:
    def eq(self: object, other: object) -> object:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return key(self) == key(other)

    return eq


def _hash(key: Callable[[object], object]) -> Callable[[object], int]:
    def hash_(self: object) -> int:
        return hash((self.__class__, key(self)))

    return hash_


def _repr(names: tuple[str, ...]) -> Callable[[object], str]:
    def repr_(self: object) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({fields})"

    return repr_


def _state(
    names: tuple[str, ...],
) -> tuple[Callable[[object], list[object]], Callable[[object, list[object]], None]]:
    """For `copy` and `pickle`."""

    def get(self: object) -> list[object]:
        return [getattr(self, name) for name in names]

    def put(self: object, state: list[object]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return get, put


def _refuse(self: object, name: str, *_: object) -> NoReturn:
    message = f"{self.__class__.__qualname__} is immutable: {name!r}"
    raise AttributeError(message)


def _nothing(_self: object) -> tuple[()]:
    return ()
