"""What tests of whole processes start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.cli_guest import cli_guest


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A folder with the guest of `tests.support.cli_guest` in it, and no state yet."""
    (tmp_path / "guest.wasm").write_bytes(cli_guest())
    return Cli(tmp_path)
