"""The plugins of the host in another process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from golem_host.rest.client import Client, path_of
from golem_host.rest.plugin_forms import PluginForm, PluginList, Switched, plugin_state
from golem_host.rest.shapes import read
from golem_host.services.plugins import Plugin, PluginState


class RemotePlugins:
    """See `golem_host.services.plugins.Plugins`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def install(
        self,
        name: str,
        component: str,
        *,
        config: Mapping[str, str] | None = None,
        scope: str | None = None,
    ) -> Plugin:
        body = {"name": name, "component": component, "config": dict(config or {}), "scope": scope}
        found = self._client.ask("POST", path_of("plugins"), body=body)
        return plugin_state(read(PluginForm, found, "answer")).plugin

    def list(self) -> tuple[Plugin, ...]:
        return tuple(state.plugin for state in self.states())

    def states(self) -> Iterator[PluginState]:
        found = self._client.ask("GET", path_of("plugins"))
        yield from map(plugin_state, read(PluginList, found, "answer").plugins)

    def uninstall(self, name: str) -> None:
        self._client.ask("DELETE", path_of("plugins", name))

    def activate(self, name: str, component: str, worker: str | None = None) -> int:
        return self._switch("activate", name, component, worker)

    def deactivate(self, name: str, component: str, worker: str | None = None) -> int:
        return self._switch("deactivate", name, component, worker)

    def _switch(self, how: str, name: str, component: str, worker: str | None) -> int:
        body = {"component": component, "worker": worker}
        found = self._client.ask("POST", path_of("plugins", name, how), body=body)
        return read(Switched, found, "answer").count
