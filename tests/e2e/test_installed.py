"""What is installed from the wheel is all that a user needs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.installed import InstalledCli, install
from tests.support.readme import steps_in
from tests.support.repository import ROOT

EVERYTHING = """
import pkgutil, sys
import golem_cli, golem_host, golem_oplog
for package in (golem_cli, golem_host, golem_oplog):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        __import__(module.name)
print(*sys.path, sep="\\n")
for module in list(sys.modules.values()):
    print(getattr(module, "__file__", None) or "")
"""

PROMISE = re.compile(rb"decide promise (\S+)\n")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> InstalledCli:
    return InstalledCli(tmp_path, environment)


def test_every_module_of_the_wheel_can_be_imported_with_what_it_requires(
    installed: InstalledCli,
) -> None:
    """And none comes from the checkout, nor anything that it would not bring to a user."""
    found = installed.python(EVERYTHING).splitlines()

    assert sum("site-packages/golem_" in path for path in found) > 200
    assert [] == [path for path in found if path.startswith(str(ROOT))]


def test_the_installed_program_makes_projects(installed: InstalledCli) -> None:
    """Of its own templates."""
    installed.ok("new", "cart", "--template", "agent")

    assert (installed.folder / "cart/model.py").is_file()
    assert [] == list((installed.folder / "home").iterdir())


@pytest.mark.long
def test_the_installed_program_does_all_that_a_first_day_asks_for(installed: InstalledCli) -> None:
    """A project is made, built, run, decided about, forked; its README is right."""
    installed.ok("new", "shop", "--template", "workflow")
    installed.ok("build", "shop", "-o", "shop.wasm")
    (first,) = steps_in((installed.folder / "shop/README.md").read_text())
    cheap = installed.ok(*first.args)
    dear = shlex.split("run shop --invoke 'order(\"pot\", 9000)'")
    with installed.start(*dear) as running:
        running.wait_for(PROMISE)
        found = PROMISE.search(running.out)
        assert found is not None
        installed.ok("promise", "complete", found[1].decode(), "yes")
        done = running.finish()
    installed.ok("worker", "fork", "shop/main", "twin")
    left = [
        installed.ok("run", "shop", "--worker", worker, "--invoke", 'left("tea")')
        for worker in ("main", "twin", "other")
    ]
    with installed.start(*dear, "--worker", "twin") as running:
        # The pot is sold there as well: nobody is asked.
        refused = running.finish()

    assert (installed.folder / "shop.wasm").read_bytes().startswith(b"\0asm")
    assert first.shown in cheap
    assert (0, 'ok("one pot is on its way")') == (done.code, done.out.splitlines()[-1])
    assert ["2\n", "2\n", "3\n"] == left
    assert (1, 'err("there is no pot")\n') == (refused.code, refused.out)
