"""The OpenAPI document, made from the route table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Final

import golem_host
from golem_host.rest.errors import STATUS, error_classes
from golem_host.rest.exchange import JSON
from golem_host.rest.route import COMMON_ERRORS, Route
from golem_host.rest.routes import ROUTES
from golem_host.rest.shapes import hints, is_required, query_name, schema

PATH: Final = "/openapi.json"

_PATH_NOTES: Final = {
    "plugin": "Name of a plugin.",
    "component": "Id or name of a component.",
    "worker": "Name of a worker.",
    "key": "Idempotency key of an invocation.",
    "index": "Oplog index at which the promise was made.",
    "input": "Name of a loan, as its stream gives it.",
    "path": "Path from the root of the worker's files.",
}
_ERROR: Final = {
    "type": "object",
    "description": "What went wrong: the error's class, its message, and its fields.",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "class": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object"},
            },
            "required": ["class", "message", "fields"],
        }
    },
    "required": ["error"],
}

_CALL_HEADERS: Final = {
    "Idempotency-Key": "The same key with the same call gives the first one's outcome.",
    "traceparent": "W3C Trace Context: the trace that the invocation belongs to.",
    "tracestate": "W3C Trace Context: what tracing systems pass on with it.",
}


def openapi_document() -> dict[str, object]:
    schemas: dict[str, object] = {"Error": _ERROR}
    paths: dict[str, dict[str, object]] = {}
    for route in ROUTES:
        path = route.path.replace(":path}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "golem-host",
            "version": golem_host.__version__,
            "description": "The REST API of a host of durable WebAssembly workers.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Only needed where the host was started with a token.
        "security": [{}, {"token": []}],
    }


def _operation(route: Route, schemas: dict[str, object]) -> dict[str, object]:
    operation: dict[str, object] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": list(_parameters(route, schemas)),
        "responses": _responses(route, schemas),
    }
    if isinstance(route.body, str):
        operation["requestBody"] = {"required": True, "content": {route.body: {}}}
    elif route.body is not None:
        content = {JSON: {"schema": schema(route.body, schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: Route, schemas: dict[str, object]) -> Iterator[dict[str, object]]:
    for name in route.path_names:
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_NOTES[name],
            "schema": {"type": "string"},
        }
    assert is_dataclass(route.query)
    types_of = hints(route.query)
    for field in fields(route.query):
        ty, note = types_of[field.name]
        parameter: dict[str, object] = {
            "name": query_name(field.name),
            "in": "query",
            "required": is_required(field),
            "schema": schema(ty, schemas),
        }
        yield parameter | ({"description": note} if note else {})
    if route.takes_key:
        for name, description in _CALL_HEADERS.items():
            yield {
                "name": name,
                "in": "header",
                "required": False,
                "description": description,
                "schema": {"type": "string"},
            }


def _responses(route: Route, schemas: dict[str, object]) -> dict[str, object]:
    responses: dict[str, object] = {str(route.status): _success(route, schemas)}
    classes: dict[int, list[str]] = {}
    for name in (*COMMON_ERRORS, *route.errors):
        classes.setdefault(error_status(name), []).append(name)
    for status, names in sorted(classes.items()):
        content = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
        responses[str(status)] = {
            "description": ", ".join(dict.fromkeys(names)),
            "content": content,
        }
    return responses


def error_status(name: str) -> int:
    """The status of an error class by its name."""
    return next(STATUS[c.__name__] for c in error_classes()[name].__mro__ if c.__name__ in STATUS)


def _success(route: Route, schemas: dict[str, object]) -> dict[str, object]:
    if isinstance(route.reply, str):
        return {"description": "Done.", "content": {route.reply.partition(";")[0]: {}}}
    shape = schema(route.reply, schemas)
    return {"description": "Done.", "content": {JSON: {"schema": shape}}}
