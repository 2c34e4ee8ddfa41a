"""The tables of ``stores.db``."""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    """
CREATE TABLE pair (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
) STRICT;
CREATE TABLE container (
    name TEXT PRIMARY KEY,
    created_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE content (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    size_bytes INTEGER NOT NULL,
    is_unused INTEGER NOT NULL
) STRICT;
CREATE INDEX content_unused ON content (id) WHERE is_unused;
CREATE TABLE chunk (
    content INTEGER NOT NULL,
    number INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (content, number)
) STRICT;
CREATE TABLE object (
    container TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    content INTEGER NOT NULL,
    PRIMARY KEY (container, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_content ON object (content);
CREATE TABLE effect (
    component_id TEXT NOT NULL,
    worker_name TEXT NOT NULL,
    scope TEXT NOT NULL,
    number TEXT NOT NULL,
    operation BLOB NOT NULL,
    outcome BLOB NOT NULL,
    PRIMARY KEY (component_id, worker_name, scope, number)
) STRICT, WITHOUT ROWID;
""",
    # The last change of a worker is all that counts, and of a region that was the highest number.
    """
CREATE TABLE last_effect (
    component_id TEXT NOT NULL,
    worker_name TEXT NOT NULL,
    token TEXT NOT NULL,
    operation BLOB NOT NULL,
    outcome BLOB NOT NULL,
    PRIMARY KEY (component_id, worker_name)
) STRICT, WITHOUT ROWID;
INSERT OR REPLACE INTO last_effect
    SELECT component_id, worker_name, scope || '/' || number, operation, outcome
    FROM effect ORDER BY CAST(number AS INTEGER);
DROP TABLE effect;
ALTER TABLE last_effect RENAME TO effect;
""",
    """
ALTER TABLE container RENAME TO named_container;
ALTER TABLE object RENAME TO named_object;
DROP INDEX object_content;
CREATE TABLE container (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,
    created_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE object (
    container INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    content INTEGER NOT NULL,
    PRIMARY KEY (container, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_content ON object (content);
INSERT INTO container (name, created_ns) SELECT name, created_ns FROM named_container;
INSERT INTO object
    SELECT container.id, named_object.name, named_object.created_ns, content
    FROM named_object JOIN container ON container.name = named_object.container;
DROP TABLE named_container;
DROP TABLE named_object;
""",
)
"""
What each format version adds to the one before.

An object refers to its content, which several may share and which never changes: a number stands
for the same bytes for ever.  One that no object refers to any more is marked as unused first, and
its chunks go in small steps.  A container that was removed or cleared has lost its name, and so do
its objects.
"""

FIRST: Final = ("PRAGMA page_size = 16384", "PRAGMA auto_vacuum = INCREMENTAL")
"""
Of a new file: large chunks take few pages, and a collection can give room back to the disk.
"""
