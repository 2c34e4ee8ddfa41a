"""
Directories of the host that a guest was granted, as they are at this moment.

`grants` says which, `walk` finds what a path means without ever leaving one, `errors` puts the
host's errors into WASI's words, `node` is an open file or directory.  Nothing here knows a log.
"""
