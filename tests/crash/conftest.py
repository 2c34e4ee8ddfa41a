"""What tests of killed programs start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """An empty folder, and no state yet."""
    return Cli(tmp_path)
