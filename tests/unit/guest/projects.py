"""Guest projects for these tests."""

from __future__ import annotations

from pathlib import Path

WORLD = "package demo:cart; interface api { add: func(n: u32); } world cart { export api; }"

APP = "from wit_world import exports\n"


def write_project(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A project that could be built, with these files added or put in place of its own."""
    for name, text in ({"app.py": APP, "wit/world.wit": WORLD} | (files or {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
