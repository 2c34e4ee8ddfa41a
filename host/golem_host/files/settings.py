"""What an instance's files begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host.files.initial import DeployedFile
    from golem_host.files.mapping import Mapping

BYTES_MAX: Final = 1 << 30
ENTRIES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a worker may keep in its files."""

    bytes_max: int = BYTES_MAX
    """Of contents, in whole pages; what is empty or never written in a file counts nothing."""
    entries_max: int = ENTRIES_MAX
    """Names in all directories together."""


def _none(_version: int) -> Sequence[DeployedFile]:
    return ()


def nowhere(file: DeployedFile) -> Path:
    """For hosts that deploy nothing."""
    raise AssertionError(file)


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Of one instance."""

    quota: Quota = Quota()
    scratch: Path | None = None
    """The folder for the file that contents lie in; None for the system's."""
    version: int = 0
    """Of the component: whose initial files there are at first."""
    initial: Callable[[int], Sequence[DeployedFile]] = _none
    """The initial files of a version."""
    locate: Callable[[DeployedFile], Path] = nowhere
    """Where the content of one lies."""
    dirs: Sequence[Mapping] = ()
    """The directories of the host that it may use."""
