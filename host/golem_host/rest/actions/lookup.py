"""Components and workers as paths name them."""

from __future__ import annotations

import uuid

from golem_host.component import Component
from golem_host.errors import ComponentNotFoundError
from golem_host.host import Host
from golem_host.rest.exchange import Exchange
from golem_host.worker.worker import Worker


def find_component(host: Host, reference: str, version: int | None = None) -> Component:
    """A component by its id or its name; an id wins over a name that looks like one."""
    name = host.components.name_of(_uuid_text(reference)) or reference
    return host.components.get(name, version=version)


def component_name(x: Exchange) -> str:
    """
    The name of the component in the path.

    Raises:
        ComponentNotFoundError: There is none.
    """
    reference = x.named("component")
    name = x.host.components.name_of(_uuid_text(reference))
    if name is None and x.host.components.id_of(reference) is None:
        raise ComponentNotFoundError(component=reference)
    return name or reference


def path_component(x: Exchange, version: int | None = None) -> Component:
    return find_component(x.host, x.named("component"), version)


def path_worker(x: Exchange) -> Worker:
    return x.host.workers.get(component_name(x), x.named("worker"))


def _uuid_text(reference: str) -> str:
    try:
        return str(uuid.UUID(reference))
    except ValueError:
        return reference
