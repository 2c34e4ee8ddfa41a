"""
``run --watch``: build again what was edited, and let the worker go on with it.

A thread looks at the sources, builds, and updates the worker, also while that is in the middle of a call; the main
thread makes the calls, so that Ctrl-C reaches them.  Whatever cannot be done is said, and the worker stays as it
is: nothing here takes anything from its past but a call that has failed for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final, TypeAlias

import click

from golem_cli.exits import CommandError, ExitCode, report
from golem_cli.render import note
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.apps import Source
    from golem_cli.invoking import Batch
    from golem_host import Component, Host, UpdateCheck, Worker

LOOK_S: Final = 0.3
"""How often the sources are looked at; two looks must agree before anything is built."""
END_S: Final = 5.0
"""How long a step that is under way may take after Ctrl-C."""
_SAVE: Final = "golem:api/save-snapshot"
_LOAD: Final = "golem:api/load-snapshot"

Play: TypeAlias = Callable[["Host", "Component", "Batch"], int]
"""Make the calls of the command line once more."""


def watch(
    source: Source | None,
    worker: str,
    play: Play,
    *,
    state_dir: Path | None,
    is_command: bool,
    quiet: bool,
) -> int:
    """
    Make the calls now and after every change that the worker can follow, until Ctrl-C.

    Raises:
        CommandError: Another process owns the state directory.
        InvocationInterruptedError: Ctrl-C, in the middle of a call, which can be continued.
        KeyboardInterrupt: Ctrl-C, between calls.
    """
    from golem_cli.invoking import Batch
    from golem_host import HostError, InvocationInterruptedError
    from golem_oplog.errors import OplogError

    if source is None:
        raise click.UsageError("--watch is for files and folders, and this is neither")
    with _own_host(state_dir) as host:
        rebuilds = _Rebuilds(host, source, worker, is_command=is_command, quiet=quiet)
        note(f"watching {source.path}; Ctrl-C ends it, and loses nothing", quiet=quiet)
        with rebuilds.running():
            while True:
                component, batch = rebuilds.next(), Batch()
                try:
                    play(host, component, batch)
                except InvocationInterruptedError as error:
                    if error.kind == "interrupt":
                        raise
                    report(error)
                except (HostError, OplogError, click.ClickException) as error:
                    report(error)
                if batch.stopped:
                    # It came when there was nothing to interrupt any more.
                    raise KeyboardInterrupt


@contextmanager
def _own_host(state_dir: Path | None) -> Iterator[Host]:
    from golem_cli.session import open_host, state_root
    from golem_host import Host

    with open_host(state_dir) as host:
        if not isinstance(host, Host):
            raise CommandError(
                f"--watch needs the state directory {state_root(state_dir)} for itself, and another "
                "process owns it: end that one, or give another --state-dir",
                ExitCode.REFUSED,
            )
        yield host


@dataclass(slots=True)
class _Rebuilds:
    """The sources, looked at by a thread, and what has become of them."""

    host: Host
    source: Source
    worker: str
    is_command: bool
    quiet: bool
    _ready: SimpleQueue[Component] = field(default_factory=SimpleQueue)
    _ended: Event = field(default_factory=Event)
    _working: Lock = field(default_factory=Lock)

    def next(self) -> Component:
        """Wait for the next version to call, the newest one if there are several."""
        found: Component | None = None
        while found is None or not self._ready.empty():
            try:
                # In short turns: signals are seen between them.
                found = self._ready.get(timeout=LOOK_S)
            except Empty:
                continue
        return found

    @contextmanager
    def running(self) -> Iterator[None]:
        Thread(target=self._run, name="golem-host-watch", daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()
            # What is just being stored is; a build that takes longer ends with the process.
            if self._working.acquire(timeout=END_S):
                self._working.release()

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        built: object = None
        before: object = None
        while not self._ended.is_set():
            try:
                now = _look(self.source.path)
                if now != built and (built is None or now == before):
                    built = now
                    self._rebuild()
                before = now
            except Exception as error:  # noqa: BLE001 - said, and looked at again after the next change
                if not self._ended.is_set():
                    report(error)
                    note("nothing has changed for the worker; edit on", quiet=self.quiet)
            self._ended.wait(LOOK_S)

    def _rebuild(self) -> None:
        self.source.build(self._say)
        with self._working:
            if self._ended.is_set():
                return
            # The file that was just built, from the cache.
            component = self.source.deploy(self.host, self._say)
            if self._follow(component):
                self._ready.put(component)

    def _say(self, text: str) -> None:
        note(text, quiet=self.quiet)

    def _follow(self, component: Component) -> bool:
        """Bring the worker to a version; whether there is something to call."""
        from golem_cli.session import existing_worker
        from golem_host import Worker

        worker = existing_worker(self.host, component.name, self.worker)
        if worker is None or (self.is_command and not worker.unfinished()):
            # The calls make it, or a fresh one.
            return True
        assert isinstance(worker, Worker)
        made = worker.metadata()
        if made.component_version == component.version:
            return True
        if made.status == "failed":
            self._say("taking the call back that failed (`worker revert --last 1`)")
            worker.revert(last_invocations=1)
        return self._update(worker, made.component_version, component)

    def _update(self, worker: Worker, old: int, component: Component) -> bool:
        from golem_cli.worker_past import update_outcome

        label = f"{component.name}/{self.worker}"
        found = worker.check_update(component.version)
        if not found.ok:
            for line in _refusal(label, old, found, worker, component):
                # Said even to those who want quiet: they wait for something that does not come.
                note(line)
            return False
        before = sum(
            each.target_version == component.version and each.state != "pending"
            for each in worker.metadata().updates
        )
        worker.update(component.version)
        failure = update_outcome(worker, component.version, before)
        if failure is not None:
            note(f"{label} stays on version {old}: {failure}")
            return False
        self._say(f"{label} goes on with version {component.version}")
        return True


def _look(path: Path) -> object:
    """Another one when what lies there has been edited; an `OSError` while it is being written."""
    if not path.is_dir():
        state = path.stat()
        return state.st_mtime_ns, state.st_size
    from golem_host.guest.project import look

    return look(path)


def _refusal(
    label: str, old: int, found: UpdateCheck, worker: Worker, component: Component
) -> Iterator[str]:
    """Why a worker stays on its version, and what may be done about it."""
    yield f"{label} stays on version {old}: with version {found.version} its past would be another"
    difference = found.difference
    if difference is None:
        yield f"  {found.reason}"
    else:
        yield f"  first difference at entry {difference.index}"
        yield f"  recorded:  {difference.recorded}"
        yield f"  attempted: {difference.attempted}"
    yield "what you can do from another terminal, before you save again:"
    if difference is not None and difference.index > 1:
        at = difference.index - 1
        yield f"  golem-host worker revert {label} --to {at}    forget what came after"
    if _exports(worker.component, _SAVE) and _exports(component, _LOAD):
        version = component.version
        yield f"  golem-host worker update {label} {version} --mode snapshot-based    carry its state over"
    yield f"  golem-host worker delete {label}    begin anew"


def _exports(component: Component, interface: str) -> bool:
    return any(name.startswith(interface) for name in component.exports)
