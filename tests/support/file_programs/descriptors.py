"""
Every function of an open file or directory: what it gives, what it refuses, what is there after it.
"""

# Runs inside of the guest of `tests/support/file_checks`.
# ruff: noqa: ANN001, ANN201, ANN202, B023, D200, INP001, PLR0915, PLW0108
# mypy: ignore-errors

import itertools
import os
import sys

from componentize_py_types import Err
from wit_world.imports import preopens, streams, types
from wit_world.imports.types import DescriptorFlags as Flags
from wit_world.imports.types import OpenFlags as Open
from wit_world.imports.types import PathFlags as Path
from wit_world.imports.wall_clock import Datetime

NO_FOLLOW, FOLLOW = Path(0), Path.SYMLINK_FOLLOW
NOTHING, CREATE, TRUNCATE, DIRECTORY = Open(0), Open.CREATE, Open.TRUNCATE, Open.DIRECTORY
READ, WRITE, CHANGE = Flags.READ, Flags.WRITE, Flags.MUTATE_DIRECTORY
KEEP, NOW = types.NewTimestamp_NoChange(), types.NewTimestamp_Now()

RECENT = range(1_700_000_000, 4_000_000_000)

numbers = itertools.count(1)


def at(seconds, nanoseconds=0):
    return types.NewTimestamp_Timestamp(Datetime(seconds, nanoseconds))


def say(name, value):
    sys.stdout.write(f"{next(numbers)} {name}: {value}\n")


def told(name, act):
    try:
        value = act()
    except Err as error:
        say(name, stream_error(error.value))
    else:
        if isinstance(value, tuple) and isinstance(value[0], bytes):
            value = (summed(value[0]), *value[1:])
        say(name, repr(summed(value)))


def summed(value):
    long = isinstance(value, bytes) and len(value) > 60
    return f"{len(value)} bytes, {sum(value)} in all" if long else value


def stream_error(value):
    if isinstance(value, streams.StreamError_LastOperationFailed):
        return f"failed: {types.filesystem_error_code(value.value)}"
    return getattr(value, "name", None) or type(value).__name__


def content(name):
    with root.open_at(NO_FOLLOW, name, NOTHING, READ) as file:
        data = b""
        while not (piece := file.read(1 << 20, len(data)))[1]:
            data += piece[0]
    return summed(data)


def make(name, data):
    with root.open_at(NO_FOLLOW, name, CREATE | TRUNCATE, WRITE) as file:
        file.write(data, 0)


def check_flags():
    for flags, how in itertools.product(
        (Flags(0), READ, WRITE, READ | WRITE, READ | CHANGE, WRITE | CHANGE),
        (NOTHING, CREATE, TRUNCATE, CREATE | TRUNCATE),
    ):
        make("f", b"hello")
        try:
            file = root.open_at(NO_FOLLOW, "f", how, flags)
        except Err as error:
            say(f"open {flags!r} {how!r}", error.value.name)
            continue
        name = f"{flags!r} {how!r}"
        with file:
            told(f"{name} flags", file.get_flags)
            told(f"{name} type", file.get_type)
            told(f"{name} read", lambda: file.read(3, 1))
            told(f"{name} write", lambda: file.write(b"J", 0))
            told(f"{name} resize", lambda: file.set_size(3))
            told(f"{name} times", lambda: file.set_times(at(1), at(2)))
            told(f"{name} sync", file.sync)
            told(f"{name} sync data", file.sync_data)
            told(f"{name} advise", lambda: file.advise(0, 10, types.Advice.SEQUENTIAL))
            told(f"{name} readdir", file.read_directory)
            told(f"{name} as a directory", lambda: file.stat_at(NO_FOLLOW, "x"))
            told(f"{name} as a directory", lambda: file.open_at(NO_FOLLOW, "x", NOTHING, READ))
            told(f"{name} as a directory", lambda: file.create_directory_at("x"))
            told(f"{name} as a directory", lambda: file.unlink_file_at("x"))
            told(f"{name} as a directory", lambda: file.remove_directory_at("x"))
            told(f"{name} as a directory", lambda: file.readlink_at("x"))
            told(f"{name} as a directory", lambda: file.symlink_at("x", "y"))
            told(f"{name} as a directory", lambda: file.rename_at("x", root, "y"))
            told(f"{name} as a directory", lambda: root.rename_at("f", file, "y"))
            told(f"{name} as a directory", lambda: file.link_at(NO_FOLLOW, "x", root, "y"))
            told(f"{name} as a directory", lambda: root.link_at(NO_FOLLOW, "f", file, "y"))
            told(f"{name} as a directory", lambda: file.set_times_at(NO_FOLLOW, "x", KEEP, KEEP))
            told(f"{name} as a directory", lambda: file.metadata_hash_at(NO_FOLLOW, "x"))
            check_streams_of(name, file)
        told(f"{name} after", lambda: content("f"))
    for flags in (
        Flags.FILE_INTEGRITY_SYNC, Flags.DATA_INTEGRITY_SYNC, Flags.REQUESTED_WRITE_SYNC,
    ):  # fmt: skip
        told(
            f"open {flags!r}",
            lambda flags=flags: root.open_at(NO_FOLLOW, "f", NOTHING, READ | flags),
        )
        told(
            f"open {flags!r}",
            lambda flags=flags: root.open_at(NO_FOLLOW, "no", NOTHING, READ | flags),
        )


def check_streams_of(name, file):
    def reading():
        with file.read_via_stream(1) as stream:
            return stream.blocking_read(2), stream.blocking_skip(1)

    def writing():
        with file.write_via_stream(1) as stream:
            stream.blocking_write_and_flush(b"EL")

    def appending():
        with file.append_via_stream() as stream:
            stream.blocking_write_and_flush(b"!!")

    told(f"{name} reading stream", reading)
    told(f"{name} writing stream", writing)
    told(f"{name} appending stream", appending)


def check_directory():
    root.create_directory_at("d")
    with root.open_at(NO_FOLLOW, "d", DIRECTORY, READ) as d:
        told("directory flags", d.get_flags)
        told("directory type", d.get_type)
        told("directory read", lambda: d.read(3, 1))
        told("directory write", lambda: d.write(b"J", 0))
        told("directory resize", lambda: d.set_size(3))
        told("directory times", lambda: d.set_times(at(1), at(2)))
        told("directory sync", d.sync)
        told("directory sync data", d.sync_data)
        told("directory advise", lambda: d.advise(0, 10, types.Advice.NORMAL))
        told("directory reading stream", lambda: d.read_via_stream(0))
        told("directory writing stream", lambda: d.write_via_stream(0))
        told("directory appending stream", lambda: d.append_via_stream())
        told("directory entries", lambda: d.read_directory().read_directory_entry())
        told("mkdir in what is open for reading", lambda: d.create_directory_at("inner"))
        told("same", lambda: d.is_same_object(d))
        told("same as root", lambda: d.is_same_object(root))
        with root.open_at(NO_FOLLOW, "d/.", DIRECTORY, READ) as again:
            told("same again", lambda: d.is_same_object(again))
            told("same hash", lambda: d.metadata_hash() == again.metadata_hash())
            told("same hash at", lambda: d.metadata_hash() == root.metadata_hash_at(NO_FOLLOW, "d"))
        told("other hash", lambda: d.metadata_hash() == root.metadata_hash())
        d.remove_directory_at("inner")
        root.remove_directory_at("d")
        told("removed directory stat", lambda: d.stat().type)
        told("removed directory links", lambda: d.stat().link_count)
        told("removed directory entries", lambda: d.read_directory().read_directory_entry())
        told("removed directory here", lambda: d.stat_at(NO_FOLLOW, ".").link_count)
        told("removed directory mkdir", lambda: d.create_directory_at("x"))
        told("removed directory create", lambda: d.open_at(NO_FOLLOW, "x", CREATE, WRITE))
        told("removed directory symlink", lambda: d.symlink_at("x", "y"))
        told("removed directory link", lambda: root.link_at(NO_FOLLOW, "f", d, "y"))
        told("removed directory rename", lambda: root.rename_at("f", d, "y"))
        told("removed directory sync", d.sync)
    root.create_directory_at("d")
    with root.open_at(NO_FOLLOW, "d", DIRECTORY, READ) as d:
        root.rename_at("d", root, "moved")
        d.create_directory_at("inner")
        told("moved directory", lambda: root.stat_at(NO_FOLLOW, "moved/inner").type)
        told("moved out and up", lambda: d.stat_at(NO_FOLLOW, ".."))
        root.remove_directory_at("moved/inner")
        root.remove_directory_at("moved")
    for links in range(3):
        told("links of root", lambda: root.stat().link_count)
        root.create_directory_at(f"d{links}")
    for links in range(3):
        root.remove_directory_at(f"d{links}")


def check_content():
    make("c", b"")
    with root.open_at(NO_FOLLOW, "c", NOTHING, READ | WRITE) as c:
        for name, act in {
            "empty": lambda: c.read(10, 0),
            "nothing written": lambda: c.write(b"", 100),
            "nothing written, nothing there": lambda: c.stat().size,
            "a gap": lambda: c.write(b"end", 5000),
            "into the gap": lambda: c.write(b"x" * 10, 4090),
            "around it": lambda: c.read(30, 4080),
            "over the end": lambda: c.read(10, 5000),
            "at the end": lambda: c.read(10, 5003),
            "behind the end": lambda: c.read(10, 50_000),
            "no bytes": lambda: c.read(0, 0),
            "no bytes at the end": lambda: c.read(0, 5003),
            "cut": lambda: c.set_size(4095),
            "what is left": lambda: c.read(100, 4080),
            "longer again": lambda: c.set_size(4200),
            "zeroes": lambda: c.read(200, 4080),
            "as long": lambda: c.set_size(4200),
            "large": lambda: c.write(bytes(range(256)) * 800, 3),
            "large again": lambda: c.read(300_000, 0),
            "size": lambda: c.stat().size,
            "cut to nothing": lambda: c.set_size(0),
            "nothing": lambda: c.read(10, 0),
            "a far size": lambda: c.set_size(1 << 40),
            "far size": lambda: c.stat().size,
            "far away": lambda: c.write(b"far", (1 << 40) - 1),
            "far away again": lambda: c.read(10, (1 << 40) - 4),
            "no size": lambda: c.set_size(1 << 63),
            "no size at all": lambda: c.set_size((1 << 64) - 1),
            "no place": lambda: c.write(b"x", 1 << 63),
            "no place at all": lambda: c.write(b"x", (1 << 64) - 1),
            "reading from no place": lambda: c.read(1, 1 << 63),
            "reading from no place at all": lambda: c.read(1, (1 << 64) - 1),
            "the last place": lambda: c.write(b"x", (1 << 63) - 1),
            "reading from the last place": lambda: c.read(1, (1 << 63) - 1),
        }.items():
            told(name, act)
        root.unlink_file_at("c")
        told("unlinked", lambda: c.stat().link_count)
        told("unlinked, written", lambda: c.write(b"still", 0))
        told("unlinked, read", lambda: c.read(5, 0))
        told("unlinked, same", lambda: c.is_same_object(c))
    told("gone", lambda: root.stat_at(NO_FOLLOW, "c"))


def check_streams():
    make("s", bytes(range(200)) * 1000)
    with root.open_at(NO_FOLLOW, "s", NOTHING, READ | WRITE) as s:
        with s.read_via_stream(199_990) as stream:
            told("the rest", lambda: stream.blocking_read(100))
            told("past the end", lambda: stream.blocking_read(100))
            told("and again", lambda: stream.blocking_read(1))
        with s.read_via_stream(199_990) as stream:
            told("skip the rest", lambda: stream.blocking_skip(100))
            told("skip past the end", lambda: stream.blocking_skip(100))
        with s.read_via_stream(200_000) as stream:
            told("from the end", lambda: stream.blocking_read(100))
        with s.read_via_stream(1 << 50) as stream:
            told("from behind the end", lambda: stream.blocking_read(100))
        with s.read_via_stream((1 << 64) - 1) as stream:
            told("from nowhere", lambda: stream.blocking_read(100))
        with s.read_via_stream(0) as stream:
            data = b""
            while len(data) < 100_000:
                data += stream.blocking_read(100_000 - len(data))
            told("in pieces", lambda: data)
            with stream.subscribe() as pollable:
                told("ready", pollable.block)
        with s.write_via_stream(10) as stream:
            told("permitted", lambda: stream.check_write() > 0)
            told("one", lambda: stream.blocking_write_and_flush(b"one"))
            told("two", lambda: stream.blocking_write_and_flush(b"two"))
            told("zeroes", lambda: stream.blocking_write_zeroes_and_flush(3))
            told("flushed", stream.blocking_flush)
            told("written", lambda: s.read(20, 5))
            with stream.subscribe() as pollable:
                told("ready", pollable.block)
            with s.read_via_stream(0) as source:
                told("splice", lambda: stream.blocking_splice(source, 5))
            stream.blocking_flush()
            told("spliced", lambda: s.read(20, 15))
        with s.write_via_stream(300_000) as stream:
            told("behind the end", lambda: stream.blocking_write_and_flush(b"far"))
            told("with a gap", lambda: s.read(10, 299_996))
        with s.append_via_stream() as first, s.append_via_stream() as second:
            first.blocking_write_and_flush(b"A")
            second.blocking_write_and_flush(b"B")
            s.write(b"C", 300_005)
            first.blocking_write_and_flush(b"D")
            told("appended", lambda: s.read(10, 300_000))
        stream = s.read_via_stream(0)
    with stream:
        told("longer than its descriptor", lambda: stream.blocking_read(3))
        root.unlink_file_at("s")
        told("longer than its file", lambda: stream.blocking_read(3))
    with root.open_at(NO_FOLLOW, "t", CREATE, WRITE) as t, t.write_via_stream(0) as stream:
        root.rename_at("t", root, "u")
        told("to another name", lambda: stream.blocking_write_and_flush(b"abc"))
    told("of another name", lambda: content("u"))
    root.unlink_file_at("u")


def times_of(name):
    stat = root.stat_at(NO_FOLLOW, name)
    return [
        (time.seconds, time.nanoseconds) if time.seconds not in RECENT else "recent"
        for time in (stat.data_access_timestamp, stat.data_modification_timestamp)
    ]


def check_times():
    make("m", b"")
    root.symlink_at("m", "lm")
    root.create_directory_at("dm")
    for name, act in {
        "both": lambda: root.set_times_at(NO_FOLLOW, "m", at(1, 2), at(3, 4)),
        "one": lambda: root.set_times_at(NO_FOLLOW, "m", KEEP, at(5, 6)),
        "the other": lambda: root.set_times_at(NO_FOLLOW, "m", at(7, 999_999_999), KEEP),
        "none": lambda: root.set_times_at(FOLLOW, "m", KEEP, KEEP),
        "nanoseconds": lambda: root.set_times_at(NO_FOLLOW, "m", at(7, 1_000_000_000), KEEP),
        "of many": lambda: root.set_times_at(NO_FOLLOW, "m", at(7, 4_000_000_000), KEEP),
        "followed": lambda: root.set_times_at(FOLLOW, "lm", at(10), at(11)),
        "not followed": lambda: root.set_times_at(NO_FOLLOW, "lm", at(12), at(13)),
        "of a directory": lambda: root.set_times_at(NO_FOLLOW, "dm", at(14), at(15)),
        "beginning": lambda: root.set_times_at(NO_FOLLOW, "m", at(0), at(0)),
        "of 2242": lambda: root.set_times_at(NO_FOLLOW, "dm", at(1 << 33), at(1)),
        "of no year": lambda: root.set_times_at(NO_FOLLOW, "m", at(1 << 63), at(1)),
        "of no year at all": lambda: root.set_times_at(NO_FOLLOW, "m", at((1 << 64) - 1), at(1)),
        "of what is not there": lambda: root.set_times_at(NO_FOLLOW, "no", at(1), at(1)),
    }.items():
        told(name, act)
        told(f"{name}, then", lambda: [times_of(each) for each in ("m", "lm", "dm")])
    with root.open_at(NO_FOLLOW, "m", NOTHING, READ) as m:
        told("opened for reading", lambda: m.set_times(at(20), at(21)))
        told("then", lambda: times_of("m"))
        m.set_times(NOW, at(22))
        told("now", lambda: times_of("m")[0] == "recent")
        m.set_times(at(23), NOW)
        told("now", lambda: times_of("m")[1] == "recent")
    root.set_times_at(NO_FOLLOW, "m", at(1), at(1))
    make("m", b"x")
    told("written", lambda: times_of("m")[1] == "recent")
    root.set_times_at(NO_FOLLOW, "dm", at(1), at(1))
    make("dm/x", b"x")
    told("a new name", lambda: times_of("dm")[1] == "recent")
    root.set_times_at(NO_FOLLOW, "dm", at(1), at(1))
    make("dm/x", b"y")
    told("no new name", lambda: times_of("dm"))
    root.unlink_file_at("dm/x")
    told("a name less", lambda: times_of("dm")[1] == "recent")
    root.set_times_at(NO_FOLLOW, "m", at(1), at(30))
    root.rename_at("m", root, "n")
    told("renamed", lambda: times_of("n")[1])
    told("not known of a link's", lambda: root.stat_at(NO_FOLLOW, "lm").size)
    root.unlink_file_at("lm")
    root.unlink_file_at("n")
    root.remove_directory_at("dm")


def check_links():
    make("one", b"1")
    told("link", lambda: root.link_at(NO_FOLLOW, "one", root, "two"))
    told("links", lambda: root.stat_at(NO_FOLLOW, "one").link_count)
    with root.open_at(NO_FOLLOW, "one", NOTHING, READ | WRITE) as one:
        with root.open_at(NO_FOLLOW, "two", NOTHING, READ) as two:
            told("same", lambda: one.is_same_object(two))
            told("same hash", lambda: one.metadata_hash() == two.metadata_hash())
            one.write(b"ONE", 0)
            told("written once", lambda: two.read(10, 0))
        told("rename to the same file", lambda: root.rename_at("one", root, "two"))
        told("both are there", lambda: (content("one"), content("two")))
        told("unlink", lambda: root.unlink_file_at("one"))
        told("links", lambda: one.stat().link_count)
        told("unlink", lambda: root.unlink_file_at("two"))
        told("links", lambda: one.stat().link_count)
    root.symlink_at("nowhere", "three")
    told("link to a link", lambda: root.link_at(NO_FOLLOW, "three", root, "four"))
    told("of it", lambda: root.readlink_at("four"))
    told("its links", lambda: root.stat_at(NO_FOLLOW, "three").link_count)
    root.unlink_file_at("three")
    root.unlink_file_at("four")
    for length in (1, 59, 60, 255, 256, 4095, 4096):
        told(f"a link of {length}", lambda length=length: root.symlink_at("x" * length, "long"))
        told("its size", lambda: root.stat_at(NO_FOLLOW, "long").size)
        told("followed", lambda: root.stat_at(FOLLOW, "long"))
        told("removed", lambda: root.unlink_file_at("long"))
    for hops in (39, 40, 41):
        for hop in range(hops):
            root.symlink_at(f"hop{hop + 1}", f"hop{hop}")
        make(f"hop{hops}", b"")
        told(f"{hops} hops", lambda: root.stat_at(FOLLOW, "hop0").type)
        for hop in range(hops + 1):
            root.unlink_file_at(f"hop{hop}")


def check_order():
    root.create_directory_at("o")
    with root.open_at(NO_FOLLOW, "o", DIRECTORY, READ | CHANGE) as o:
        for name in ("b", "a", "ä", "B", ".x", "10", "9", "\U0001f40d", "\uffee"):
            with o.open_at(NO_FOLLOW, name, CREATE, WRITE):
                pass
        with o.read_directory() as stream:
            found = []
            while (entry := stream.read_directory_entry()) is not None:
                found.append((entry.name, entry.type.name))
            told("after the last", stream.read_directory_entry)
        say("entries", sorted(found))
        for name, _ in found:
            o.unlink_file_at(name)
    root.remove_directory_at("o")


root, name = preopens.get_directories()[int(os.environ.get("ROOT", "0"))]
say("name", name == os.environ.get("TOP", "/"))
say("flags of the root", root.get_flags())
check_flags()
check_directory()
check_content()
check_streams()
check_times()
check_links()
check_order()
