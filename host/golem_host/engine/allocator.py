"""
Telling the C allocator to keep what it has just freed.

Every byte of a ``list<u8>`` becomes 80 bytes of cells on its way through wasmtime, in blocks that
glibc fetches from the system and gives back at once.  Bringing the pages in again is nearly half of
the time of a 64 KiB transfer, so they are kept.
"""

from __future__ import annotations

import ctypes
from typing import Final

# Source: malloc.h of glibc, mallopt(3).
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3


def keep_freed_memory(size_bytes: int) -> bool:
    """
    Keep up to so many freed bytes per arena of the allocator, in the whole process.

    Returns False, and changes nothing, where the C library has no such setting.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    # Both, because setting one of them stops the allocator from adapting the other.
    return bool(mallopt(_MMAP_THRESHOLD, size_bytes)) and bool(mallopt(_TRIM_THRESHOLD, size_bytes))
