"""What one call can take to the host, checked before it is made."""

from __future__ import annotations

LIST_BYTES_MAX = 2_795_000
"""
Of one list of bytes.  The engine's own limit, 2,796,202 elements, is for all that a call takes with it;
beyond it the invocation ends for good.
"""
TYPED_BYTES_MAX = 256 << 10
"""Of the arguments or the result of a durable function."""
TEXT_BYTES_MAX = 127 << 20
"""Of one string, in UTF-8; the engine's own limit is 128 MiB for all that a call takes with it."""


class PayloadTooLargeError(ValueError):
    """What was to be passed to the host is more than one call can take; nothing was passed."""

    def __init__(self, what: str, size: int, size_max: int, advice: str) -> None:
        super().__init__(f"{what}: {size} bytes, and at most {size_max} can be passed; {advice}")
        self.size = size
        self.size_max = size_max


def check_size(what: str, size: int, size_max: int, advice: str) -> None:
    """
    Raises:
        PayloadTooLargeError: A call with so many bytes would end the invocation.
    """
    if size > size_max:
        raise PayloadTooLargeError(what, size, size_max, advice)


def check_bytes(what: str, value: bytes, advice: str) -> None:
    """As `check_size`, for a list of bytes."""
    check_size(what, len(value), LIST_BYTES_MAX, advice)


def check_text(what: str, value: str, advice: str, size_max: int = TEXT_BYTES_MAX) -> None:
    """As `check_size`, for a string."""
    # Most are far below: only then is it worth to count their bytes.
    if len(value) * 4 > size_max:
        check_size(what, len(value.encode("utf-8", "replace")), size_max, advice)
