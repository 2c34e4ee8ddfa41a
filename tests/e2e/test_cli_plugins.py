"""Plugins on the command line: installed, listed, switched and uninstalled, with an owner and without."""

from __future__ import annotations

import json

import pytest

from golem_host.rest.remote import RemoteHost
from tests.support.cli import Cli, wait_until
from tests.support.handle_guests import handle_guest
from tests.support.plugin_guests import plugin_guest


@pytest.fixture
def plugins(cli: Cli) -> Cli:
    """With a processor and a component ``watched`` that has the worker ``a``."""
    (cli.folder / "auditor.wasm").write_bytes(plugin_guest())
    (cli.folder / "watched.wasm").write_bytes(handle_guest())
    for name in ("auditor", "watched"):
        cli.ok("component", "deploy", f"{name}.wasm")
    cli.ok("worker", "new", "watched/a")
    return cli


def test_a_plugin_is_managed_without_an_owner(plugins: Cli) -> None:
    """Every command says what it did; a mistake is one line."""
    installed = plugins.run("plugin", "install", "audit", "auditor", "--config", "level=all")
    (listed,) = map(json.loads, plugins.ok("plugin", "list", "--json").splitlines())
    off = plugins.run("plugin", "deactivate", "audit", "watched/a")
    on = json.loads(plugins.ok("plugin", "activate", "audit", "watched", "--json"))
    shown = plugins.ok("worker", "get", "watched/a")
    gone = plugins.run("plugin", "uninstall", "audit")
    unknown = plugins.run("plugin", "uninstall", "audit")
    no_processor = plugins.run("plugin", "install", "other", "watched")

    assert (0, True) == (installed.code, "plugin audit is installed" in installed.err)
    assert ("audit", "auditor", None) == (listed["name"], listed["component"], listed["scope"])
    assert ({"level": "all"}, "") == (listed["config"], listed["problem"])
    assert "inactive for 1 more worker" in off.err
    assert {"plugin": "audit", "active": True, "changed": 1} == on
    assert listed["id"] in shown
    assert (0, 3) == (gone.code, unknown.code)
    assert "plugin list" in unknown.error
    assert (2, True) == (no_processor.code, "is no plugin" in no_processor.error)


def test_an_owner_hands_over_what_is_written(plugins: Cli) -> None:
    """Installed through it, the plugin is at work at once."""
    with plugins.start("serve", "--port", "0", "--json") as server:
        server.wait_for(b"\n")
        plugins.ok("plugin", "install", "audit", "auditor", "--scope", "watched")
        table = plugins.ok("plugin", "list")
        plugins.ok("worker", "invoke", "watched/b", "counter.new(1)")
        owner = RemoteHost.of_owner(plugins.state)
        assert owner is not None
        wait_until(lambda: bool(list(owner.workers.list("auditor"))))
        (processor,) = owner.workers.list("auditor")
        wait_until(lambda: (ord("b"), 0, 1) in [each[:3] for each in processor.invoke("batches")])
        off = plugins.run("plugin", "deactivate", "audit", "watched")
        plugins.ok("plugin", "uninstall", "audit")
        none = list(owner.plugins.list())

    assert ["audit", "auditor", "watched"] == table.splitlines()[1].split()
    assert "inactive for 2 more workers" in off.err
    assert [] == none
