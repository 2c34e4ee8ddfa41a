"""The OpenAPI document describes what is served, and the route table is sound."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from golem_host.rest import errors
from golem_host.rest.errors import STATUS, document_of, error_classes, error_of, status_of
from golem_host.rest.openapi import openapi_document
from golem_host.rest.route import COMMON_ERRORS, Route
from golem_host.rest.routes import ROUTES
from golem_host.rest.shapes import query_name
from tests.support.rest import Web

DOCUMENT: Any = openapi_document()
OPERATIONS = {
    operation["operationId"]: operation
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}


def route_id(route: Route) -> str:
    return route.name


def test_the_document_is_served(web: Web) -> None:
    """As it is made from the table."""
    assert DOCUMENT == web.get("/openapi.json").document
    assert "3.1.0" == DOCUMENT["openapi"]


def test_every_route_is_described_once() -> None:
    """By method and path."""
    described = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    served = [(route.method, route.path.replace(":path}", "}")) for route in ROUTES]

    assert len(served) == len(set(served))
    assert set(served) == described
    assert len(ROUTES) == len(OPERATIONS)


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_a_route_is_served_with_its_method_only(web: Web, route: Route) -> None:
    """No path is described that is not there, and none is there with another method."""
    path = re.sub(r"\{[^}]*\}", "0", route.path)

    answer = web.ask("PATCH", path)

    assert (405, "MethodNotAllowedError") == answer.error
    assert route.method in answer.headers["allow"]


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_an_operation_names_its_parameters(route: Route) -> None:
    """Those of the path, of the query, and the headers that mean something."""
    given = {(p["in"], p["name"]) for p in OPERATIONS[route.name]["parameters"]}
    assert is_dataclass(route.query)
    expected = {("path", name) for name in route.path_names}
    expected |= {("query", query_name(field.name)) for field in fields(route.query)}
    if route.takes_key:
        expected |= {("header", name) for name in ("Idempotency-Key", "traceparent", "tracestate")}

    assert expected == given


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_an_action_reads_what_its_route_declares(route: Route) -> None:
    """The shapes of query and body are those in the table."""
    source = inspect.getsource(inspect.getmodule(route.action))  # type: ignore[arg-type]
    for shape in (route.query, route.body):
        if isinstance(shape, type) and shape.__name__ != "NoQuery":
            assert shape.__name__ in source


@pytest.mark.parametrize("route", ROUTES, ids=route_id)
def test_an_operation_has_the_status_of_every_error(route: Route) -> None:
    """Each error is described under the status that the table gives it."""
    responses = OPERATIONS[route.name]["responses"]
    for name in (*COMMON_ERRORS, *route.errors):
        error = error_classes()[name]
        status = next(STATUS[c.__name__] for c in error.__mro__ if c.__name__ in STATUS)

        assert name in responses[str(status)]["description"]


def test_every_reference_leads_to_a_schema() -> None:
    """Nothing is referred to that is not described, and nothing described in vain."""
    referred = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))

    assert set(DOCUMENT["components"]["schemas"]) == referred


def _filled(cls: type[Any]) -> Any:
    values = {"str": "x", "int": 1, "int | None": 2, "tuple[str, ...]": ("a", "b"), "bool": True}
    return cls(**{f.name: values.get(str(f.type), f.default) for f in fields(cls)})


@pytest.mark.parametrize("cls", error_classes().values(), ids=lambda cls: cls.__name__)
def test_every_error_travels_whole(cls: type[Any]) -> None:
    """Its class, its fields and its text are the same at the other end."""
    error = _filled(cls)
    again = error_of(document_of(error))

    assert type(error) is type(again)
    assert str(error) == str(again)
    assert document_of(error) == document_of(again)  # type: ignore[arg-type]


def test_what_is_none_of_ours_tells_nothing() -> None:
    """A fault of the host shows its class and no more."""
    document = document_of(KeyError("secret"))

    assert "secret" not in str(document)
    assert 500 == status_of(KeyError("secret"))


def test_every_status_is_of_a_class_that_exists() -> None:
    """No row of the table is left over."""
    known = set(error_classes())

    assert set() == set(STATUS) - known
    assert {"HostError", "OplogError"} <= known


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"error": 1}, {"error": {"class": "Nothing", "fields": {}}},
     {"error": {"class": "WorkerNotFoundError", "fields": {}}},
     {"error": {"class": "OSError", "fields": {"reason": "x"}}}],
)  # fmt: skip
def test_other_documents_are_no_errors(document: object) -> None:
    """What another program answers is not taken for one of ours."""
    assert errors.error_of(document) is None
