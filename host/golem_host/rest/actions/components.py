"""Components: deployed, looked at, deleted."""

from __future__ import annotations

from collections.abc import Iterable

from golem_host.component import Component, callable_exports
from golem_host.errors import InvalidRequestError
from golem_host.files.initial import DeployedFile
from golem_host.files.mapping import parse_mapping
from golem_host.rest.actions.lookup import component_name, path_component
from golem_host.rest.bodies import (
    ComponentDetails,
    ComponentForm,
    ComponentListQuery,
    DeployQuery,
    InitialFileForm,
    Nothing,
    StoredFile,
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
        files=[_file(text) for text in query.file],
        env=_pairs("env", query.env),
        config_vars=_pairs("config-var", query.config_var),
        ephemeral=query.ephemeral,
    )
    return component_form(deployed)


def store_file(x: Exchange) -> StoredFile:
    stored = x.host.components.store_file(x.content)
    return StoredFile(stored.sha256, stored.size_bytes)


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
        files=tuple(
            InitialFileForm(each.path, each.sha256, each.size_bytes, each.read_only)
            for each in item.files
        ),
    )


def _file(text: str) -> DeployedFile:
    try:
        found = parse_mapping(text)
    except ValueError as error:
        raise InvalidRequestError(reason=f"query parameter file: {error}") from None
    # Its size is known where it is kept.
    return DeployedFile(found.guest, found.host, 0, found.read_only)


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
