"""
A worker's private files: a tree of plain data, rebuilt by replay, that no directory of the host holds.

`tree` knows names and what they stand for, `pages` where contents lie, `descriptor` what an open
file can do.  Nothing here knows the log.  What a guest does to its files is deterministic, so that
they are the same after a replay; what is not, the times, is recorded by the interface.
"""
