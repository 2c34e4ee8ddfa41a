"""
``wasi:filesystem``: links, and offers no file yet.

Without a preopened directory a guest can hold no descriptor, so no method can be reached; each
would answer ``not-permitted``.
"""

from __future__ import annotations

from typing import Final

from golem_host.declare import Refused
from golem_oplog.values import Err

_DESCRIPTOR: Final = (
    "read-via-stream",
    "write-via-stream",
    "append-via-stream",
    "advise",
    "sync-data",
    "get-flags",
    "get-type",
    "set-size",
    "set-times",
    "read",
    "write",
    "read-directory",
    "sync",
    "create-directory-at",
    "stat",
    "stat-at",
    "set-times-at",
    "link-at",
    "open-at",
    "readlink-at",
    "remove-directory-at",
    "rename-at",
    "symlink-at",
    "unlink-file-at",
    "metadata-hash",
    "metadata-hash-at",
)

FILESYSTEM: Final = (
    Refused("wasi:filesystem/preopens", ("get-directories",), ()),
    Refused(
        "wasi:filesystem/types",
        (
            *(f"[method]descriptor.{name}" for name in _DESCRIPTOR),
            "[method]directory-entry-stream.read-directory-entry",
        ),
        Err("not-permitted"),
        ("descriptor", "directory-entry-stream"),
    ),
    Refused("wasi:filesystem/types", ("[method]descriptor.is-same-object",), False),
    # No stream of ours fails with a file system's error, so none has a code.
    Refused("wasi:filesystem/types", ("filesystem-error-code",), None),
)
