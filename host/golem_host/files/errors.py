"""What goes wrong with files."""

from __future__ import annotations

from golem_host.failures import WorldError


class FileError(Exception):
    """The guest gets this error code of ``wasi:filesystem/types``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PagesError(WorldError):
    """
    The host's disk does not take or give the contents of a worker's files.

    Never a guest's error code: a replay, perhaps on another disk, would have another one.
    """


class DiskFullError(PagesError):
    """The host's disk is full."""
