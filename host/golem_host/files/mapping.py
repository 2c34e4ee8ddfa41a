"""
What a path of this machine is called in a guest: ``HOST::GUEST``, and with ``::ro`` read-only.

The form is that of the wasmtime CLI; a guest path begins with ``/`` here.
"""

from __future__ import annotations

from typing import Final

from golem_host.files import paths
from golem_host.files.errors import FileError
from golem_oplog.lazy_dataclass import dataclass

SEPARATOR: Final = "::"
READ_ONLY: Final = "ro"


@dataclass(frozen=True, slots=True)
class Mapping:
    """One path of this machine, and its place in a guest."""

    host: str
    guest: str
    """As `guest_path` gives it."""
    read_only: bool = False

    def __str__(self) -> str:
        pieces = (self.host, self.guest, *(READ_ONLY,) * self.read_only)
        return SEPARATOR.join(pieces)


def parse_mapping(text: str) -> Mapping:
    """
    Raises:
        ValueError: It has another form; says which, in one line.
    """
    pieces = text.split(SEPARATOR)
    read_only = len(pieces) > 2 and pieces[-1] == READ_ONLY
    if read_only:
        pieces.pop()
    host = SEPARATOR.join(pieces[:-1])
    if not host or "\0" in host:
        raise ValueError(f"{text!r} is not HOST::GUEST or HOST::GUEST::ro")
    return Mapping(host, guest_path(pieces[-1]), read_only)


def guest_path(text: str) -> str:
    """
    An absolute path in a guest, without what says nothing in it.

    Raises:
        ValueError: It is none, or the root itself; in one line.
    """
    names = [name for name in text.split("/") if name not in ("", paths.HERE)]
    if text[:1] != "/" or not names or paths.ABOVE in names or SEPARATOR in text:
        raise ValueError(f"{text!r} is no path below / in the guest, such as /data")
    try:
        paths.check("/".join(names))
    except FileError as error:
        raise ValueError(f"{text[:100]!r} cannot be a path in the guest: {error.code}") from None
    if any(paths.is_longer(name, paths.NAME_BYTES_MAX) for name in names):
        raise ValueError(f"{text[:100]!r} has a name of more than {paths.NAME_BYTES_MAX} bytes")
    return f"/{'/'.join(names)}"
