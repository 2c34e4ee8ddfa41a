"""Commands run by our host, by wasmtime's own WASI, and once more from their logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, Self

from golem_host import HostConfig, InvocationExitedError, InvocationFailedError
from golem_host.engine import Trap
from golem_host.failures import GuestError
from golem_host.signals import ExitSignal
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from golem_oplog.values import Ok
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT
from tests.support.world import FrozenClock, ScriptedRandom

_NETWORKED: Final = "wasmtime==47.0.1"
RUN: Final = "wasi:cli/run.{run}"
TRAPPED: Final = 134


ONE_ATTEMPT: Final = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0))


class Seen(NamedTuple):
    """What a command's caller sees of it."""

    exit_code: int
    """134 for a trap."""
    stdout: bytes
    stderr: bytes


class Stock:
    """Wasmtime's WASI; use it as a context manager, for as many commands as there are."""

    def __init__(self, folder: Path, *, network: bool = False) -> None:
        """
        ``folder`` is where output is kept until it has been read.

        With ``network`` it is the last engine whose binding lets guests have one, installed for it
        the first time: for ``long`` suites.
        """
        self._outputs = {name: folder / name for name in ("stdout", "stderr")}
        self._network = network
        path = [str(_networked_engine())] if network else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stock_wasi"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*path, str(ROOT)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(
        self, wasm: Path, args: list[str], env: Mapping[str, str], root: Path | None = None
    ) -> Seen:
        """``root`` is the directory that the guest has as its ``/``; None for no files at all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        outputs = {name: str(path) for name, path in self._outputs.items()}
        request = {
            "wasm": str(wasm),
            "args": args,
            "env": dict(env),
            "root": None if root is None else str(root),
            "network": self._network,
            **outputs,
        }
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        exit_code = int(self._process.stdout.readline())
        return Seen(exit_code, *(path.read_bytes() for path in self._outputs.values()))


def _networked_engine() -> Path:
    """Where `_NETWORKED` is, beside the engine that everything else uses."""
    folder = ROOT / ".build" / _NETWORKED
    if not (folder / "wasmtime").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--target", str(folder), _NETWORKED], check=True)
    return folder


def ours(
    wasm: Path,
    args: list[str],
    env: Mapping[str, str],
    state_dir: Path,
    config: HostConfig = ONE_ATTEMPT,
    net: tuple[str, ...] = (),
    dirs: Sequence[str] = (),
) -> Seen:
    """Run it as a durable worker, in a new state directory that is left behind for `replayed`."""
    with open_host(state_dir, replace(config, net=config.net + net)) as host:
        component = host.components.deploy(wasm, name="command")
        worker = host.workers.create(component, "main", args=args, env=env, dirs=dirs)
        return _watched(worker)


def replayed(state_dir: Path) -> tuple[Seen, int]:
    """
    Rebuild the guest from the log that `ours` left, in a world that has nothing to answer with:
    what is seen of it, and how many entries were appended.
    """
    world = replace(ONE_ATTEMPT, clock=FrozenClock(), random=NoRandom())
    with open_host(state_dir, world) as host:
        worker = host.workers.get("command", "main")
        runner = worker._access.runner()
        before = runner.parts.oplog.last_index
        shown: list[bytes] = []
        runner._drive._slot = runner.parts.shared.slots.slot(bool)
        session = runner._drive._build()
        with (
            worker.attach(lambda _, data: shown.append(data), lambda _: None),
            suppress(ExitSignal, GuestError, Trap),
        ):
            session.catch_up()
        session.close()
        runner.parts.output.flush()
        assert [] == shown
        # The caller who asks again.
        seen = _watched(worker)
        return seen, runner.parts.oplog.last_index - before


class NoRandom(ScriptedRandom):
    """Nothing that is replayed draws a number."""

    def bytes(self, count: int) -> bytes:
        raise AssertionError(count)


def _watched(worker: Worker) -> Seen:
    out: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    with worker.attach(lambda stream, data: out[stream].append(data), lambda _: None):
        try:
            result = worker.invoke(RUN, idempotency_key="run")
            exit_code = 0 if isinstance(result, Ok) else 1
        except InvocationExitedError as exited:
            exit_code = exited.exit_code
        except InvocationFailedError:
            exit_code = TRAPPED
    return Seen(exit_code, b"".join(out["stdout"]), b"".join(out["stderr"]))
