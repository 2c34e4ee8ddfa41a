"""What an instance's files begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from golem_oplog.lazy_dataclass import dataclass

BYTES_MAX: Final = 1 << 30
ENTRIES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a worker may keep in its files."""

    bytes_max: int = BYTES_MAX
    """Of contents, in whole pages; what is empty or never written in a file counts nothing."""
    entries_max: int = ENTRIES_MAX
    """Names in all directories together."""


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Of one instance."""

    quota: Quota = Quota()
    scratch: Path | None = None
    """The folder for the file that contents lie in; None for the system's."""
