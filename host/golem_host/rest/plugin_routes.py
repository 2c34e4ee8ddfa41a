"""The routes of plugins."""

from __future__ import annotations

from typing import Final

from golem_host.rest.actions import plugins
from golem_host.rest.plugin_forms import InstallBody, PluginForm, PluginList, SwitchBody, Switched
from golem_host.rest.route import BODY_ERRORS, COMPONENT_ERRORS, WORKER_ERRORS, Route

_PLUGIN: Final = "/v1/plugins/{plugin}"

PLUGIN_ROUTES: Final = (
    Route(
        name="list-plugins",
        method="GET",
        path="/v1/plugins",
        summary="Installed plugins, the oldest first.",
        action=plugins.list_plugins,
        reply=PluginList,
    ),
    Route(
        name="install-plugin",
        method="POST",
        path="/v1/plugins",
        summary="Give a component the committed entries of other workers, from now on.",
        action=plugins.install_plugin,
        body=InstallBody,
        reply=PluginForm,
        errors=(*COMPONENT_ERRORS, *BODY_ERRORS, "ConflictError"),
    ),
    Route(
        name="uninstall-plugin",
        method="DELETE",
        path=_PLUGIN,
        summary="End a plugin for every worker; what it has made of their entries stays.",
        action=plugins.uninstall_plugin,
        errors=("PluginNotFoundError",),
    ),
    Route(
        name="activate-plugin",
        method="POST",
        path=f"{_PLUGIN}/activate",
        summary="Let a plugin see one worker, or all of a component, from now on.",
        action=plugins.activate_plugin,
        body=SwitchBody,
        reply=Switched,
        errors=(*WORKER_ERRORS, *BODY_ERRORS, "PluginNotFoundError"),
    ),
    Route(
        name="deactivate-plugin",
        method="POST",
        path=f"{_PLUGIN}/deactivate",
        summary="End a plugin for one worker, or for all of a component.",
        action=plugins.deactivate_plugin,
        body=SwitchBody,
        reply=Switched,
        errors=(*WORKER_ERRORS, *BODY_ERRORS, "PluginNotFoundError"),
    ),
)
