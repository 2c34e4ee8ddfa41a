"""A guest with well-known packages of others in it, that runs the program in its first argument."""

from __future__ import annotations

import shutil
from functools import cache
from importlib.metadata import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from golem_host.guest import build_guest
from tests.support.guests import GUESTS_DIR

PACKAGES: Final = (
    "certifi",
    "charset-normalizer",
    "idna",
    "jinja2",
    "markdown-it-py",
    "markupsafe",
    "mdurl",
    "requests",
    "urllib3",
)
"""As they are installed here, without what is compiled for this machine."""
_APP: Final = """
import socket

# urllib3 makes a socket while it is imported, to see whether this works; a component that is
# being built has no network.
socket.has_ipv6 = False

import asyncio
import sys
import jinja2
import markdown_it
import requests
from wit_world import exports


class Run(exports.Run):
    def run(self):
        program = compile(sys.argv[1], "<program>", "exec")
        exec(program, {**globals(), "args": sys.argv[2:]})
"""
_WIT: Final = """
package test:programs;

world programs {
  include wasi:cli/imports@0.2.9;
  export wasi:cli/run@0.2.9;
}
"""


@cache
def program_guest() -> Path:
    """Its component; built once."""
    with TemporaryDirectory() as folder:
        project = Path(folder) / "programs"
        (project / "wit").mkdir(parents=True)
        (project / "app.py").write_text(_APP, encoding="utf-8")
        (project / "wit/world.wit").write_text(_WIT, encoding="utf-8")
        for package in PACKAGES:
            _vendor(package, project / "vendor")
        return build_guest(project, cache_dir=GUESTS_DIR).wasm


def _vendor(package: str, folder: Path) -> None:
    for file in files(package) or ():
        if file.suffix not in {".py", ".pem", ".json"} or ".." in file.parts:
            continue
        target = folder / str(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)
