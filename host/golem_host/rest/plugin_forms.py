"""Plugins as documents, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from golem_host.rest.times import time_of
from golem_host.services.plugins import Plugin, PluginState
from golem_oplog.documents import precise_time
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class InstallBody:
    name: Annotated[str, "Of the installation: a-z, 0-9 and `-`."]
    component: Annotated[str, "One that exports `golem:api/oplog-processor`."]
    config: Annotated[Mapping[str, str], "For its constructor."] = field(default_factory=dict)
    scope: Annotated[str | None, "The component whose workers it sees; null for all."] = None


@dataclass(frozen=True, slots=True)
class PluginForm:
    id: Annotated[str, "UUID, as in entries."]
    name: str
    component: str
    config: Mapping[str, str]
    scope: str | None
    created_at: str
    problem: Annotated[str, "Why it does not go on; empty if it does."]


@dataclass(frozen=True, slots=True)
class PluginList:
    plugins: tuple[PluginForm, ...]


@dataclass(frozen=True, slots=True)
class SwitchBody:
    component: str
    worker: Annotated[str | None, "Null for all workers of the component."] = None


@dataclass(frozen=True, slots=True)
class Switched:
    count: Annotated[int, "Workers for which that was a change."]


def plugin_form(state: PluginState) -> PluginForm:
    plugin = state.plugin
    return PluginForm(
        id=plugin.id,
        name=plugin.name,
        component=plugin.component,
        config=dict(plugin.config),
        scope=plugin.scope,
        created_at=precise_time(plugin.created_ns),
        problem=state.problem,
    )


def plugin_state(form: PluginForm) -> PluginState:
    plugin = Plugin(
        form.id,
        form.name,
        form.component,
        tuple(form.config.items()),
        form.scope,
        time_of(form.created_at),
    )
    return PluginState(plugin, form.problem)
