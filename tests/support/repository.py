"""The tree under test as files: what is tracked, and what the Markdown and Python among it say."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    """Every file that a clone would have, or would have once the work in progress is committed."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def tracked_text() -> dict[Path, str]:
    """The same without what is no UTF-8 text."""
    texts = {}
    for path in tracked():
        try:
            texts[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def shown(path: Path) -> str:
    """How a failure names a file."""
    return path.relative_to(ROOT).as_posix()
