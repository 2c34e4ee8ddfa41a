"""One host for the tests of a module, with the guests that they call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from golem_host import Host
from tests.support.cli_guest import cli_guest
from tests.support.components import clock_component
from tests.support.hosts import open_host
from tests.support.rest import Web, control


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def host(state_dir: Path) -> Iterator[Host]:
    """``clock`` is `CLOCK_COMPONENT`, ``cli`` the guest of `tests.support.cli_guest`."""
    with open_host(state_dir) as found:
        found.components.deploy(clock_component(), name="clock")
        found.components.deploy(cli_guest(), name="cli")
        yield found


@pytest.fixture(scope="module")
def web(host: Host, state_dir: Path) -> Web:
    """The control socket."""
    del host
    return control(state_dir)
