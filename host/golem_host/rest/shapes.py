"""
JSON documents as frozen dataclasses: read, written and described by one set of rules.

A field ``oplog_index: Annotated[int, "..."]`` is ``"oplogIndex"`` in JSON, and the note is its
description.  Integers are unsigned and at most 64 bits, as WIT's are.  `Json` takes anything.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from golem_host.errors import InvalidRequestError
from golem_oplog.lazy_dataclass import dataclass

T = TypeVar("T")

U64_MAX: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Json:
    """Marks a field that holds any JSON."""

    value: object


def json_name(name: str) -> str:
    """``oplog_index`` as it is spelled in JSON."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def query_name(name: str) -> str:
    """``recover_immediately`` as it is spelled in a query."""
    return name.removesuffix("_").replace("_", "-")


def hints(shape: type) -> dict[str, tuple[object, str]]:
    """Type and note of every field."""
    found: dict[str, tuple[object, str]] = {}
    for name, hint in get_type_hints(shape, include_extras=True).items():
        if get_origin(hint) is Annotated:
            ty, note = get_args(hint)
            found[name] = ty, note
        else:
            found[name] = hint, ""
    return found


def is_required(field: Field[object]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


# -- reading ------------------------------------------------------------------------------------


def read(shape: type[T], document: object, at: str = "body") -> T:
    """
    A document as an instance of a dataclass.

    Raises:
        InvalidRequestError: It does not fit; the message says where.
    """
    if not isinstance(document, dict):
        raise _unfit(at, "an object", document)
    assert is_dataclass(shape)
    known = {json_name(f.name): f for f in fields(shape)}
    _refuse_unknown(at, document, known)
    types_of = hints(shape)
    values: dict[str, object] = {}
    for name, field in known.items():
        if name in document:
            values[field.name] = _value(types_of[field.name][0], document[name], f"{at}.{name}")
        elif is_required(field):
            raise InvalidRequestError(reason=f"{at}: {name!r} is missing")
    return shape(**values)


def read_query(shape: type[T], pairs: list[tuple[str, str]]) -> T:
    """As `read`, for the parameters of a query; one that takes several values may be repeated."""
    assert is_dataclass(shape)
    types_of = hints(shape)
    known = {query_name(f.name): f for f in fields(shape)}
    values: dict[str, object] = {}
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        given.setdefault(name, []).append(text)
    _refuse_unknown("query", given, known)
    for name, field in known.items():
        ty = types_of[field.name][0]
        texts = given.get(name)
        if texts is None:
            if is_required(field):
                raise InvalidRequestError(reason=f"query: {name!r} is missing")
        elif get_origin(ty) is tuple:
            values[field.name] = tuple(texts)
        elif len(texts) > 1:
            raise InvalidRequestError(reason=f"query: {name!r} is given more than once")
        else:
            values[field.name] = _from_text(ty, texts[0], f"query parameter {name}")
    return shape(**values)


def _refuse_unknown(at: str, given: Iterable[object], known: Mapping[str, object]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), list(known), n=1)
            advice = (
                f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
            )
            raise InvalidRequestError(reason=f"{at}: unknown {str(name)[:100]!r}; {advice}")


def _value(ty: object, document: object, at: str) -> object:
    ty, is_optional = without_none(ty)
    if document is None and is_optional:
        return None
    if ty is Json:
        return Json(document)
    if isinstance(ty, type) and is_dataclass(ty):
        return read(ty, document, at)
    origin = get_origin(ty)
    if origin is tuple:
        if not isinstance(document, list):
            raise _unfit(at, "an array", document)
        item = get_args(ty)[0]
        return tuple([_value(item, each, f"{at}[{i}]") for i, each in enumerate(document)])
    if origin is Mapping:
        if not isinstance(document, dict):
            raise _unfit(at, "an object", document)
        item = get_args(ty)[1]
        return {name: _value(item, each, f"{at}.{name}") for name, each in document.items()}
    return _scalar(ty, document, at)


def without_none(ty: object) -> tuple[object, bool]:
    """The type beside None, and whether None is allowed."""
    if get_origin(ty) not in {Union, types.UnionType}:
        return ty, False
    (found,) = (each for each in get_args(ty) if each is not type(None))
    return found, True


def _scalar(ty: object, document: object, at: str) -> object:
    if get_origin(ty) is Literal:
        if document in get_args(ty):
            return document
        raise _unfit(at, f"one of {', '.join(map(str, get_args(ty)))}", document)
    match document:
        case bool():
            if ty is bool:
                return document
        case str():
            if ty is str:
                return document
        case int():
            if ty is int and 0 <= document <= U64_MAX:
                return document
            if ty is float and 0 <= document <= U64_MAX:
                return float(document)
        case float():
            # Infinity and NaN are no JSON, and no number of seconds.
            if ty is float and 0 <= document <= U64_MAX:
                return document
    raise _unfit(at, _EXPECTED[ty], document)


_EXPECTED: Final[dict[object, str]] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number from 0 to 18446744073709551615",
    float: "a number, not negative",
}


def _from_text(ty: object, text: str, at: str) -> object:
    ty, _ = without_none(ty)
    if ty is bool:
        if text in {"true", "false"}:
            return text == "true"
    elif ty is int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(U64_MAX)):
            return _scalar(ty, int(text), at)
    elif ty is float:
        try:
            return _scalar(ty, float(text), at)
        except ValueError:
            pass
    else:
        return _scalar(ty, text, at)
    raise _unfit(at, _EXPECTED[ty], text)


def _unfit(at: str, expected: str, found: object) -> InvalidRequestError:
    match found:
        case str() | int() | float() | None:
            shown = repr(found) if isinstance(found, str) else str(found).lower()
        case list():
            shown = "an array"
        case dict():
            shown = "an object"
        case _:
            shown = type(found).__name__
    return InvalidRequestError(reason=f"{at}: expected {expected}, found {shown[:100]}")


# -- writing ------------------------------------------------------------------------------------


def write(value: object) -> object:
    """What `json.dumps` takes for a dataclass of fields as above, and for what they hold."""
    if isinstance(value, Json):
        return value.value
    if is_dataclass(value):
        return {json_name(f.name): write(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): write(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [write(item) for item in value]
    return value


# -- describing ---------------------------------------------------------------------------------


def schema(ty: object, found: dict[str, object]) -> dict[str, object]:
    """
    The JSON schema of a type.

    Those of dataclasses are put into ``found`` under their names and referred to.
    """
    ty, is_optional = without_none(ty)
    described = _schema(ty, found)
    return {"anyOf": [described, {"type": "null"}]} if is_optional else described


def _schema(ty: object, found: dict[str, object]) -> dict[str, object]:
    if ty is Json:
        return {}
    if isinstance(ty, type) and is_dataclass(ty):
        if ty.__name__ not in found:
            found[ty.__name__] = {}
            found[ty.__name__] = _object_schema(ty, found)
        return {"$ref": f"#/components/schemas/{ty.__name__}"}
    origin = get_origin(ty)
    if origin is tuple:
        return {"type": "array", "items": schema(get_args(ty)[0], found)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": schema(get_args(ty)[1], found)}
    if origin is Literal:
        return {"type": "string", "enum": list(get_args(ty))}
    return dict(_SCALARS[ty])


_SCALARS: Final[dict[object, dict[str, object]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0, "maximum": U64_MAX},
    float: {"type": "number", "minimum": 0},
}


def _object_schema(shape: type, found: dict[str, object]) -> dict[str, object]:
    assert is_dataclass(shape)
    types_of = hints(shape)
    properties: dict[str, object] = {}
    required: list[str] = []
    for field in fields(shape):
        ty, note = types_of[field.name]
        described = schema(ty, found)
        properties[json_name(field.name)] = described | ({"description": note} if note else {})
        if is_required(field):
            required.append(json_name(field.name))
    summary = " ".join((shape.__doc__ or "").split())
    described = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        described["required"] = required
    return described | ({"description": summary} if summary else {})
