"""Plugins over REST, and through the client that commands use."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem_host import ConflictError, Host, InvalidRequestError, PluginNotFoundError
from golem_host.rest.remote import RemoteHost
from tests.support.handle_guests import handle_guest
from tests.support.plugin_guests import plugin_guest
from tests.support.rest import Web


def test_a_plugin_is_a_document(web: Web, host: Host) -> None:
    """Installed, listed, switched, uninstalled."""
    host.components.deploy(plugin_guest(), name="plugin")
    host.components.deploy(handle_guest(), name="seen")
    host.workers.create(host.components.get("seen"), "a")
    body = {"name": "audit", "component": "plugin", "config": {"k": "v"}, "scope": "seen"}

    made = web.ask("POST", "/v1/plugins", body)
    listed = web.get("/v1/plugins").document["plugins"]
    metadata = web.get("/v1/components/seen/workers/a").document
    off = web.ask("POST", "/v1/plugins/audit/deactivate", {"component": "seen", "worker": "a"})
    on = web.ask("POST", "/v1/plugins/audit/activate", {"component": "seen"})
    nobody = web.ask("POST", "/v1/plugins/audit/activate", {"component": "seen", "worker": "x"})
    twice = web.ask("POST", "/v1/plugins", body)
    gone = web.ask("DELETE", "/v1/plugins/audit")
    late = web.ask("DELETE", "/v1/plugins/audit")

    assert (200, 200) == (made.status, gone.status)
    assert [made.document] == listed
    assert {"k": "v"} == made.document["config"]
    assert [made.document["id"]] == metadata["plugins"]
    assert [{"count": 1}, {"count": 1}] == [off.document, on.document]
    assert (404, "WorkerNotFoundError") == nobody.error
    assert (409, "ConflictError") == twice.error
    assert (404, "PluginNotFoundError") == late.error


def test_the_client_does_as_the_host(host: Host, state_dir: Path) -> None:
    """The same methods, the same errors."""
    host.components.deploy(plugin_guest(), name="plugin")
    remote = RemoteHost.of_owner(state_dir)
    assert remote is not None
    made = remote.plugins.install("mine", "plugin", config={"a": "b"}, scope="clock")

    assert (made,) == host.plugins.list() == remote.plugins.list()
    with pytest.raises(ConflictError):
        remote.plugins.install("mine", "plugin")
    with pytest.raises(InvalidRequestError):
        remote.plugins.activate("mine", "plugin")
    assert 0 == remote.plugins.deactivate("mine", "clock")
    remote.plugins.uninstall("mine")
    with pytest.raises(PluginNotFoundError):
        remote.plugins.uninstall("mine")
