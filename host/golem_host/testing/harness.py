"""
A host for tests: in a temporary directory, in a world that stands still, ready to crash.

Beyond `Host` it knows how to stop as a killed process does and to go on, in the middle of calls,
which do not notice.  Workers give up their instance at every wait and between any two calls, so
that every test is one of replay too; `HostConfig` may say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, Final, TypeVar

from golem_host.component import Component
from golem_host.config import HostConfig
from golem_host.errors import HostError
from golem_host.host import Host
from golem_host.services.promises import PromiseId
from golem_host.storage.layout import default_cache_dir
from golem_host.system import monotonic_s
from golem_host.testing.crashes import Crashes, CrashPoint, copy_state
from golem_host.testing.scripted_http import HttpAnswers, HttpScript
from golem_host.testing.stoppable import StoppableHost, stoppable
from golem_host.testing.world import FrozenClock, SeededRandom
from golem_oplog.closing import ClosesOnExit
from golem_oplog.errors import OplogError
from golem_oplog.protocol import SyncLevel

if TYPE_CHECKING:
    from golem_host.testing.worker import GuestWorker

T = TypeVar("T")

TIMEOUT_S: Final = 60.0
"""Of real time, after which whatever a test waits for has failed."""
TURN_S: Final = 0.005
"""How often it is looked whether time should go on."""
NS_PER_S: Final = 1_000_000_000
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a fresh folder is made in it
"""Linux's file system in memory."""
MEMORY_BYTES_MIN: Final = 1 << 30
"""With less left there, as in many containers, a harness goes to disk."""

QUIET: Final = HostConfig(
    sync_level=SyncLevel.PROCESS,
    suspend_after_s=0.0,
    idle_after_s=0.0,
    control_socket=False,
)
"""The settings of a harness that is given none: its clock and random source are put in."""


def built(guest: str | Path | bytes, cache_dir: Path | None = None) -> Path | bytes:
    """
    A component: bytes and files as they are, the folder of a guest project built.

    Builds are kept by content in ``cache_dir``, by default where the command line keeps them.

    Raises:
        GuestBuildError: The project cannot be built, with the reason.
    """
    if isinstance(guest, bytes) or not Path(guest).is_dir():
        return guest if isinstance(guest, bytes) else Path(guest)
    from golem_host.guest import build_guest  # noqa: PLC0415 - few tests build

    return build_guest(Path(guest), cache_dir=(cache_dir or default_cache_dir()) / "guests").wasm


def _memory() -> Path | None:
    """A folder that is no disk, where the system has a large one; None for the usual place."""
    try:
        return MEMORY if disk_usage(MEMORY).free >= MEMORY_BYTES_MIN else None
    except OSError:
        return None


class Harness(ClosesOnExit):
    """
    A host with one component deployed; use it as a context manager.

    Args:
        guest: A component file, its bytes, or the folder of a guest project, built first.
        name: The component's name; by default that of the file or folder, ``guest`` for bytes.
        config: Settings in place of `QUIET`.
        clock: By default one that stands still, and jumps to when the next thing is due while the
            test waits for a result: nobody waits for a sleep.
        skips_waits: Without it the clock moves by `advance` only.
        random: By default `SeededRandom`.
        http: Answers to ``wasi:http``; without any the network is what ``config.net`` grants.
        cache_dir: Where builds and compiled code are kept; by default the user's own.

    Attributes:
        clock: The clock.
        http: The script, with what was asked for; None where none was given.
        crashes: How often the host has stopped and gone on.

    Raises:
        HostError: The guest cannot be built, or not be hosted.
    """

    def __init__(  # noqa: PLR0913 - what a test may choose
        self,
        guest: str | Path | bytes,
        *,
        name: str | None = None,
        config: HostConfig = QUIET,
        clock: FrozenClock | None = None,
        skips_waits: bool = True,
        random: SeededRandom | None = None,
        http: HttpAnswers | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        self.clock = clock or FrozenClock()
        self.http = None if http is None else HttpScript(http)
        self.crashes = 0
        self._skips_waits = skips_waits
        self._cache_dir = cache_dir or config.cache_dir
        self._config = replace(
            config,
            clock=self.clock,
            random=random or SeededRandom(),
            cache_dir=self._cache_dir,
        )
        self._keys = 0
        self._is_closed = False
        with ExitStack() as stack:
            folder = TemporaryDirectory(
                prefix="golem-host-test-", dir=_memory(), ignore_cleanup_errors=True
            )
            self._folder = Path(stack.enter_context(folder))
            stack.callback(self._close_host)
            self._stop = Crashes(self._copy)
            self._host = self._open()
            self.component = self.deploy(guest, name=name)
            self._resources = stack.pop_all()

    # -- what it is made of -------------------------------------------------------------------

    @property
    def host(self) -> StoppableHost:
        """The host as it is now: another one after each crash, so do not keep it."""
        if self._stop.is_down:
            self._go_on()
        return self._host

    def deploy(self, guest: str | Path | bytes, *, name: str | None = None) -> Component:
        """Deploy another component, or with other bytes another version of one."""
        wasm = built(guest, self._cache_dir)
        default = "guest" if isinstance(guest, bytes) else Path(guest).resolve().stem
        return self.host.components.deploy(wasm, name=name or default)

    def worker(
        self,
        name: str = "main",
        *,
        component: str | None = None,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
    ) -> GuestWorker:
        """The worker of this name; everything else is for a new one."""
        from golem_host.testing.worker import GuestWorker  # noqa: PLC0415 - it knows of harnesses

        component_name = component or self.component.name

        def find(host: Host) -> None:
            host.workers.get_or_create(
                host.components.get(component_name),
                name,
                args=args,
                env=env,
                config_vars=config_vars,
            )

        self.through_crashes(find)
        return GuestWorker(self, component_name, name)

    def workers(self) -> list[GuestWorker]:
        """All there are, sorted."""
        from golem_host.testing.worker import GuestWorker  # noqa: PLC0415 - as above

        listed = self.host.workers.list()
        return [GuestWorker(self, each.component_name, each.name) for each in listed]

    def close(self) -> None:
        """
        End the host and remove its directory.

        Raises:
            UnexpectedRequestError: A guest asked for what the script has no answer to.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._resources.close()
        if self.http is not None:
            self.http.check()

    # -- time ---------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Move the clock; what has become due goes on."""
        self.clock.advance(round(seconds * NS_PER_S))

    def skip_wait(self) -> None:
        """Where nothing goes on but by time: let it be the next time at which something does."""
        due_ns = self.host.next_due_ns() if self._skips_waits else None
        if due_ns is not None and due_ns > self.clock.now_ns:
            self.clock.advance(due_ns - self.clock.now_ns)

    # -- crashes ------------------------------------------------------------------------------

    def crash_at(self, point: CrashPoint | None) -> None:
        """Stop there, once, as a killed process does, and go on; None takes that back."""
        self._stop.arm(point)

    def crash(self) -> None:
        """Stop now, as a killed process does, and go on: what had been begun is continued."""
        self._stop.stop()
        self._go_on()

    def _go_on(self) -> None:
        self._host.close()
        self.crashes += 1
        self._stop = Crashes(self._copy)
        self._host = self._open()

    def _copy(self) -> None:
        with self._host.standing_still():
            copy_state(self._state_dir(self.crashes), self._state_dir(self.crashes + 1))

    def _state_dir(self, number: int) -> Path:
        return self._folder / str(number)

    def _open(self) -> StoppableHost:
        kind = stoppable(self._stop, self.http)
        host = kind.open(self._state_dir(self.crashes), self._config)
        self.clock.on_moved = host.look_again
        return host

    def _close_host(self) -> None:
        self.clock.on_moved = None
        if hasattr(self, "_host"):
            self._host.close()

    # -- waiting ------------------------------------------------------------------------------

    def through_crashes(self, act: Callable[[Host], T]) -> T:
        """Do something on the host; if that crashes meanwhile, once more on the next one."""
        while True:
            host = self.host
            try:
                return act(host)
            except (HostError, OplogError):
                if not self._stop.is_down:
                    raise

    def is_stopped(self, host: Host | None) -> bool:
        """Whether this host has crashed."""
        return host is not self._host or self._stop.is_down

    def wait_for(self, look: Callable[[], T | None], what: Callable[[], str]) -> T:
        """
        Wait until something is there, letting the clock skip what only time would end.

        Raises:
            TimeoutError: After `TIMEOUT_S` of real time, saying ``what`` did not come.
        """
        ends_at = monotonic_s() + TIMEOUT_S
        while (found := look()) is None:
            self.skip_wait()
            if monotonic_s() > ends_at:
                raise TimeoutError(f"{what()} ({TIMEOUT_S:g} s)")
            Event().wait(TURN_S)
        return found

    # -- the rest -----------------------------------------------------------------------------

    def fresh_key(self) -> str:
        """An idempotency key: the same ones in the same order, whatever crashes."""
        self._keys += 1
        return f"call-{self._keys}"

    def complete(self, promise: PromiseId | str, data: bytes) -> bool:
        """Complete a promise, by id or its text form; False if it was before."""
        found = PromiseId.parse(promise) if isinstance(promise, str) else promise
        return self.through_crashes(lambda host: host.promises.complete(found, data))
