"""A worker moves to another state directory as one file."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.support.cli import Cli
from tests.support.rest import Web


def elsewhere(cli: Cli, folder: Path) -> Cli:
    """Another state, with the same component under another name."""
    folder.mkdir()
    (folder / "guest.wasm").write_bytes((cli.folder / "guest.wasm").read_bytes())
    there = Cli(folder)
    there.ok("component", "deploy", "guest.wasm", "--name", "other")
    return there


def test_a_worker_goes_on_elsewhere(cli: Cli, tmp_path: Path) -> None:
    """With its past and its output; the first one is as it was."""
    cli.ok("guest.wasm", "--invoke", "add(5)", "--invoke", "hello()")
    exported = json.loads(cli.ok("oplog", "export", "guest", "x.export", "--json"))
    there = elsewhere(cli, tmp_path / "there")
    file = cli.folder / "x.export"
    imported = there.run("oplog", "import", file, "other/w")
    again = there.run("oplog", "import", file, "other/w")

    assert file.stat().st_size == exported["size_bytes"]
    assert (0, True) == (imported.code, "other/w is idle" in imported.err)
    assert (4, "worker other/w exists already") == (again.code, again.error)
    assert "6\n" == there.ok("worker", "invoke", "other/w", "add(1)")
    assert "hello" == there.ok("worker", "stream", "other/w")
    there.ok("oplog", "check", "other/w")
    assert "7\n" == cli.ok("worker", "invoke", "guest", "add(2)")


def test_an_unfinished_call_is_finished_elsewhere(cli: Cli, tmp_path: Path) -> None:
    """Exported while it runs, and resumed there."""
    with cli.start("guest.wasm", "--invoke", "nap(4000)") as owner:
        owner.wait_for(b"napping\n")
        cli.ok("oplog", "export", "guest", "x.export")
        owner.finish(signal.SIGKILL)
    there = elsewhere(cli, tmp_path / "there")
    there.ok("oplog", "import", cli.folder / "x.export", "other/w")

    assert there.ok("worker", "resume", "other/w").endswith("awake\n4000\n")


def test_what_is_no_export_is_refused_in_one_line(cli: Cli, tmp_path: Path) -> None:
    """Cut off, of another kind, of another component; nothing is made, nothing overwritten."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    cli.ok("oplog", "export", "guest", "x.export")
    kept = cli.run("oplog", "export", "guest", "x.export")
    (cli.folder / "cut").write_bytes((cli.folder / "x.export").read_bytes()[:-1])
    cut = cli.run("oplog", "import", "cut", "guest/w")
    foreign = cli.run("oplog", "import", "guest.wasm", "guest/w")
    with (cli.folder / "guest.wasm").open("ab") as file:
        # A custom section without content makes other bytes of the same component.
        file.write(b"\x00\x02\x01x")
    there = elsewhere(cli, tmp_path / "there")
    other = there.run("oplog", "import", cli.folder / "x.export", "other/w")

    assert (4, "x.export: exists already; give --force") == (kept.code, kept.error)
    assert (4, True) == (cut.code, "inside of a record; nothing was imported" in cut.error)
    assert (4, True) == (foreign.code, "no exported oplog" in foreign.error)
    assert (4, True) == (other.code, "deploy it first" in other.error)
    assert 3 == cli.run("worker", "get", "guest/w").code


def test_export_and_import_through_a_server(cli: Cli) -> None:
    """By REST, and by the command line while the server owns the directory."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    with cli.start("serve", "--port", "0", "--json") as server:
        server.wait_for(b"\n")
        host, _, port = json.loads(server.out)["url"].removeprefix("http://").rpartition(":")
        web = Web((host, int(port)))
        path = "/v1/components/guest/workers"
        exported = web.get(f"{path}/main/export")
        octets = {"content-type": "application/octet-stream"}
        sent = exported.content
        made = web.ask("POST", f"{path}/there/import", content=sent, headers=octets)
        cut = web.ask("POST", f"{path}/cut/import", content=sent[:-1], headers=octets)
        (cli.folder / "x.export").write_bytes(sent)
        cli.ok("oplog", "import", "x.export", "guest/cli")
        sums = [cli.ok("worker", "invoke", f"guest/{name}", "add(1)") for name in ("there", "cli")]
        server.finish(signal.SIGINT)

    assert (200, 200) == (exported.status, made.status)
    assert (422, "MalformedExportError") == cut.error
    assert ["6\n", "6\n"] == sums
