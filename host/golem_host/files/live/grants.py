"""
Which directories of the host a guest may use: ``HOST::GUEST``, and with ``::ro`` only for reading.

None by default.  What lies in a directory is the host's own at every moment; nothing of it is kept.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from golem_host.errors import InvalidRequestError, os_reason
from golem_host.files.errors import FileError
from golem_host.files.live.walk import refuse_pseudo
from golem_host.files.mapping import Mapping, parse_mapping

DIRS_MAX: Final = 64
"""Of one worker."""


def parse_dirs(texts: Iterable[str]) -> tuple[Mapping, ...]:
    """
    Raises:
        ValueError: One has another form, or two have the same guest path; in one line.
    """
    found = tuple(parse_mapping(text) for text in texts)
    if len(found) > DIRS_MAX:
        raise ValueError(f"at most {DIRS_MAX} directories can be granted, not {len(found)}")
    if len({each.guest for each in found}) < len(found):
        raise ValueError("two directories have the same path in the guest")
    for each in found:
        if not each.host.startswith("/"):
            raise ValueError(f"{each.host!r} is not an absolute path")
    return found


def checked_dirs(texts: Iterable[str]) -> tuple[Mapping, ...]:
    """
    Grants that can be used now.

    Raises:
        InvalidRequestError: One is none, or no directory that can be granted.
    """
    try:
        found = parse_dirs(texts)
    except ValueError as error:
        raise InvalidRequestError(reason=f"directory: {error}") from None
    for each in found:
        _check(each)
    return found


def _check(grant: Mapping) -> None:
    try:
        status = Path(grant.host).stat()
        refuse_pseudo(status)
    except OSError as error:
        raise InvalidRequestError(reason=f"directory {grant.host}: {os_reason(error)}") from error
    except FileError:
        raise InvalidRequestError(
            reason=f"directory {grant.host}: the system's own files cannot be granted"
        ) from None
    if not stat.S_ISDIR(status.st_mode):
        raise InvalidRequestError(reason=f"directory {grant.host}: not a directory")


def joined(first: Sequence[Mapping], then: Sequence[Mapping]) -> tuple[Mapping, ...]:
    """Both; where the guest path is the same, the first one counts."""
    taken = {each.guest for each in first}
    return (*first, *(each for each in then if each.guest not in taken))
