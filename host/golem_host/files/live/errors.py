"""Which error code of ``wasi:filesystem/types`` a guest gets for an error of the host's."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from golem_host.files.errors import FileError

_CODES: Final = {
    errno.EACCES: "access",
    errno.EAGAIN: "would-block",
    errno.EALREADY: "already",
    errno.EBADF: "bad-descriptor",
    errno.EBUSY: "busy",
    errno.EDEADLK: "deadlock",
    errno.EDQUOT: "quota",
    errno.EEXIST: "exist",
    errno.EFBIG: "file-too-large",
    errno.EILSEQ: "illegal-byte-sequence",
    errno.EINTR: "interrupted",
    errno.EINVAL: "invalid",
    errno.EIO: "io",
    errno.EISDIR: "is-directory",
    errno.ELOOP: "loop",
    # No code says that the host has no descriptor left.
    errno.EMFILE: "insufficient-memory",
    errno.EMLINK: "too-many-links",
    errno.ENAMETOOLONG: "name-too-long",
    errno.ENFILE: "insufficient-memory",
    errno.ENODEV: "no-device",
    errno.ENOENT: "no-entry",
    errno.ENOLCK: "no-lock",
    errno.ENOMEM: "insufficient-memory",
    errno.ENOSPC: "insufficient-space",
    errno.ENOTDIR: "not-directory",
    errno.ENOTEMPTY: "not-empty",
    errno.ENOTSUP: "unsupported",
    errno.ENXIO: "no-such-device",
    errno.EOVERFLOW: "overflow",
    errno.EPERM: "not-permitted",
    errno.EPIPE: "pipe",
    errno.EROFS: "read-only",
    errno.ESPIPE: "invalid-seek",
    errno.ESTALE: "not-recoverable",
    errno.ETXTBSY: "text-file-busy",
    errno.EXDEV: "cross-device",
}


def code_of(error: OSError) -> str:
    """What has no code of its own is ``io``."""
    return _CODES.get(error.errno or 0, "io")


@contextmanager
def in_codes() -> Iterator[None]:
    """Raise `FileError` for every error of the host's inside of the block."""
    try:
        yield
    except OSError as error:
        raise FileError(code_of(error)) from error
    except (ValueError, OverflowError) as error:
        # A number that the system cannot take, or a name that it cannot have.
        raise FileError("invalid") from error
