"""
What a kill would leave of a state directory, at every moment that matters of one run.

While a run is `watched`, the directory is copied before each entry is appended and after each
commit, to whatever log: with all that was handed to the operating system by then, and nothing
else, which is what SIGKILL leaves.  Appends and commits wait for the copy, so that it is of one
moment.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias
from unittest.mock import patch

from golem_host import Host
from golem_oplog.log import SegmentedOplog

_LEFT_OUT: Final = {"control.sock", "host.db-shm", "stores.db-shm"}
"""What a process that is gone leaves without any use for the next one."""
COMPONENTS: Final = "components"
"""Where a state directory has what never changes and may be large."""

Files: TypeAlias = dict[str, bytes]
"""A directory: paths and packed contents."""


class Moment(NamedTuple):
    """What a kill would have left then."""

    label: str
    """What was about to happen, or had just happened."""
    files: Files


def packed(folder: Path, *, components: bool = True) -> Files:
    """A directory as it is now, with its components or without."""
    return {
        str(path.relative_to(folder)): zlib.compress(path.read_bytes(), 1)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in _LEFT_OUT
        and (components or COMPONENTS not in path.relative_to(folder).parts)
    }


def unpack(files: Files, folder: Path) -> Path:
    """Make a directory that was packed."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(zlib.decompress(content))
    return folder


@contextmanager
def watched(
    host: Host, state_dir: Path, *, flushing: bool, components: bool = True
) -> Iterator[list[Moment]]:
    """
    The moments of what happens meanwhile, those that differ.

    With ``flushing`` every entry is handed to the operating system as soon as it is appended;
    without, a kill loses what was not committed.  One folder may be left out, as of `packed`.
    """
    moments: list[Moment] = []
    seen: set[str] = set()
    lock = threading.RLock()
    # No row is half written while the directory is copied.
    database = host.workers._shared.unfinished._database
    stores = host.workers._shared.stores

    def look(label: str) -> None:
        held = [database] if stores._database is None else [database, stores._database]
        with ExitStack() as stack:
            for each in held:
                stack.enter_context(each._lock)
            files = packed(state_dir, components=components)
        digest = hashlib.sha256(repr(files).encode()).hexdigest()
        if digest not in seen:
            seen.add(digest)
            moments.append(Moment(label, files))

    def before(method: Callable[..., Any]) -> Callable[..., Any]:
        def appending(log: SegmentedOplog, *args: Any) -> Any:
            with lock:
                look(f"before {args[0]}")
                index = method(log, *args)
                if flushing:
                    log.flush()
                return index

        return appending

    def after(method: Callable[..., Any]) -> Callable[..., Any]:
        def committing(log: SegmentedOplog) -> Any:
            with lock:
                method(log)
                look(f"after the commit of {log.last_index}")

        return committing

    with (
        patch.object(SegmentedOplog, "append", before(SegmentedOplog.append)),
        patch.object(SegmentedOplog, "append_call", before(SegmentedOplog.append_call)),
        patch.object(SegmentedOplog, "append_together", before(SegmentedOplog.append_together)),
        patch.object(SegmentedOplog, "commit", after(SegmentedOplog.commit)),
    ):
        yield moments


@contextmanager
def dying_before(number: int) -> Iterator[None]:
    """This process kills itself when the entry of that number is appended, over all logs."""
    passed = count(1)

    def killing(method: Callable[..., Any]) -> Callable[..., Any]:
        def append(*args: Any) -> Any:
            if next(passed) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args)

        return append

    with (
        patch.object(SegmentedOplog, "append", killing(SegmentedOplog.append)),
        patch.object(SegmentedOplog, "append_call", killing(SegmentedOplog.append_call)),
        patch.object(SegmentedOplog, "append_together", killing(SegmentedOplog.append_together)),
    ):
        yield
