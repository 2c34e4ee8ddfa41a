"""
The guest of `tests.crash.test_stores_kills`, and a process that does not survive it.

``python -m tests.support.stores_kills STATE_DIR NUMBER`` kills itself with SIGKILL when the entry
of that number is about to be appended; a program that ends before is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

from golem_host import Host
from tests.support.guests import python_guest
from tests.support.host_api_scripts import config
from tests.support.hosts import open_host
from tests.support.moments import dying_before
from tests.support.repository import ROOT
from tests.support.wasi_hosts import RUN

KEY: Final = "run"
OWN_JUMPS: Final = 2
"""How often the program goes back of its own will."""

PROGRAM: Final = """
b = bucket("b")
print(atomic.increment(b, "n", 5))
print(atomic.increment(b, "n", 1), atomic.compare_and_swap(b, "n", 6, 10))
print(atomic.compare_and_swap(b, "n", 6, 11), refused(atomic.increment, b, "n", 2**64 - 1))
put(b, "k", b"value")
eventual.delete(b, "k")
eventual_batch.set_many(b, [("x", outgoing(b"1")), ("y", outgoing(b"2"))])
eventual_batch.delete_many(b, ["y"])
logging.log(logging.Level.WARN, "app", "same")
logging.log(logging.Level.WARN, "app", "same")
print(sorted(eventual_batch.keys(b)), eventual.exists(b, "k"))
begin = host.mark_begin_operation()
first, second = atomic.increment(b, "region", 100), atomic.increment(b, "region", 100)
swapped = atomic.compare_and_swap(b, "region", second, second + 1)
put(b, "lock", b"r")
locked = eventual.exists(b, "lock")
eventual.delete(b, "lock")
host.mark_end_operation(begin)
print(second - first, swapped, locked, eventual.exists(b, "lock"))
mark = host.get_oplog_index()
tries = atomic.increment(b, "tries", 1)
if tries < 3: host.set_oplog_index(mark)
print(tries)
c = blobstore.create_container("c")
print(refused(blobstore.create_container, "c"))
write(c, "o", bytes(range(256)) * 5000)
print(hashlib.sha256(read(c, "o")).hexdigest())
blobstore.copy_object(blobs.ObjectId("c", "o"), blobs.ObjectId("c", "copy"))
blobstore.move_object(blobs.ObjectId("c", "o"), blobs.ObjectId("c", "p"))
print(refused(blobstore.move_object, blobs.ObjectId("c", "o"), blobs.ObjectId("c", "q")))
print(sorted(c.list_objects().read_stream_object_names(9)[0]), c.has_object("o"))
write(c, "small", b"small")
c.delete_object("copy")
c.delete_objects(["small", "none"])
d = blobstore.create_container("d")
write(d, "gone", b"gone")
d.clear()
write(d, "gone", b"gone")
blobstore.delete_container("d")
blobstore.create_container("d")
print(blobstore.container_exists("d"), c.object_info("p").size)
print(atomic.increment(b, "n", 1))
logging.log(logging.Level.INFO, "app", "end")
"""

_OBJECTS: Final = """
    SELECT container.name, object.name, size_bytes
    FROM object JOIN content ON content.id = object.content
    JOIN container ON container.id = object.container ORDER BY container.name, object.name"""
_CHUNKS: Final = """
    SELECT number, data FROM object JOIN chunk USING (content) ORDER BY container, name, number"""


def set_up(state_dir: Path) -> None:
    """A worker that has not been asked to run yet."""
    with open_host(state_dir, config()) as host:
        wasm = python_guest(ROOT / "tests/support/stores_guest")
        component = host.components.deploy(wasm, name="stores")
        host.workers.create(component, "main", args=["prog", PROGRAM])


class Ends(NamedTuple):
    """What came of a run."""

    output: str
    kept: Any
    counted: int
    """What the program has added up in its atomic region."""
    redone: int
    """How often a kill made it begin that anew."""


def play(host: Host) -> Ends:
    """Ask for the program's run, again or for the first time."""
    worker = host.workers.get("stores", "main")
    worker.invoke(RUN, idempotency_key=KEY)
    with host.workers._shared.stores.database().reading() as connection:
        (value,) = connection.execute("SELECT value FROM pair WHERE key = 'region'").fetchone()
    jumps = sum(entry.kind == "jump" for entry in worker.oplog())
    output = "".join(line.text for line in worker.output())
    return Ends(output, kept(host), int(value), jumps - OWN_JUMPS)


def kept(host: Host) -> Any:
    """
    All that is in the stores, but for times and `Ends.counted`; how many contents of objects there
    are, and of how many changes each worker is told the outcome.
    """
    with host.workers._shared.stores.database().reading() as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT bucket, key, value FROM pair WHERE key <> 'region' ORDER BY bucket, key",
                "SELECT name FROM container ORDER BY name",
                _OBJECTS,
                _CHUNKS,
                "SELECT count(*) FROM content",
                "SELECT worker_name, count(*) FROM effect GROUP BY worker_name",
            )
        ]


def _main(state_dir: Path, number: int) -> None:
    with open_host(state_dir, config()) as host, dying_before(number):
        play(host)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
