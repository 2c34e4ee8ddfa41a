"""A host that answers HTTP on loopback, with the guest of `tests.support.web_guest`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from golem_host import Host
from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.repository import ROOT
from tests.support.web import CONFIG


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """``web`` is deployed."""
    with open_host(tmp_path_factory.mktemp("state"), CONFIG) as found:
        found.components.deploy(python_guest(ROOT / "tests/support/web_guest"), name="web")
        yield found
