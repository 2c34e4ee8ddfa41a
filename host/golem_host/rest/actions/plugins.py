"""Plugins: components that are given what others write to their logs."""

from __future__ import annotations

from golem_host.rest.bodies import Nothing
from golem_host.rest.exchange import Exchange
from golem_host.rest.plugin_forms import (
    InstallBody,
    PluginForm,
    PluginList,
    SwitchBody,
    Switched,
    plugin_form,
)
from golem_host.services.plugins import PluginState


def list_plugins(x: Exchange) -> PluginList:
    return PluginList(tuple(map(plugin_form, x.host.plugins.states())))


def install_plugin(x: Exchange) -> PluginForm:
    body = x.body(InstallBody)
    installed = x.host.plugins.install(
        body.name, body.component, config=body.config, scope=body.scope
    )
    return plugin_form(PluginState(installed, ""))


def uninstall_plugin(x: Exchange) -> Nothing:
    x.host.plugins.uninstall(x.named("plugin"))
    return Nothing()


def activate_plugin(x: Exchange) -> Switched:
    body = x.body(SwitchBody)
    return Switched(x.host.plugins.activate(x.named("plugin"), body.component, body.worker))


def deactivate_plugin(x: Exchange) -> Switched:
    body = x.body(SwitchBody)
    return Switched(x.host.plugins.deactivate(x.named("plugin"), body.component, body.worker))
