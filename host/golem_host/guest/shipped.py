"""
What travels with this host for guests to be built from: WIT packages and the guest SDK.

In an installed wheel these folders lie inside the package, in a checkout at the top.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import golem_host
from golem_host.guest import wit_files


def folder(name: str) -> Path:
    """A shipped folder by name."""
    package = Path(golem_host.__file__).parent
    installed = package / name
    return installed if installed.is_dir() else package.parents[1] / name


@cache
def wit_packages() -> dict[str, dict[str, str]]:
    """The shipped WIT: package -> file name -> text."""
    packages: dict[str, dict[str, str]] = {}
    for path in sorted(folder("wit").rglob("*.wit")):
        text = path.read_text(encoding="utf-8")
        (package,) = wit_files.scan(text).packages
        packages.setdefault(package, {})[path.name] = text
    return packages
