"""The justfile as data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.repository import ROOT


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    doc: str | None
    group: str | None
    lines: int
    dependencies: tuple[str, ...]


def recipes() -> dict[str, Recipe]:
    """Every recipe that a person may call, by name."""
    dump = subprocess.run(
        [Path(sys.executable).with_name("just"), "--dump", "--dump-format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(dump.stdout)["recipes"].values()
    return {raw["name"]: _recipe(raw) for raw in found if not raw["private"]}


def _recipe(raw: dict[str, Any]) -> Recipe:
    groups = [attribute["group"] for attribute in raw["attributes"] if "group" in attribute]
    return Recipe(
        name=raw["name"],
        doc=raw["doc"],
        group=groups[0] if groups else None,
        lines=len(raw["body"]),
        dependencies=tuple(dependency["recipe"] for dependency in raw["dependencies"]),
    )
