"""Components: deployed, looked at, deleted."""

from __future__ import annotations

from collections.abc import Iterable

from golem_host.component import Component, callable_exports
from golem_host.errors import InvalidRequestError
from golem_host.rest.actions.lookup import component_name, path_component
from golem_host.rest.bodies import (
    ComponentDetails,
    ComponentForm,
    ComponentListQuery,
    DeployQuery,
    Nothing,
    VersionQuery,
)
from golem_host.rest.exchange import TEXT, Exchange, Raw
from golem_host.rest.shapes import Json
from golem_host.rest.typed import function_document


def list_components(x: Exchange) -> tuple[ComponentForm, ...]:
    query = x.query(ComponentListQuery)
    found = x.host.components.all()
    if not query.all_versions:
        # Sorted by version, so the latest one of a name is the one that stays.
        found = list({item.name: item for item in found}.values())
    return tuple(component_form(item) for item in found)


def deploy_component(x: Exchange) -> ComponentForm:
    query = x.query(DeployQuery)
    deployed = x.host.components.deploy(
        x.content,
        name=query.name,
        source=query.source,
        env=_pairs("env", query.env),
        config_vars=_pairs("config-var", query.config_var),
        ephemeral=query.ephemeral,
    )
    return component_form(deployed)


def get_component(x: Exchange) -> ComponentDetails:
    component = path_component(x, x.query(VersionQuery).version)
    compiled = component.load(component)
    exports = [(e.interface, e.name, e.type) for e in callable_exports(compiled)]
    imports = [(i.interface, i.name, i.type) for i in compiled.imports]
    return ComponentDetails(
        component=component_form(component),
        exports=tuple(Json(function_document(*each)) for each in exports),
        imports=tuple(Json(function_document(*each)) for each in imports),
    )


def delete_component(x: Exchange) -> Nothing:
    x.host.components.delete(component_name(x))
    return Nothing()


def component_wit(x: Exchange) -> Raw:
    return Raw(path_component(x, x.query(VersionQuery).version).wit().encode(), TEXT)


def component_form(item: Component) -> ComponentForm:
    return ComponentForm(
        component_id=item.id,
        name=item.name,
        version=item.version,
        sha256=item.sha256,
        size_bytes=item.size_bytes,
        initial_memory_bytes=item.initial_memory_bytes,
        source=item.source,
        env=dict(item.env),
        config_vars=dict(item.config_vars),
        ephemeral=item.ephemeral,
    )


def _pairs(parameter: str, texts: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidRequestError(
                reason=f"query parameter {parameter}: {text[:100]!r} is not NAME=VALUE"
            )
        pairs[name] = value
    return pairs
