"""
What a live action may do beyond its own worker: other workers, components, promises.

Implemented by the host; a protocol, so that an interface needs no host in its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from golem_oplog.protocol import ReadableOplog
from golem_oplog.sequel import Sequel

if TYPE_CHECKING:
    from golem_host.services.calls import Calls
    from golem_host.services.promises import Promises
    from golem_host.worker.metadata import WorkerMetadata


NAME_SHOWN_CHARS_MAX: Final = 100


def shown(name: str) -> str:
    """A worker's name as an error gives it: a guest may pass any text in place of one."""
    if len(name) <= NAME_SHOWN_CHARS_MAX:
        return name
    return f"{name[:NAME_SHOWN_CHARS_MAX]}..."


class WorkerRef(NamedTuple):
    """A worker as guests name it."""

    component_id: str
    """UUID in text form."""
    worker_name: str


class Peers(Protocol):
    """
    The rest of the host, as one worker may use it.

    A ``token`` names the effect: performing the same one again changes nothing and has the first
    outcome (ARCHITECTURE section 3).
    """

    @property
    def promises(self) -> Promises: ...

    @property
    def calls(self) -> Calls: ...

    def metadata(self, worker: WorkerRef) -> WorkerMetadata | None:
        """What the worker's own log says of it; None if there is none of this name."""
        ...

    def log(self, worker: WorkerRef) -> AbstractContextManager[tuple[ReadableOplog, int]]:
        """
        A worker's log, and the last index of it that no crash takes away; wakes nobody.

        Raises:
            WorkerNotFoundError: There is no such worker.
            OplogError: Its log cannot be read.
        """
        ...

    def page(self, component_id: str, cursor: str, count: int) -> tuple[list[WorkerMetadata], str]:
        """
        The next ``count`` workers of a component, in no given order, and where to go on.

        Args:
            component_id: UUID in text form.
            cursor: Empty for the first page, else what came with the page before.
            count: At most so many.

        Returns:
            The workers, and the next cursor: empty after the last page.

        Raises:
            ComponentNotFoundError: No such component.
        """
        ...

    def exists(self, worker: WorkerRef) -> bool: ...

    def component_id_of(self, reference: str) -> str | None:
        """The component of this name."""
        ...

    def component_name_of(self, component_id: str) -> str | None:
        """The name of the component with this id."""
        ...

    def fork(
        self, source: WorkerRef, target: WorkerRef, cut: int, token: str, extra: Sequence[Sequel]
    ) -> None:
        """
        A new worker with the source's entries up to ``cut``, set going at once.

        Raises:
            InvalidRequestError: The cut or the target's name cannot be.
            WorkerExistsError: The target exists, and not by this token.
            WorkerNotFoundError: There is no such source.
        """
        ...

    def revert(
        self,
        worker: WorkerRef,
        *,
        to_index: int | None,
        last_invocations: int | None,
        token: str,
        check_kill: Callable[[], None],
    ) -> None:
        """
        Take a worker back: exactly one of the two targets is given.

        Waits until the worker stands still; ``check_kill`` is called meanwhile and may raise, for
        the caller may be a worker that another one waits for.

        Raises:
            InvalidRequestError: There is no such point in its past.
            WorkerNotFoundError: There is no such worker.
        """
        ...

    def update(self, worker: WorkerRef, version: int, mode: str, token: str) -> None:
        """
        Ask for another version of a worker's component; ``mode`` is a case of ``update-mode``.

        Raises:
            InvalidRequestError: It has that version, there is none, or it is being brought to it.
            WorkerNotFoundError: There is no such worker.
        """
        ...
