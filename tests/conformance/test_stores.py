"""
What workers share, and what they say of themselves: ``wasi:keyvalue``, ``blobstore``, ``config``
and ``logging``, used by Python guests.

Every program is run once and then replayed: the guest says the same, nothing is appended, and no
store is asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from golem_host import Host, HostConfig
from golem_host.interfaces.offered import registry
from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.memory import resident_bytes
from tests.support.repository import ROOT
from tests.support.wasi_hosts import ONE_ATTEMPT, RUN, Seen, ours, replayed

PACKAGES: Final = ("wasi:keyvalue", "wasi:blobstore", "wasi:config", "wasi:logging")


def guest() -> Path:
    return python_guest(ROOT / "tests/support/stores_guest")


def lines(program: str, folder: Path, config: HostConfig = ONE_ATTEMPT) -> list[str]:
    """What a program prints, once it has been replayed as well, without the stores."""
    state_dir = folder / "state"
    seen = ours(guest(), ["prog", program], {}, state_dir, config)
    assert (0, b"") == (seen.exit_code, seen.stderr)
    for file in state_dir.glob("stores.db*"):
        file.unlink()
    assert (Seen(0, b"", b""), 0) == replayed(state_dir)
    assert [] == list(state_dir.glob("stores.db*"))
    return seen.stdout.decode().splitlines()


PROGRAMS: Final = {
    "values of keys": (
        """
b = bucket("shop")
print(got(b, "a"), eventual.exists(b, "a"))
put(b, "a", b"one", b"", b" two")
print(got(b, "a"), eventual.exists(b, "a"), got(bucket("other"), "a"), got(bucket("shop"), "a"))
put(b, "a", b"three")
value = eventual.get(b, "a")
print(value.incoming_value_size(), value.incoming_value_consume_sync())
print(value.incoming_value_consume_sync(), value.incoming_value_size())
eventual.delete(b, "a")
eventual.delete(b, "a")
print(got(b, "a"), eventual.exists(b, "a"))
put(b, "\\0 '\\"%_\\u2603", b"")
print(got(b, "\\0 '\\"%_\\u2603"), got(b, "\\0"), got(b, ""))
""",
        """
None False
b'one two' True None b'one two'
5 b'three'
b'' 5
None False
b'' None None
""",
    ),
    "streams of values": (
        """
b = bucket("shop")
large = bytes(range(256)) * 4000
value = outgoing(b"begin ")
with value.outgoing_value_write_body_async() as stream:
    stream.blocking_write_and_flush(b"middle ")
    print(stream.check_write() > 0)
    value.outgoing_value_write_body_sync(b"between ")
    stream.write(b"end")
eventual.set(b, "a", value)
with value.outgoing_value_write_body_async() as stream:
    for at in range(0, len(large), 60000):
        stream.blocking_write_and_flush(large[at : at + 60000])
eventual.set(b, "b", value)
print(got(b, "a"))
incoming = eventual.get(b, "b")
stream = incoming.incoming_value_consume_async()
print(incoming.incoming_value_consume_sync())
incoming.__exit__(None, None, None)
print(stream.blocking_skip(6), stream.read(0), stream.read(7))
with stream.subscribe() as ready: ready.block()
print(drained(stream) == b"between end" + large)
print(type(refused(stream.read, 1)).__name__)
""",
        """
True
b'begin middle between end'
b''
6 b'' b'middle '
True
StreamError_Closed
""",
    ),
    "many keys": (
        """
b = bucket("shop")
eventual_batch.set_many(b, [("x", outgoing(b"1")), ("y", outgoing(b"2")), ("x", outgoing(b"3"))])
print(sorted(eventual_batch.keys(b)), eventual_batch.keys(bucket("empty")))
values = eventual_batch.get_many(b, ["y", "none", "x", "y"])
print([v and v.incoming_value_consume_sync() for v in values])
eventual_batch.delete_many(b, ["y", "none"])
print(eventual_batch.keys(b), eventual_batch.get_many(b, []))
eventual_batch.set_many(b, [])
eventual_batch.delete_many(b, [])
""",
        """
['x', 'y'] []
[b'2', None, b'3', b'2']
['x'] []
""",
    ),
    "numbers": (
        """
b = bucket("shop")
print(atomic.increment(b, "n", 5), atomic.increment(b, "n", 0), got(b, "n"))
print(atomic.compare_and_swap(b, "n", 5, 7), atomic.compare_and_swap(b, "n", 5, 8), got(b, "n"))
print(atomic.compare_and_swap(b, "none", 0, 1), got(b, "none"))
put(b, "n", b"18446744073709551614")
print(atomic.increment(b, "n", 1), refused(atomic.increment, b, "n", 1), got(b, "n"))
for text in b"", b"-1", b"1.0", b"18446744073709551616", b"1" * 21, b" 1":
    put(b, "n", text)
    print(refused(atomic.increment, b, "n", 1) == refused(atomic.compare_and_swap, b, "n", 1, 1))
print(refused(atomic.increment, b, "n", 1))
""",
        """
5 5 b'5'
True False b'7'
False None
18446744073709551615 the sum 18446744073709551616 is more than 18446744073709551615 b'18446744073709551615'
True
True
True
True
True
True
the value is no decimal number from 0 to 18446744073709551615
""",
    ),
    "containers": (
        """
print(blobstore.container_exists("box"), refused(blobstore.get_container, "box"))
made = blobstore.create_container("box")
print(made.name(), made.info().name, made.info().created_at > 1_700_000_000)
print(refused(blobstore.create_container, "box"), blobstore.container_exists("box"))
again = blobstore.get_container("box")
print(again.info() == made.info())
write(made, "a", b"1")
print(read(again, "a"), made.has_object("a"), made.has_object("b"))
blobstore.delete_container("box")
blobstore.delete_container("box")
print(again.name(), again.info() == made.info(), blobstore.container_exists("box"))
for action in (made.has_object, made.object_info, lambda name: read(made, name),
               lambda name: write(made, name, b""), lambda name: made.list_objects()):
    print(refused(action, "a"))
made.clear()
made.delete_object("a")
made.delete_objects(["a"])
again = blobstore.create_container("box")
print(again.has_object("a"), refused(again.object_info, "a"))
""",
        """
False there is no container of this name
box box True
there is a container of this name True
True
b'1' True False
box True False
there is no container of this name
there is no container of this name
there is no container of this name
there is no container of this name
there is no container of this name
False there is no object of this name
""",
    ),
    "objects": (
        """
c = blobstore.create_container("c")
data = bytes(range(256)) * 10
write(c, "o", data)
info = c.object_info("o")
print(info.name, info.container, info.size, info.created_at >= c.info().created_at)
print(read(c, "o", 5, 5), read(c, "o", 0, 9999) == data, read(c, "o", 2558, 2559))
print(refused(read, c, "o", 2560, 2560), "|", refused(read, c, "o", 3, 2))
write(c, "o", b"shorter")
write(c, "nothing", b"")
print(read(c, "o"), read(c, "nothing"), refused(read, c, "nothing", 1, 1))
with c.get_data("o", 1, 3) as value:
    print(value.size(), value.incoming_value_consume_sync(), value.incoming_value_consume_sync())
with c.get_data("o", 1, 3) as value:
    stream = value.incoming_value_consume_async()
print(drained(stream))
value = blobs.OutgoingValue.new_outgoing_value()
stream = value.outgoing_value_write_body()
print(refused(value.outgoing_value_write_body))
c.write_data("early", value)
stream.write(b"late")
c.write_data("late", value)
print(read(c, "early"), read(c, "late"))
c.delete_object("early")
c.delete_object("early")
c.delete_objects(["late", "late", "never"])
print(sorted(c.list_objects().read_stream_object_names(9)[0]))
c.clear()
print(c.list_objects().read_stream_object_names(9))
""",
        """
o c 2560 True
b'\\x05' True b'\\xfe\\xff'
no bytes 2560 to 2560 in an object of 2560 | no bytes 3 to 2 in an object of 2560
b'shorter' b'' no bytes 1 to 1 in an object of 0
3 b'hor' b''
b'hor'
None
b'' b'late'
['nothing', 'o']
([], True)
""",
    ),
    "names of objects": (
        """
c = blobstore.create_container("..")
odd = ["../../etc/passwd", "", "a/b", "\\0", "\\u2603", "'; DROP TABLE object; --"]
for name in odd:
    write(c, name, name.encode())
print(all(read(c, name) == name.encode() for name in odd))
names = c.list_objects()
write(c, "later", b"")
found, over = names.read_stream_object_names(2)
print(len(found), over, names.skip_stream_object_names(1))
rest, over = names.read_stream_object_names(1 << 60)
print(len(set(found + rest)), over, names.read_stream_object_names(1))
print(names.skip_stream_object_names(1), len(c.list_objects().read_stream_object_names(9)[0]))
""",
        """
True
2 False (1, False)
5 True ([], True)
(0, True) 7
""",
    ),
    "copies and moves": (
        """
a, b = blobstore.create_container("a"), blobstore.create_container("b")
def o(container, name): return blobs.ObjectId(container, name)
write(a, "x", b"xxx")
write(b, "x", b"other")
blobstore.copy_object(o("a", "x"), o("b", "x"))
blobstore.copy_object(o("a", "x"), o("a", "x"))
write(a, "x", b"new")
print(read(a, "x"), read(b, "x"))
blobstore.move_object(o("a", "x"), o("a", "x"))
blobstore.move_object(o("a", "x"), o("b", "y"))
print(a.has_object("x"), read(b, "y"), read(b, "x"))
print(refused(blobstore.move_object, o("a", "x"), o("b", "z")))
print(refused(blobstore.copy_object, o("b", "y"), o("c", "z")), read(b, "y"))
print(refused(blobstore.move_object, o("b", "y"), o("c", "z")), read(b, "y"))
print(refused(blobstore.copy_object, o("c", "y"), o("b", "z")))
blobstore.copy_object(o("b", "y"), o("b", "z"))
b.delete_object("y")
print(read(b, "z"))
""",
        """
b'new' b'xxx'
False b'new' b'xxx'
there is no object of this name
there is no container of this name b'new'
there is no container of this name b'new'
there is no container of this name
b'new'
""",
    ),
    "a large object": (
        """
c = blobstore.create_container("c")
value = blobs.OutgoingValue.new_outgoing_value()
digest = hashlib.sha256()
with value.outgoing_value_write_body() as stream:
    for n in range(400):
        piece = n.to_bytes(2, "big")
        stream.write(piece)
        stream.blocking_write_zeroes_and_flush(49_998)
        digest.update(piece + bytes(49_998))
c.write_data("large", value)
print(c.object_info("large").size)
value = c.get_data("large", 0, 1 << 40)
print(refused(value.incoming_value_consume_sync))
with value.incoming_value_consume_async() as stream:
    read = hashlib.sha256()
    try:
        while True: read.update(stream.blocking_read(1 << 20))
    except Err: print(read.digest() == digest.digest())
with c.get_data("large", 10_000_000, 10_000_003) as value:
    print(value.incoming_value_consume_sync() == (200).to_bytes(2, "big") + bytes(2))
""",
        """
20000000
20000000 bytes are too much for one list, at most 16777216: read them as a stream
True
True
""",
    ),
    "what is too much": (
        """
b, c = bucket("b"), blobstore.create_container("c")
long = "n" * 4097
print(refused(bucket, long))
for action in (lambda: got(b, long), lambda: put(b, long, b""), lambda: eventual.delete(b, long),
               lambda: eventual.exists(b, long), lambda: atomic.increment(b, long, 1),
               lambda: eventual_batch.delete_many(b, ["a", long])):
    print(refused(action) == "a key of 4097 bytes: at most 4096 are allowed")
print(refused(blobstore.create_container, long), "|", refused(c.has_object, long))
print(refused(blobstore.copy_object, blobs.ObjectId("c", long), blobs.ObjectId("c", "x")))
print(refused(eventual_batch.get_many, b, ["k"] * 4097))
def zeroes(size):
    value = outgoing()
    with value.outgoing_value_write_body_async() as stream:
        stream.blocking_write_zeroes_and_flush(size)
    return value
value = zeroes(16_777_215)
print(refused(value.outgoing_value_write_body_sync, b"12"))
print(refused(eventual.set, b, "k", value), refused(value.outgoing_value_write_body_async))
value = outgoing(b"1")
with value.outgoing_value_write_body_async() as stream:
    failed = refused(stream.blocking_write_zeroes_and_flush, 16_777_216)
    print(failed.value.to_debug_string())
    print(*[type(refused(*call)).__name__ for call in ((stream.write, b""), (stream.flush,))])
whole = zeroes(16_777_216)
print(refused(eventual_batch.set_many, b, [("k", whole), ("l", outgoing(b"1"))]))
eventual.set(b, "k", whole)
eventual.set(b, "l", outgoing(b"1"))
print(eventual.get(b, "k").incoming_value_size())
print(refused(eventual_batch.get_many, b, ["k", "l"]))
""",
        """
the name of a bucket of 4097 bytes: at most 4096 are allowed
True
True
True
True
True
True
the name of a container of 4097 bytes: at most 4096 are allowed | the name of an object of 4097 bytes: at most 4096 are allowed
the name of an object of 4097 bytes: at most 4096 are allowed
4097 in one call: at most 4096 are allowed
a value has at most 16777216 bytes
a value has at most 16777216 bytes a value has at most 16777216 bytes
a value has at most 16777216 bytes
StreamError_Closed StreamError_Closed
values of 16777217 bytes in one call: at most 16777216 are taken at once
16777216
values of 16777217 bytes in one call: at most 16777216 are given at once
""",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_its_answers_live_and_replayed(name: str, tmp_path: Path) -> None:
    """What a guest is given is what the interfaces promise; a replay needs no store for it."""
    program, expected = PROGRAMS[name]

    assert expected.splitlines()[1:] == lines(program, tmp_path)


def test_every_function_is_in_a_program() -> None:
    """One that is added is tried, too."""
    text = "".join(program for program, _ in PROGRAMS.values())
    text += (ROOT / "tests/support/stores_guest/app.py").read_text(encoding="utf-8")
    text += SPOKEN
    names = {
        function.import_name.rpartition(".")[2].rpartition("]")[2].replace("-", "_")
        for function in registry().functions()
        if function.interface.startswith(PACKAGES)
    }

    assert {"increment", "move_object", "log", "get_all", "trace", "open_bucket"} <= names
    assert set() == {name for name in names if not re.search(rf"\b{name}\b", text)}


SPOKEN: Final = """
print(store.get("color"), store.get("none"), store.get(""))
print(store.get_all())
for level in logging.Level:
    logging.log(level, "app", "text")
logging.log(logging.Level.INFO, "", "no context")
logging.log(logging.Level.INFO, "app", "")
logging.log(logging.Level.INFO, "app", "two\\nlines\\n")
logging.log(logging.Level.INFO, "app", "\\u2603" * 500_000)
print("end")
"""


def test_settings_and_log_lines(tmp_path: Path) -> None:
    """
    Settings are those of the worker's creation; each log line is one of standard error, in order
    with the rest of the output, and an entry with level, context and message.
    """
    with open_host(tmp_path, ONE_ATTEMPT) as host:
        component = host.components.deploy(
            guest(), name="command", config_vars={"size": "1", "color": "red"}
        )
        worker = host.workers.create(
            component, "main", args=["prog", SPOKEN], config_vars={"color": "blue"}
        )
        seen: list[tuple[str, str]] = []
        with worker.attach(lambda s, data: seen.append((s, data.decode())), lambda _: None):
            worker.invoke(RUN, idempotency_key="run")
        said = [entry.fields for entry in worker.oplog() if entry.kind == "log"]
        kept = [(line.stream, line.text) for line in worker.output()]
    assert (Seen(0, b"", b""), 0) == replayed(tmp_path)

    levels = ("trace", "debug", "info", "warn", "error", "critical")
    assert seen == kept
    assert "blue None None\n[('color', 'blue'), ('size', '1')]\n" == "".join(
        text for stream, text in seen if stream == "stdout"
    ).removesuffix("end\n")
    logged = [text for stream, text in seen if stream == "stderr"]
    assert [f"[{level}] app: text\n" for level in levels] == logged[:6]
    assert ["[info] no context\n", "[info] app: \n", "[info] app: two\nlines\n"] == logged[6:9]
    # Longer than an entry may be: several, and nothing is lost.
    assert 500_000 == sum(text.count("\u2603") for text in logged[9:])
    assert {"[info] app: "} == {text.strip("\u2603\n") for text in logged[9:]}
    entries = [(each["level"], each["context"], each["message"]) for each in said]
    assert [(level, "app", "text") for level in levels] == [e for e in entries if e[2] == "text"]


def run(host: Host, name: str, program: str) -> list[str]:
    """A worker of its own that runs a program; the lines that it prints."""
    component = host.components.deploy(guest(), name="command")
    worker = host.workers.create(component, name, args=["prog", program])
    worker.invoke(RUN, idempotency_key="run")
    return "".join(line.text for line in worker.output()).splitlines()


def test_workers_share_what_they_store(tmp_path: Path) -> None:
    """Also after the worker that stored it was deleted, after a collection, and in a later host."""
    with open_host(tmp_path, ONE_ATTEMPT) as host:
        run(
            host,
            "writer",
            """
put(bucket("b"), "k", b"kept")
write(blobstore.create_container("c"), "o", b"object")
print(atomic.increment(bucket("b"), "n", 3))
""",
        )
        assert ["4"] == run(host, "adder", 'print(atomic.increment(bucket("b"), "n", 1))')
        host.workers.get("command", "writer").delete()
        host.workers.get("command", "adder").delete()
        effects = host.workers._shared.stores.database()
        with effects.reading() as connection:
            assert [(0,)] == connection.execute("SELECT count(*) FROM effect").fetchall()
        host.collect()
    with open_host(tmp_path, ONE_ATTEMPT) as host:
        found = run(
            host,
            "reader",
            'c = blobstore.get_container("c")\n'
            'print(got(bucket("b"), "k"), got(bucket("b"), "n"), read(c, "o"))',
        )

    assert ["b'kept' b'4' b'object'"] == found


def test_a_fork_makes_its_own_changes(tmp_path: Path) -> None:
    """What the source had counted stays counted once; what the fork does counts beside it."""
    program = """
b = bucket("b")
atomic.increment(b, "n", 1)
mark = host.get_oplog_index()
print(atomic.increment(b, "n", 10))
"""
    with open_host(tmp_path, ONE_ATTEMPT) as host:
        assert ["11"] == run(host, "main", program)
        worker = host.workers.get("command", "main")
        entries = [entry.kind for entry in worker.oplog()]
        cut = entries.index("no-op") + 1
        forked = worker.fork("second", at=cut)
        forked.invoke(RUN, idempotency_key="run")

        assert "21\n" == "".join(line.text for line in forked.output())


def test_a_full_store_takes_no_more_and_gives_back(tmp_path: Path) -> None:
    """`stores_bytes_max` bounds both; removing goes on, and makes room."""
    program = """
b, c = bucket("b"), blobstore.create_container("c")
put(b, "k", bytes(700_000))
write(c, "o", bytes(700_000))
for action in (lambda: put(b, "l", bytes(700_000)), lambda: write(c, "p", bytes(700_000))):
    print(refused(action))
c.clear()
print(refused(put, b, "l", bytes(700_000)))
"""
    full = "the stores of this host are full: HostConfig.stores_bytes_max is 2000000"

    assert [full, full, "not refused"] == lines(
        program, tmp_path, replace(ONE_ATTEMPT, stores_bytes_max=2_000_000)
    )


@pytest.mark.long
def test_a_large_object_passes_in_bounded_memory(tmp_path: Path) -> None:
    """Written and read, 160 MB of it; and its place on the disk is given back."""
    program = """
c = blobstore.create_container("c")
value = blobs.OutgoingValue.new_outgoing_value()
with value.outgoing_value_write_body() as stream:
    for n in range(160): stream.blocking_write_zeroes_and_flush(1_000_000)
c.write_data("large", value)
value.__exit__(None, None, None)
value = c.get_data("large", 0, 1 << 40)
print(value.size())
with value.incoming_value_consume_async() as stream:
    total = 0
    try:
        while True: total += stream.blocking_skip(1 << 20)
    except Err: print(total)
c.delete_object("large")
"""
    with open_host(tmp_path, ONE_ATTEMPT) as host:
        component = host.components.deploy(guest(), name="command")
        component.load(component)
        before = resident_bytes()
        assert ["160000000", "160000000"] == run(host, "main", program)
        grown = resident_bytes() - before
        host.collect()
        size = (tmp_path / "stores.db").stat().st_size

    assert grown < 100_000_000
    assert size < 1_000_000
