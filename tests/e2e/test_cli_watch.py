"""``run --watch``: what is edited is built, and the worker follows if its past allows that."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.cli import Cli, Running
from tests.support.repository import ROOT
from tests.support.version_guests import version

APP = "it.wasm"
BUILD_S = 240.0
"""How long a build of a guest in Python takes on a machine with more to do."""


@pytest.fixture
def watched(tmp_path: Path) -> Cli:
    (tmp_path / APP).write_bytes(version())
    return Cli(tmp_path)


def save(cli: Cli, wasm: bytes) -> None:
    (cli.folder / APP).write_bytes(wasm)


def stop(running: Running) -> str:
    """Everything it wrote, after Ctrl-C."""
    done = running.finish(signal.SIGINT)
    assert 130 == done.code, done
    return done.out


def test_a_change_is_followed_and_called_again(watched: Cli) -> None:
    """The worker's past is replayed by the new version, and Ctrl-C between two calls loses nothing."""
    with watched.start("run", APP, "--watch", "--invoke", "add(1)", together=True) as running:
        running.wait_for(b"\n1\n")
        save(watched, version(more=1))
        running.wait_for(b"\n2\n")
        said = stop(running)

    assert f"watching {watched.folder / APP}" in said
    assert "it/main goes on with version 1" in said
    assert "3\n" == watched.ok("run", APP, "--invoke", "add(1)")


def test_a_past_that_would_be_another_is_told(watched: Cli) -> None:
    """With the first difference and what can be done; when it is done, the next save goes on."""
    with watched.start("run", APP, "--watch", "--invoke", "nap(1)", together=True) as running:
        running.wait_for(b"\n1\n")
        save(watched, version(nap=""))
        running.wait_for(b"begin anew\n")
        said = running.out.decode()
        watched.ok("worker", "delete", "it/main")
        save(watched, version(nap="", step=5))
        running.wait_for(b"\n5\n")
        stop(running)

    assert "it/main stays on version 0: with version 1 its past would be another" in said
    assert re.search(r"first difference at entry 4\n.*recorded:  .*poll.*\n.*attempted: ", said), (
        said
    )
    assert "golem-host worker revert it/main --to 3 " in said
    assert "golem-host worker update it/main 1 --mode snapshot-based " in said
    assert "golem-host worker delete it/main " in said


def test_a_call_goes_on_with_the_new_version(watched: Cli) -> None:
    """One that waits is updated in its middle; when it is over the calls are made again."""
    with watched.start("run", APP, "--watch", "--invoke", "wait", together=True) as running:
        running.wait_for(b"suspended: waiting for promise")
        save(watched, version(step=100))
        running.wait_for(b"it/main goes on with version 1")
        (promise,) = set(re.findall(rb"promise (\S+/main/\d+)", running.out))
        watched.ok("promise", "complete", promise.decode(), "xyz")
        running.wait_for(b"\n300\n")
        stop(running)

    assert "suspended: waiting for promise" in running.out.decode()


def test_a_failed_call_is_taken_back(watched: Cli) -> None:
    """So that what was wrong can be put right and tried."""
    line = ("run", APP, "--watch", "--no-retry", "--invoke", "fail")
    with watched.start(*line, together=True) as running:
        running.wait_for(b"golem-host: error: ")
        save(watched, version(fail=""))
        running.wait_for(b"\n8\n")
        said = stop(running)

    assert "taking the call back that failed" in said


@pytest.mark.long
def test_what_cannot_be_hosted_is_told(watched: Cli) -> None:
    """And changes nothing; the next save is looked at as if nothing had been wrong."""
    with watched.start("run", APP, "--watch", "--invoke", "add(1)", together=True) as running:
        running.wait_for(b"\n1\n")
        save(watched, b"no component")
        running.wait_for(b"nothing has changed for the worker")
        save(watched, version(more=2))
        running.wait_for(b"\n2\n")
        stop(running)


def test_ctrl_c_is_heard_between_calls_in_the_background_of_a_script(watched: Cli) -> None:
    """Where a shell has it ignored by what it starts."""
    script = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    line = ("run", APP, "--watch", "--invoke", "add(1)")
    with watched.start(*line, prefix=script, together=True) as running:
        running.wait_for(b"\n1\n")
        stop(running)


@pytest.mark.long
def test_ctrl_c_in_a_call_is_continued(watched: Cli) -> None:
    """By the same command without watching, as ever."""
    with watched.start("run", APP, "--watch", "--invoke", "wait", together=True) as running:
        running.wait_for(b"suspended: waiting for promise")
        said = stop(running)
    (promise,) = set(re.findall(r"promise (\S+/main/\d+)", said))
    watched.ok("promise", "complete", promise, "xy")

    assert "2\n" == watched.ok("run", APP, "--invoke", "wait")


@pytest.mark.long
def test_a_directory_with_an_owner_is_refused(watched: Cli) -> None:
    """In one line that says why; so is what cannot change."""
    with watched.start("serve", "--port", "0", together=True) as owner:
        owner.wait_for(b"http://")
        refused = watched.run("run", APP, "--watch", "--invoke", "add(1)")
        owner.finish(signal.SIGINT)
    watched.ok("run", APP, "--invoke", "add(1)")
    deployed = watched.run("run", "it", "--watch", "--invoke", "add(1)")

    assert 4 == refused.code
    assert refused.error.startswith(f"--watch needs the state directory {watched.state} for itself")
    assert (2, True) == (deployed.code, "--watch is for files and folders" in deployed.error)


@pytest.mark.long
def test_a_guest_in_python_is_built_again(cli: Cli) -> None:
    """A mistake is shown with its traceback, and the old code answers meanwhile."""
    project = cli.folder / "counter"
    shutil.copytree(ROOT / "guest_examples" / "counter", project)
    app = (project / "app.py").read_text()
    with cli.start("run", "counter", "--watch", "--invoke", "add(1)", together=True) as running:
        running.wait_for(b"\n1\n", BUILD_S)
        (project / "app.py").write_text(app + "\n1 / 0\n")
        running.wait_for(b"nothing has changed for the worker", BUILD_S)
        said = running.out.decode()
        (project / "app.py").write_text(app + "\n1 / 1\n")
        running.wait_for(b"\n2\n", BUILD_S)
        stop(running)

    assert re.search(r'File "app.py", line \d+, in <module>', said)
    assert "golem-host: error: counter: app.py cannot be imported: ZeroDivisionError" in said
