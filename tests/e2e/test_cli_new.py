"""`golem-host new`: a project that works as it is."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from golem_cli.new import TEMPLATES as OFFERED
from golem_host.guest.new import TEMPLATES
from golem_host.guest.project import read_project
from tests.support.agent_model import model
from tests.support.cli import Cli
from tests.support.guests import python_guest
from tests.support.readme import same, steps_in


def test_a_new_project_runs_as_it_says(cli: Cli) -> None:
    """The command that it prints, and the one in its README with what that prints."""
    made = cli.run("new", "cart")
    (said,) = re.findall(r"golem-host (run .*)\n", made.err)
    readme = (cli.folder / "cart/README.md").read_text()
    done = cli.run(*shlex.split(said))
    again = cli.run("new", "cart")

    assert (0, "5\n") == (made.code, done.out)
    assert f"$ golem-host {said}\n5\n" in readme
    assert (2, "cart is there already: choose another name") == (again.code, again.error)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_a_project_of_its_own_name(template: str, cli: Cli) -> None:
    """Package and world have its name; the JSON says what was made."""
    said = json.loads(cli.ok("new", "some/my-cart", "--template", template, "--json"))
    project = read_project(cli.folder / "some/my-cart")
    wit = (cli.folder / "some/my-cart/wit/world.wit").read_text()

    assert ("my-cart", "my-cart") == (project.name, project.world)
    assert "package my:my-cart;" in wit
    made = {path.relative_to(cli.folder / "some/my-cart").as_posix() for path in project_files(cli)}
    assert {"README.md", "app.py", "wit/world.wit", *TEMPLATES[template].beside} == made
    assert made == set(said["files"])
    assert said["command"].startswith("golem-host ")
    assert "{name}" not in said["command"] + said.get("before", "")


def project_files(cli: Cli) -> list[Path]:
    return [path for path in (cli.folder / "some/my-cart").rglob("*") if path.is_file()]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_readme_is_that_of_the_new_project(template: str, cli: Cli) -> None:
    """With its name in every command, in the order in which they are to be typed."""
    made = cli.run("new", "cart", "--template", template)
    readme = (cli.folder / "cart/README.md").read_text()
    shown = re.findall(r"^\$ (.*)$", readme, re.MULTILINE)

    assert readme.startswith("# cart\n")
    assert [f"  {command}" for command in shown] == made.err.splitlines()[1:]
    assert all("cart" in command for command in shown)
    assert "guest_examples" not in readme


@pytest.mark.long
def test_a_new_agent_runs_as_its_readme_says(cli: Cli) -> None:
    """With its own model, on a port that is free."""
    cli.ok("new", "robot", "--template", "agent")
    python_guest(cli.folder / "robot")
    readme = (cli.folder / "robot/README.md").read_text()
    first, travel = steps_in(readme)

    with model(cli, first) as port:
        same(cli, travel, port=port)


def test_every_template_is_offered() -> None:
    """The command line names them without loading what makes them."""
    assert tuple(TEMPLATES) == OFFERED


@pytest.mark.parametrize("name", ["Cart", "1st", "my_cart", "a--b", "-", "a" * 65])
def test_a_name_that_wit_would_not_take_is_refused(name: str, cli: Cli) -> None:
    """Before anything is written."""
    refused = cli.run("new", "--", name)

    assert 2 == refused.code
    assert "is no name for a project" in refused.error
    assert [] == [path.name for path in cli.folder.iterdir() if path.name == name]
