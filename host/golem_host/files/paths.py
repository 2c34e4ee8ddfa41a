"""The text of paths, before anything is looked up."""

from __future__ import annotations

from typing import Final

from golem_host.files.errors import FileError

PATH_BYTES_MAX: Final = 4095
NAME_BYTES_MAX: Final = 255
LINKS_MAX: Final = 40
"""How many symbolic links one path may lead through, as on Linux."""

HERE: Final = "."
ABOVE: Final = ".."


def check(path: str) -> None:
    """
    Refuse what is no path below a directory.

    Raises:
        FileError: It is empty, too long, absolute, or holds a NUL.
    """
    if not path:
        raise FileError("no-entry")
    if "\0" in path:
        raise FileError("invalid")
    if is_longer(path, PATH_BYTES_MAX):
        raise FileError("name-too-long")
    if path[0] == "/":
        raise FileError("not-permitted")


def is_longer(text: str, bytes_max: int) -> bool:
    """Whether it takes more bytes in UTF-8."""
    # A character takes at most four.
    return len(text) * 4 > bytes_max and len(text.encode()) > bytes_max


def parts(path: str) -> list[str]:
    """
    The names in a path, the last one first.

    A slash at the end is as good as ``/.``: what stands before it must be a directory.
    """
    found = [part for part in path.split("/") if part]
    if path[-1:] == "/":
        found.append(HERE)
    found.reverse()
    return found


def unslashed(path: str) -> tuple[str, bool]:
    """A path without the slashes at its end, and whether there were any."""
    bare = path.rstrip("/")
    return bare, len(bare) < len(path)
