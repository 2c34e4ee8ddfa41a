"""``guest_examples/crawler`` prints what its README shows."""

from __future__ import annotations

import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.cli import Cli
from tests.support.repository import ROOT

EXAMPLE = ROOT / "guest_examples/crawler"


class Quiet(SimpleHTTPRequestHandler):
    timeout = 30  # type: ignore[mutable-override]

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_the_readme_is_as_printed(cli: Cli, tmp_path: Path) -> None:
    """But for the port, which is whichever is free."""
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    found = re.search(r"--invoke '(.*)'\n(.*)\n", readme)
    assert found is not None
    shutil.copytree(EXAMPLE, cli.folder / "crawler")
    site = shutil.copytree(EXAMPLE, tmp_path / "site")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        here = f"127.0.0.1:{server.server_port}"
        call = found[1].replace("127.0.0.1:8000", here)
        shown = cli.ok("run", "crawler", "--net", here, "--invoke", call)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert f"{found[2]}\n" == shown.replace(here, "127.0.0.1:8000")
