"""
A new component tried once: it is compiled, linked, and an instance of it is made.

Compiled code goes where a host would put it, so that running the guest finds it there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from golem_host.errors import ComponentError, GuestBuildError, UnlinkableComponentError

if TYPE_CHECKING:
    from golem_host.host import Host
    from golem_host.worker.parts import Parts

TRIAL_S: Final = 60.0
"""In which an instance must be there."""


def try_out(wasm: Path, name: str, *, cache_dir: Path, progress: Callable[[str], None]) -> None:
    """
    Make an instance in a state directory that is thrown away.

    What asks for interfaces that only some embedder offers is not tried.

    Raises:
        GuestBuildError: The component is none, or ends while an instance is made.
    """
    # The engine is for those who really build.
    from golem_host.config import HostConfig  # noqa: PLC0415
    from golem_host.host import Host  # noqa: PLC0415
    from golem_oplog.protocol import SyncLevel  # noqa: PLC0415

    config = HostConfig(
        sync_level=SyncLevel.PROCESS, cache_dir=cache_dir, control_socket=False, threads_max=1
    )
    with (
        TemporaryDirectory(prefix="golem-host-trial-") as folder,
        Host.open(folder, config) as host,
    ):
        try:
            component = host.components.deploy(wasm, name=name, progress=progress)
        except UnlinkableComponentError:
            return
        except ComponentError as error:
            raise GuestBuildError(component=name, reason=error.reason) from error
        host.workers.create(component, "trial")
        _instantiate(host, name)


def _instantiate(host: Host, name: str) -> None:
    from golem_host.services.unfinished import WorkerKey  # noqa: PLC0415 - as above
    from golem_host.signals import ExitSignal, InterruptSignal  # noqa: PLC0415
    from golem_host.worker.dry_run import at_most  # noqa: PLC0415
    from golem_host.worker.rebuild import scratch_session, start_of  # noqa: PLC0415
    from golem_host.worker.stderr import searched_since, traceback_in  # noqa: PLC0415

    def make(parts: Parts) -> None:
        status = parts.status
        start = start_of(parts, status.component_version)
        version = status.component_version
        with (
            scratch_session(parts, start, status, version, _live) as session,
            at_most(session, TRIAL_S),
        ):
            session.catch_up()

    key = WorkerKey(name, "trial")
    try:
        host.workers.on_parts(key, make)
    except (InterruptSignal, ExitSignal, Exception) as error:
        stderr = host.workers.on_parts(key, lambda parts: searched_since(parts.oplog, 1))
        reason = str(error) or type(error).__name__
        if isinstance(error, InterruptSignal):
            reason = f"it takes longer than {TRIAL_S:g} s"
        raise GuestBuildError(
            component=name,
            reason=f"no instance of the component can be made: {reason}",
            advice="look at what is done while it is imported",
            detail=traceback_in(stderr) or stderr,
        ) from error


def _live() -> None:
    """Nothing was to be replayed."""
