"""Which names a worker can have."""

from __future__ import annotations

from typing import Final

from golem_host.errors import InvalidRequestError

NAME_BYTES_MAX: Final = 512


def check_worker_name(name: str) -> None:
    """Source: spec 2.11."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if (
        not 1 <= size <= NAME_BYTES_MAX
        or name.startswith("-")
        or "/" in name
        or "\0" in name
        or any(c.isspace() for c in name)
    ):
        raise InvalidRequestError(
            reason=f"a worker name is 1 to {NAME_BYTES_MAX} bytes, without whitespace or '/', "
            f"and does not begin with '-': {name!r}"
        )
