"""
A look at a worker's private files, from outside and without a trace.

Those of an idle instance are at hand.  Else the log is replayed in a scratch instance, up to its
end, so that a suspended or failed worker is looked at without being woken; of one that is in the
middle of a call the files are seen as its log leads to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from golem_host.engine import Trap
from golem_host.errors import InvalidRequestError, WorkerFileNotFoundError
from golem_host.failures import GuestError
from golem_host.files.errors import FileError
from golem_host.files.look import TooLargeError
from golem_host.files.part import Files
from golem_host.files.tree import Tree
from golem_host.signals import EndOfLogSignal, ExitSignal, InterruptSignal
from golem_host.status import fold
from golem_host.worker.dry_run import at_most
from golem_host.worker.parts import Parts
from golem_host.worker.rebuild import scratch_session, start_of
from golem_host.worker.runner import Runner

T = TypeVar("T")

LOOK_TIMEOUT_S: Final = 60.0

_WORDS: Final = {
    "is-directory": "is no file",
    "not-directory": "has something above it that is no directory",
    "loop": "leads through too many symbolic links",
    "not-permitted": "leads out of the worker's files",
}


def look_at_files(runner: Runner, path: str, look: Callable[[Tree, str], T]) -> T:
    """
    See something of the files of a worker.

    Args:
        runner: The worker's.
        path: What is looked at.
        look: A function of `golem_host.files.look`.

    Raises:
        WorkerFileNotFoundError: There is nothing of this path.
        InvalidRequestError: It cannot be looked at; says why.
        HostError: The log cannot be replayed.
    """
    try:
        with runner.held() as parts, runner.resting() as context:
            if context is not None:
                return look(context.part(Files).tree, path)
            return _replayed(parts, lambda tree: look(tree, path))
    except FileError as error:
        if error.code == "no-entry":
            raise WorkerFileNotFoundError(
                component=runner.parts.component_name, worker=runner.parts.worker_name, path=path
            ) from None
        words = _WORDS.get(error.code, f"is no path: {error.code}")
        raise InvalidRequestError(reason=f"{path[:200]!r} {words}") from None
    except TooLargeError as error:
        raise InvalidRequestError(reason=f"{path[:200]!r}: {error}") from None


def _replayed(parts: Parts, look: Callable[[Tree], T]) -> T:
    status = fold(parts.oplog.skim)
    if status.pending_update is not None and status.pending_update.entry.snapshot is not None:
        raise InvalidRequestError(reason="the worker is being updated; look again afterwards")
    version = status.component_version
    start = replace(start_of(replace(parts, status=status), version), is_look=True)
    with scratch_session(parts, start, status, version, lambda: None) as session:
        try:
            with at_most(session, LOOK_TIMEOUT_S):
                session.catch_up()
        except EndOfLogSignal:
            pass
        except (Trap, GuestError, ExitSignal):
            # Where the log ends, this is how it ended.
            if not session.is_log_over:
                raise
        except InterruptSignal:
            raise InvalidRequestError(
                reason=f"the worker's log is not replayed within {LOOK_TIMEOUT_S:g} s, which a look "
                "at its files needs; look again when it is idle"
            ) from None
        return look(session.context.part(Files).tree)
