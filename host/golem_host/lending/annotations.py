"""
Type annotations held against WIT types, and what a value needs on its way between the two.

`fit` says whether a method that is annotated so can take or give values of a type.  From public form
to what the annotation says there may be something to do: a record is a dict in public form, and an
annotation may ask for a dataclass.  The other way `golem_oplog.values.to_wire` takes all of them.

=================  ===============================================================================
WIT type           annotations
=================  ===============================================================================
bool, ints         ``bool``, ``int``
f32, f64           ``float``
char, string       ``str``, or a `NewType` of it (as everywhere)
list<u8>           ``bytes``, ``list[int]``
list<t>            ``list[T]``, ``tuple[T, ...]``, ``Sequence[T]``
tuple              ``tuple[A, B]``
record             a dataclass, a NamedTuple, a TypedDict, ``dict[str, ...]``
variant            `Variant`
enum               a `StrEnum`, a `Literal`, ``str``
option<t>          ``T | None``; where T is an option itself, ``Some | None``
result             `Result[T, E]`, ``Ok[T] | Err[E]``
flags              ``frozenset[str]``, ``set[str]``
own, borrow        the class of the objects behind it
=================  ===============================================================================
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, is_typeddict

from golem_oplog.shape import is_bytes, python_name, resource_label
from golem_oplog.types import (
    EnumType,
    FlagsType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)
from golem_oplog.values import Err, Ok, Some, Variant

Shape: TypeAlias = Callable[[Any], Any] | None
"""From public form to what an annotation says; None where both are the same."""

_SCALARS: Final = {Prim.BOOL: bool, Prim.F32: float, Prim.F64: float, Prim.CHAR: str} | {
    Prim.STRING: str
}
_SEQUENCES: Final = (
    list,
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)
_SETS: Final = (frozenset, set, collections.abc.Set)
_PLAIN: Final = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset, type(None))
_ANYTHING: Final = (Any, object, inspect.Parameter.empty)


class MisfitError(Exception):
    """An annotation that does not fit; the text is of the innermost one."""


def fit(annotation: Any, ty: WitType) -> Shape:
    """
    What brings a value in public form to what the annotation says.

    Raises:
        MisfitError: No value of the type is one of the annotation's.
    """
    annotation = _bare(annotation)
    if annotation in _ANYTHING:
        return None
    match ty:
        case Prim():
            return _only(annotation, ty, _SCALARS.get(ty, int))
        case ListType():
            return _list(annotation, ty)
        case TupleType(elements):
            return _tuple(annotation, ty, elements)
        case RecordType():
            return _record(annotation, ty)
        case VariantType():
            return _only(annotation, ty, Variant)
        case EnumType(names):
            return _enum(annotation, ty, names)
        case OptionType(payload):
            return _option(annotation, ty, payload)
        case ResultType():
            return _result(annotation, ty)
        case FlagsType():
            origin = get_origin(annotation) or annotation
            return (set if origin is set else None) if origin in _SETS else _no(annotation, ty)
        case HandleType():
            is_class = isinstance(annotation, type) and annotation not in _PLAIN
            return None if is_class else _no(annotation, ty)


def fit_result(annotation: Any, ty: WitType | None) -> None:
    """
    As `fit`, of what a method returns.

    Raises:
        MisfitError: No value of the annotation is one of the type's.
    """
    if ty is not None:
        fit(annotation, ty)
    elif _bare(annotation) not in (*_ANYTHING, None, type(None)):
        raise MisfitError(f"{annotation_text(annotation)}, where nothing is returned: None fits")


def fitting(ty: WitType, named: Callable[[WitType], str | None] = lambda _: None) -> str:
    """The annotation that fits best; ``named`` gives the name of a class, where there is one."""
    name = named(ty)
    if name is not None:
        return name

    def text(inner: WitType | None) -> str:
        return "None" if inner is None else fitting(inner, named)

    match ty:
        case Prim():
            return _SCALARS.get(ty, int).__name__
        case ListType(element):
            return "bytes" if is_bytes(ty) else f"list[{text(element)}]"
        case TupleType(elements):
            return f"tuple[{', '.join(map(text, elements))}]"
        case RecordType():
            return "dict[str, object]"
        case VariantType():
            return "Variant"
        case EnumType():
            return "str"
        case OptionType(OptionType()):
            return "Some | None"
        case OptionType(payload):
            return f"{text(payload)} | None"
        case ResultType(ok, err):
            return f"Result[{text(ok)}, {text(err)}]"
        case FlagsType():
            return "frozenset[str]"
        case HandleType():
            return "object"


def annotation_text(annotation: Any) -> str:
    """As it was written, nearly."""
    sides = {get_origin(arg): get_args(arg) for arg in _union(annotation)}
    if sides.keys() == {Ok, Err}:
        ok, err = (annotation_text(*sides[side]) for side in (Ok, Err))
        return f"Result[{ok}, {err}]"
    if annotation is type(None):
        return "None"
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("golem_oplog.public.", "")


def _advice(ty: WitType) -> str:
    """`fitting`, with what else would do."""
    match ty:
        case RecordType(fields):
            listed = ", ".join(f"{python_name(n)}: {fitting(t)}" for n, t in fields)
            return f"a dataclass or TypedDict with {listed}"
        case EnumType(names):
            listed = ", ".join(map(repr, names))
            return f"str, a StrEnum of these values or Literal[{listed}]"
        case HandleType():
            return f"the class of the objects behind a {resource_label(ty)}"
        case _:
            return fitting(ty)


def _no(annotation: Any, ty: WitType, why: str = "") -> typing.Never:
    because = f" ({why})" if why else ""
    raise MisfitError(f"{annotation_text(annotation)}{because}, where this fits: {_advice(ty)}")


def _bare(annotation: Any) -> Any:
    """Without what only a type checker sees."""
    while True:
        if get_origin(annotation) is typing.Annotated:
            annotation = annotation.__origin__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def _only(annotation: Any, ty: WitType, wanted: type) -> Shape:
    return None if annotation is wanted else _no(annotation, ty)


def _list(annotation: Any, ty: ListType) -> Shape:
    if is_bytes(ty) and annotation is bytes:
        return None
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if origin is tuple and args[1:] == (...,):
        make: Callable[[Iterable[Any]], Any] = tuple
    elif origin in _SEQUENCES:
        make = list
    else:
        return _no(annotation, ty)
    inner = fit(args[0], ty.element) if args else None
    if inner is not None:
        return lambda value: make(map(inner, value))
    # The bytes of a list<u8> are no list.
    return make if make is tuple or is_bytes(ty) else None


def _tuple(annotation: Any, ty: TupleType, elements: tuple[WitType, ...]) -> Shape:
    args = get_args(annotation)
    if annotation is tuple:
        return None
    if get_origin(annotation) is not tuple or len(args) != len(elements):
        return _no(annotation, ty)
    shapes = [fit(arg, element) for arg, element in zip(args, elements, strict=True)]
    if not any(shapes):
        return None
    return lambda value: tuple(_each(shapes, value))


def _each(shapes: Iterable[Shape], values: Iterable[Any]) -> Iterable[Any]:
    return (v if s is None else s(v) for s, v in zip(shapes, values, strict=True))


def _record(annotation: Any, ty: RecordType) -> Shape:
    origin = get_origin(annotation) or annotation
    if origin in {dict, collections.abc.Mapping}:
        return None
    hints = _fields(origin)
    if hints is None:
        return _no(annotation, ty)
    names = [(name, python_name(name)) for name, _ in ty.fields]
    optional = _optional_fields(origin)
    missing = [python for _, python in names if python not in hints]
    extra = [name for name in hints if name not in {p for _, p in names} | optional]
    if missing or extra:
        why = f"no field {missing[0]}" if missing else f"no {extra[0]} in WIT"
        return _no(annotation, ty, why)
    shapes = []
    for (name, field_type), (_, python) in zip(ty.fields, names, strict=True):
        try:
            shapes.append(fit(hints[python], field_type))
        except MisfitError as error:
            raise MisfitError(
                f"{annotation_text(annotation)}, whose field {python} is {error}"
            ) from None
        del name

    def make(value: Mapping[str, Any]) -> Any:
        given = (value[wit] for wit, _ in names)
        return origin(**{p: v for (_, p), v in zip(names, _each(shapes, given), strict=True)})

    return make


def _fields(cls: Any) -> dict[str, Any] | None:
    """Names and annotations of what can stand for a record; None where this cannot."""
    is_named_tuple = isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")
    if not (is_typeddict(cls) or is_named_tuple or dataclasses.is_dataclass(cls)):
        return None
    hints = hints_of(cls)
    if dataclasses.is_dataclass(cls):
        return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}
    return hints


def _optional_fields(cls: Any) -> set[str]:
    """Those that need not be given when one is made."""
    if dataclasses.is_dataclass(cls):
        missing = dataclasses.MISSING
        return {
            f.name
            for f in dataclasses.fields(cls)
            if f.default is not missing or f.default_factory is not missing
        }
    if is_typeddict(cls):
        return set(cls.__optional_keys__)
    return set(cls._field_defaults)


def hints_of(of: Any) -> dict[str, Any]:
    """
    Annotations of a class or a function, as objects.

    Raises:
        MisfitError: One of them means nothing while the program runs.
    """
    try:
        return typing.get_type_hints(of)
    except NameError as error:
        raise MisfitError(
            f"annotated with {error.name}, which is known to type checkers only"
        ) from None


def _enum(annotation: Any, ty: EnumType, names: tuple[str, ...]) -> Shape:
    if annotation is str:
        return None
    if get_origin(annotation) is Literal:
        return None if set(get_args(annotation)) == set(names) else _no(annotation, ty)
    if not (isinstance(annotation, type) and issubclass(annotation, StrEnum)):
        return _no(annotation, ty)
    known = {member.value: member for member in annotation}
    members = {name: known.get(name) or known.get(python_name(name)) for name in names}
    if None in members.values() or len(known) != len(names):
        return _no(annotation, ty)
    return members.__getitem__


def _option(annotation: Any, ty: OptionType, payload: WitType) -> Shape:
    args = _union(annotation)
    rest = [arg for arg in args if arg is not type(None)]
    if len(rest) == len(args) or not rest:
        return _no(annotation, ty)
    if isinstance(payload, OptionType):
        return None if rest == [Some] else _no(annotation, ty)
    inner = fit(rest[0] if len(rest) == 1 else Union[tuple(rest)], payload)
    return None if inner is None else lambda value: None if value is None else inner(value)


def _result(annotation: Any, ty: ResultType) -> Shape:
    shapes: dict[type, Shape] = {}
    for arg in _union(annotation):
        side = get_origin(arg) or arg
        if side not in {Ok, Err}:
            return _no(annotation, ty)
        args = get_args(arg)
        wanted = ty.ok if side is Ok else ty.err
        if not args:
            shapes[side] = None
        elif wanted is not None:
            shapes[side] = fit(args[0], wanted)
        elif args[0] not in {None, type(None)}:
            return _no(annotation, ty)
    if not any(shapes.values()):
        return None

    def make(value: Any) -> Any:
        inner = shapes.get(type(value))
        return value if inner is None else type(value)(inner(value.value))

    return make


def _union(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in {Union, types.UnionType}:
        return get_args(annotation)
    return (annotation,)
