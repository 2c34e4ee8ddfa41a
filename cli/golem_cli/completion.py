"""
``golem-host completion``, and the names that a shell is offered.

The script that a shell loads is click's own; it asks this program with ``_GOLEM_HOST_COMPLETE`` set.
Names come from a look at the state directory that takes no lock and reads no log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from click.shell_completion import get_completion_class

from golem_cli.lazy import PROGRAM

if TYPE_CHECKING:
    from golem_host import Host

VARIABLE: Final = "_GOLEM_HOST_COMPLETE"
NAMES_MAX: Final = 500
"""Names offered at most: nobody chooses from more."""


class Offered(NamedTuple):
    """One way to go on."""

    text: str
    kind: str = "plain"
    """``file`` where the shell completes a path."""


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """
    Print what makes a shell complete our command lines.

    Commands and options, names of workers and of components.

    \b
    bash: eval "$(golem-host completion bash)" in ~/.bashrc
    zsh: eval "$(golem-host completion zsh)" in ~/.zshrc
    fish: golem-host completion fish > ~/.config/fish/completions/golem-host.fish

    \b
    Example:
      golem-host completion bash
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.program import cli

    found = get_completion_class(shell)
    assert found is not None
    script = found(cli, {}, PROGRAM, VARIABLE)
    # Not `source`: that runs bash, to see whether it is new enough.
    click.echo(script.source_template % script.source_vars())


def complete_worker(state_dir: Path | None, incomplete: str) -> list[Offered]:
    """Workers as ``COMPONENT/NAME``."""
    component, slash, _ = incomplete.partition("/")

    def find(host: Host) -> list[str]:
        known = sorted({each.name for each in host.components.all()})
        wanted = [n for n in known if (n == component if slash else n.startswith(component))]
        labels = (f"{n}/{worker.name}" for n in wanted for worker in host.workers.list(n))
        return list(islice((each for each in labels if each.startswith(incomplete)), NAMES_MAX))

    return _offered(state_dir, find)


def complete_component(state_dir: Path | None, incomplete: str) -> list[Offered]:
    """Names of deployed components."""

    def find(host: Host) -> list[str]:
        return sorted({c.name for c in host.components.all() if c.name.startswith(incomplete)})

    return _offered(state_dir, find)


def complete_app(state_dir: Path | None, incomplete: str) -> list[Offered]:
    """Files and folders, and deployed components."""
    return [Offered(incomplete, "file"), *complete_component(state_dir, incomplete)]


def complete_log(state_dir: Path | None, incomplete: str) -> list[Offered]:
    """Workers, and files."""
    return [*complete_worker(state_dir, incomplete), Offered(incomplete, "file")]


def _offered(state_dir: Path | None, find: Callable[[Host], list[str]]) -> list[Offered]:
    from golem_cli.session import state_root
    from golem_host import Host
    from golem_host.errors import HostError
    from golem_oplog.errors import OplogError

    names: list[str] = []
    # Somebody is typing: what is wrong with the state is told when the line is run.
    with (
        suppress(HostError, OplogError, OSError),
        Host.open(state_root(state_dir), read_only=True) as host,
    ):
        names = find(host)
    return [Offered(name) for name in names]
