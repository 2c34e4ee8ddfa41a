"""`golem-host new`: a project that works as it is."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from golem_cli.new import TEMPLATES as OFFERED
from golem_host.guest.new import TEMPLATES
from golem_host.guest.project import read_project
from tests.support.cli import Cli


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
    assert {"README.md", "app.py", "wit/world.wit"} == set(said["files"])
    assert said["command"].startswith("golem-host ")
    assert "{name}" not in said["command"]


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
