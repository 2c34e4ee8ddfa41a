#!/usr/bin/env python3
"""
Set up, try and check this project with nothing installed but Python 3.11, 3.12 or 3.13.

    python3 dev.py setup             make .venv and install into it what requirements.lock names
    python3 dev.py demo              build the counter guest and run it as a durable worker
    python3 dev.py test [ARGS]       the whole check; ARGS are handed to pytest
    python3 dev.py test --full       the same with the long suites in full

Each command sets up first; where nothing has changed since, that takes no time and no network.
"""

import argparse
import hashlib
import importlib.util
import os
import pathlib
import subprocess
import sys
import time
import venv

SUPPORTED = ((3, 11), (3, 12), (3, 13))

# Before anything that an older Python would trip over, and without its help.
if sys.version_info[:2] not in SUPPORTED:
    sys.exit(
        f"golem-host needs Python 3.11, 3.12 or 3.13 and this is {sys.version_info[0]}."
        f"{sys.version_info[1]}: say for instance `python3.12 dev.py`"
    )

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / "golem-host-setup"
LOCK = ROOT / "requirements.lock"

# Recipes of the justfile, cheapest first, so that the common mistake is told soonest.
STAGES = ("lint", "types", "layers", "test")


class StageError(Exception):
    """A step has ended with an error and has told the reader why."""

    def __init__(self, stage: str, exit_code: int) -> None:
        super().__init__(stage, exit_code)
        self.stage = stage
        self.exit_code = exit_code


def main() -> int:
    args, rest = parse(sys.argv[1:])
    try:
        setup()
        if args.command == "demo":
            demo()
        if args.command == "test":
            check(full=args.full, pytest_args=rest)
    except StageError as error:
        say(f"failed: {error.stage} (exit code {error.exit_code})")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


def parse(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and what is left for pytest."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description="Set up, try and check golem-host.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="make .venv and install what requirements.lock names")
    commands.add_parser("demo", help="build the counter guest and run it as a durable worker")
    test = commands.add_parser(
        "test",
        help="lint, types, import contracts and tests",
        usage="dev.py test [--full] [PYTEST ARGS]",
        allow_abbrev=False,
    )
    test.add_argument("--full", action="store_true", help="run the long suites in full")
    args, rest = parser.parse_known_args(argv)
    if rest and args.command != "test":
        parser.error(f"{args.command} takes no arguments: {' '.join(rest)}")
    return args, rest


def setup() -> None:
    """Make the environment what the lock says, unless it is that already."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="ascii") == wanted:
        return
    # The stamp goes first and comes back last: a set-up that was cut off is done again.
    STAMP.unlink(missing_ok=True)
    if not is_ours(VENV):
        make_venv()
    say("installing what requirements.lock names (a minute or so the first time)")
    # The lock is complete.  Left to resolve, pip looks for the newest release of a package that
    # another one wants with an extra, and refuses it because it has no hash here.
    pip("--require-hashes", "--no-deps", "-r", str(LOCK))
    # The build backend is in the lock as well, so that nothing is fetched unhashed.
    pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    STAMP.write_text(wanted, encoding="ascii")
    say(f"ready: {VENV.name}/bin/golem-host")


def fingerprint() -> str:
    """Changes with everything that the installed environment depends on."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for path in (LOCK, ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_ours(folder: pathlib.Path) -> bool:
    """Whether it is an environment of the very Python that runs this, at this very place."""
    probe = [str(folder / "bin" / "python"), "-c", "import sys; print(sys.version, sys.prefix)"]
    try:
        found = subprocess.run(probe, stdout=subprocess.PIPE, text=True, check=False)
    except OSError:
        return False
    return str(found.stdout).strip() == f"{sys.version} {folder}"


def make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        say("this Python comes without pip: install its venv package (python3-venv on Debian)")
        raise StageError("set up", 1)
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    try:
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"cannot make {VENV}: {error}")
        raise StageError("set up", 1) from error


def pip(*args: str) -> None:
    run("set up", "python", "-m", "pip", "install", "--quiet", "--no-input", *args)


def demo() -> None:
    """What the README opens with, in a state directory of its own unless one is named."""
    state_dir = os.environ.get("GOLEM_HOST_STATE_DIR") or str(ROOT / ".build" / "demo")
    command = ["golem-host", "run", "guest_examples/counter", "--invoke", "add(5)"]
    say("golem-host run guest_examples/counter --invoke 'add(5)'")
    run("demo", *command, GOLEM_HOST_STATE_DIR=state_dir)
    say("the count is in the worker's log: the same command goes on from there")


def check(*, full: bool, pytest_args: list[str]) -> None:
    profile = {"GOLEM_HOST_TEST_PROFILE": "full"} if full else {}
    for stage in STAGES:
        say(stage)
        started = time.monotonic()
        run(stage, "just", stage, *(pytest_args if stage == "test" else ()), **profile)
        say(f"{stage} passed in {time.monotonic() - started:.1f} s")


def run(stage: str, program: str, *args: str, **variables: str) -> None:
    """Run a program of the environment from the top of the tree; its output is the user's."""
    env = {**os.environ, **variables}
    env["PATH"] = os.pathsep.join([str(BIN), env.get("PATH", os.defpath)])
    env["VIRTUAL_ENV"] = str(VENV)
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # Modules of another environment must not shadow the locked ones.
    env.pop("PYTHONPATH", None)
    env.pop("PYTHONHOME", None)
    done = subprocess.run([BIN / program, *args], cwd=ROOT, env=env, check=False)
    if done.returncode:
        # A negative code is a signal; the shell's convention for it is 128 and the number.
        raise StageError(stage, done.returncode if done.returncode > 0 else 128 - done.returncode)


def say(text: str) -> None:
    print(f"dev.py: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
