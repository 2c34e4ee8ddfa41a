"""Every example of docs/testing.md, run as the file that it is meant to be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hosts import CACHE_DIR
from tests.support.repository import ROOT

BLOCKS = re.findall(
    r"^```python\n(.*?)^```$",
    (ROOT / "docs" / "testing.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


def run(blocks: list[str], folder: Path) -> str:
    """Through pytest in a process of its own, with no settings of ours."""
    for number, text in enumerate(blocks):
        (folder / f"test_{number}.py").write_text(text, encoding="utf-8")
    (folder / "guest_examples").symlink_to(ROOT / "guest_examples")
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"),
            *("--rootdir", str(folder)),
            *(f"test_{number}.py" for number in range(len(blocks))),
        ],
        cwd=folder,
        env={**os.environ, "GOLEM_HOST_CACHE_DIR": str(CACHE_DIR)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == finished.returncode, finished.stdout + finished.stderr
    return finished.stdout


@pytest.mark.long
def test_every_example_passes(tmp_path: Path) -> None:
    """Those of the guest that other tests build as well."""
    blocks = [block for block in BLOCKS if "crawler" not in block]

    assert len(blocks) >= 5
    assert f"{sum(block.count('def test_') for block in blocks)} passed" in run(blocks, tmp_path)


@pytest.mark.long
def test_every_example_with_http_passes(tmp_path: Path) -> None:
    """The guest has to be built for them."""
    blocks = [block for block in BLOCKS if "crawler" in block]

    assert "2 passed" in run(blocks, tmp_path)
