"""Every operation exists in Python, on the command line and in REST."""

from __future__ import annotations

import inspect

import click
import pytest

from docs.generate_cli import commands
from golem_host import Call, Host, Worker
from golem_host.rest.remote import RemoteComponents, RemoteHost, RemotePromises, RemoteWorkers
from golem_host.rest.remote_plugins import RemotePlugins
from golem_host.rest.remote_worker import RemoteCall, RemoteWorker
from golem_host.rest.routes import ROUTES
from golem_host.services.components import Components
from golem_host.services.plugins import Plugins
from golem_host.services.promises import Promises
from golem_host.services.workers import Workers

# Python: the command, the route.
OPERATIONS = {
    "Host.collect": ("gc", "collect"),
    "Components.deploy": ("component deploy", "deploy-component"),
    "Components.store_file": ("component deploy", "store-file"),
    "Components.get": ("component get", "get-component"),
    "Components.all": ("component list", "list-components"),
    "Components.delete": ("component delete", "delete-component"),
    "Workers.create": ("worker new", "create-worker"),
    "Workers.get_or_create": ("run", "invoke-and-await"),
    "Workers.get": ("worker get", "get-worker"),
    "Workers.list": ("worker list", "list-workers"),
    "Workers.take_in": ("oplog import", "import-worker"),
    "Promises.complete": ("promise complete", "complete-promise"),
    "Promises.get": ("promise get", "get-promise"),
    "Promises.list": ("promise list", "list-promises"),
    "Promises.delete": ("promise delete", "delete-promise"),
    "Plugins.install": ("plugin install", "install-plugin"),
    "Plugins.list": ("plugin list", "list-plugins"),
    "Plugins.states": ("plugin list", "list-plugins"),
    "Plugins.uninstall": ("plugin uninstall", "uninstall-plugin"),
    "Plugins.activate": ("plugin activate", "activate-plugin"),
    "Plugins.deactivate": ("plugin deactivate", "deactivate-plugin"),
    "Worker.invoke": ("worker invoke", "invoke-and-await"),
    "Worker.enqueue": ("worker invoke", "invoke"),
    "Worker.call": ("worker invocations", "get-invocation"),
    "Worker.cancel": ("worker cancel", "cancel-invocation"),
    "Worker.unfinished": ("worker invocations", "list-invocations"),
    "Worker.component": ("component get", "get-component"),
    "Worker.dirs": ("worker get", "get-worker"),
    "Worker.uri": ("worker get", "get-worker"),
    "Worker.resolve": ("component get", "get-component"),
    "Worker.interrupt": ("worker interrupt", "interrupt-worker"),
    "Worker.resume": ("worker resume", "resume-worker"),
    "Worker.grant_net": ("run", "grant-net"),
    "Worker.simulate_crash": ("worker simulate-crash", "simulate-crash"),
    "Worker.fork": ("worker fork", "fork-worker"),
    "Worker.export": ("oplog export", "export-worker"),
    "Worker.revert": ("worker revert", "revert-worker"),
    "Worker.update": ("worker update", "update-worker"),
    "Worker.check_update": ("worker update", "check-update"),
    "Worker.delete": ("worker delete", "delete-worker"),
    "Worker.metadata": ("worker get", "get-worker"),
    "Worker.explain": ("worker explain", "explain-worker"),
    "Worker.oplog": ("dump", "get-oplog"),
    "Worker.search_oplog": ("oplog search", "get-oplog"),
    "Worker.output": ("worker stream", "stream-output"),
    "Worker.attach": ("worker stream", "stream-output"),
    "Worker.list_files": ("worker files", "list-files"),
    "Worker.read_file": ("worker files", "read-file"),
    "Call.key": ("worker invocations", "get-invocation"),
    "Call.function": ("worker invocations", "get-invocation"),
    "Call.done": ("worker invocations", "get-invocation"),
    "Call.result": ("worker invocations", "get-invocation"),
    "Call.cancel": ("worker cancel", "cancel-invocation"),
}

# What the parts of a host ask of each other, and what has no meaning across processes.
INSIDE = {
    "Host.open",
    "Host.close",
    "Components.by_id",
    "Components.collect_files",
    "Components.id_of",
    "Components.linked",
    "Components.name_of",
    "Workers.after",
    "Workers.close",
    "Workers.delete",
    "Workers.dirs_of",
    "Workers.exists",
    "Workers.export",
    "Workers.find_runner",
    "Workers.log",
    "Workers.fork",
    "Workers.metadata",
    "Workers.on_parts",
    "Workers.page",
    "Workers.resting_log",
    "Workers.retire",
    "Workers.revive",
    "Workers.runner",
    "Workers.wake",
    "Promises.create",
    "Promises.delete_of",
    "Promises.is_completed",
    "Promises.is_settled",
    "Promises.waking",
    "Plugins.advance",
    "Plugins.by_id",
    "Plugins.finish",
    "Plugins.forget",
    "Plugins.get",
    "Plugins.ids_for",
    "Plugins.is_unfinished",
    "Plugins.position",
    "Plugins.sees",
    "Plugins.tell",
    "Plugins.workers_of",
    "Worker.begin",
    "Worker.begin_wire",
    "Worker.durable_index",
    "Worker.give_up",
    "Call.args",
    "Call.give_up",
    "Call.watch",
    "Call.wire_args",
}

# Commands and routes that are no operation of a host.
ONLY_COMMANDS = {
    "build",
    "new",
    "completion",
    "component wit",
    "oplog check",
    "oplog dump",
    "oplog stat",
    "oplog tail",
    "serve",
    "wit",
}
# The input that a client of `attach` lends takes two of them.
ONLY_ROUTES = {
    "get-component-wit",
    "give-input",
    "health",
    "lend-input",
    "list-worker-promises",
    "version",
}

REMOTE = {
    Host: RemoteHost,
    Components: RemoteComponents,
    Workers: RemoteWorkers,
    Promises: RemotePromises,
    Plugins: RemotePlugins,
    Worker: RemoteWorker,
    Call: RemoteCall,
}
COMMANDS = {
    context.command_path.partition(" ")[2]: command
    for context, command in commands()
    if not isinstance(command, click.Group)
}


def public(cls: type) -> set[str]:
    return {f"{cls.__name__}.{name}" for name in vars(cls) if not name.startswith("_")} - {
        f"{cls.__name__}.{name}" for name in inspect.get_annotations(cls)
    }


@pytest.mark.parametrize("cls", REMOTE)
def test_no_method_is_forgotten(cls: type) -> None:
    """A new public method stands in the table, or among what is for the inside."""
    known = {name for name in {*OPERATIONS, *INSIDE} if name.startswith(f"{cls.__name__}.")}

    assert public(cls) == known


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_exists_three_times(operation: str) -> None:
    """The command, the route, and the method of a host that another process has."""
    command, route = OPERATIONS[operation]
    owner, _, name = operation.partition(".")
    (remote,) = (there for here, there in REMOTE.items() if here.__name__ == owner)

    assert command in COMMANDS
    assert route in {each.name for each in ROUTES}
    assert hasattr(remote, name) or name == "key"


def test_no_command_and_no_route_stands_alone() -> None:
    """Each belongs to an operation, or is none."""
    assert {command for command, _ in OPERATIONS.values()} | ONLY_COMMANDS == set(COMMANDS)
    assert {r for _, r in OPERATIONS.values()} | ONLY_ROUTES == {each.name for each in ROUTES}


@pytest.mark.parametrize("path", sorted(COMMANDS.keys() - {"completion"}))
def test_every_command_speaks_json(path: str) -> None:
    """But the one that prints a script."""
    names = {name for parameter in COMMANDS[path].params for name in parameter.opts}

    assert "--json" in names
