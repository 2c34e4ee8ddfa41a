"""
Every function of a directory that takes a path, with every kind of path.

Each line is one call and what came of it, the tree afterwards included where it may change.
"""

# Runs inside of the guest of `tests/support/file_checks`.
# ruff: noqa: ANN001, ANN201, INP001
# mypy: ignore-errors

import os
import sys

from componentize_py_types import Err
from wit_world.imports import preopens, types
from wit_world.imports.types import DescriptorFlags as Flags
from wit_world.imports.types import OpenFlags as Open
from wit_world.imports.types import PathFlags as Path
from wit_world.imports.wall_clock import Datetime

READ, WRITE, CHANGE = Flags.READ, Flags.WRITE, Flags.MUTATE_DIRECTORY
FOLLOW, NO_FOLLOW = Path.SYMLINK_FOLLOW, Path(0)
CREATE, EXCLUSIVE, TRUNCATE, DIRECTORY = Open.CREATE, Open.EXCLUSIVE, Open.TRUNCATE, Open.DIRECTORY
NOTHING = Open(0)
KEEP = types.NewTimestamp_NoChange()
PAST = types.NewTimestamp_Timestamp(Datetime(1, 0))

PATHS = (
    "", ".", "./", "..", "../", "/", "/f", "../f", "../t/f", "./..",
    "f", "f/", "f/.", "f/..", "f//", "./f", ".//f", "f/x", "f/../f",
    "d", "d/", "d/.", "d/./", "d//", "d/..", "d/../", "d/../f", "d/../..", "d/../../t/f",
    "d/g", "d//g", "d/g/", "d/e", "d/e/", "d/e/.", "d/e/..", "d/e/../g", "d/e/../..",
    "nope", "nope/", "nope/.", "nope/x", "nope/..", "nope/../f", "d/nope", "d/nope/",
    "lf", "lf/", "lf/.", "lf/x", "ld", "ld/", "ld/.", "ld/g", "ld/e", "ld/e/", "ld/..", "ld/../f", "ld/nope",
    "dangling", "dangling/", "dangling/x", "dangling/..", "deep", "deep/", "slashed", "slashed/",
    "itself", "itself/", "itself/x", "round", "round/x",
    "up", "up/", "up/f", "up/t/f", "d/up", "d/up/", "d/up/f", "d/up_f", "d/up_f/", "d/up_nope", "out", "out/x",
    "here", "here/", "here/f", "e", "e/", "chain", "chain/",
    "a\0b", "\0",
    "x" * 255, "x" * 256, "x" * 255 + "/", "d/" + "y" * 255, "d/" + "y" * 256, "x" * 256 + "/y",
    "d/../" * 100 + "f", "./" * 2000 + "f", "./" * 2047 + "f", "d/../" * 900, "d/../" * 2000 + "f",
    "ü", "a b", "\\", "*", "d\n", "\U0001f40d", "...", "..f", ".f",
)[:: int(os.environ.get("EVERY", "1"))]  # fmt: skip


def say(text):
    sys.stdout.write(text + "\n")


def told(act):
    try:
        value = act()
    except Err as error:
        return error.value.name
    if isinstance(value, types.Descriptor):
        kind, flags = value.get_type(), value.get_flags()
        value.__exit__(None, None, None)
        return f"{kind.name} {flags!r}"
    if isinstance(value, types.DescriptorStat):
        size = "" if value.type == types.DescriptorType.DIRECTORY else value.size
        return f"{value.type.name} {value.link_count} {size}"
    if isinstance(value, types.MetadataHashValue):
        return "hash"
    return repr(value)


def shown(path):
    return repr(path) if len(path) < 40 else f"{path[:10]!r}...{len(path)}"


def entries(directory):
    found = []
    with directory.read_directory() as stream:
        while (entry := stream.read_directory_entry()) is not None:
            found.append((entry.name, entry.type))
    return sorted(found, key=lambda each: each[0])


def listed(directory):
    """All names below a directory, with what is behind them."""
    parts = []
    for name, kind in entries(directory):
        text = shown(name)
        if kind == types.DescriptorType.DIRECTORY:
            with directory.open_at(NO_FOLLOW, name, DIRECTORY, READ) as inner:
                text += f"({listed(inner)})"
        elif kind == types.DescriptorType.SYMBOLIC_LINK:
            text += f"->{shown(directory.readlink_at(name))}"
        else:
            stat = directory.stat_at(NO_FOLLOW, name)
            text += f"={stat.size}/{stat.link_count}"
        parts.append(text)
    return " ".join(parts)


def write(directory, path, data):
    with directory.open_at(NO_FOLLOW, path, CREATE, WRITE) as file:
        assert file.write(data, 0) == len(data)


def remove(directory):
    for name, kind in entries(directory):
        if kind == types.DescriptorType.DIRECTORY:
            with directory.open_at(NO_FOLLOW, name, DIRECTORY, READ | CHANGE) as inner:
                remove(inner)
            directory.remove_directory_at(name)
        else:
            directory.unlink_file_at(name)


def plant(directory):
    write(directory, "f", b"hello")
    directory.create_directory_at("d")
    write(directory, "d/g", b"good bye")
    directory.create_directory_at("d/e")
    directory.create_directory_at("e")
    for target, path in (
        ("f", "lf"), ("d", "ld"), ("nope", "dangling"), ("nope/deep", "deep"), ("itself", "itself"),
        ("d/", "slashed"), ("round2", "round"), ("round", "round2"), ("..", "up"), ("..", "d/up"),
        ("../f", "d/up_f"), ("../nope", "d/up_nope"), ("../x", "out"), (".", "here"), ("slashed", "chain"),
    ):  # fmt: skip
        directory.symlink_at(target, path)


def opened(flags, how, path_flags=NO_FOLLOW):
    return lambda t, path: t.open_at(path_flags, path, how, flags)


LOOKING = {
    "stat": lambda t, path: t.stat_at(NO_FOLLOW, path),
    "stat followed": lambda t, path: t.stat_at(FOLLOW, path),
    "hash": lambda t, path: t.metadata_hash_at(NO_FOLLOW, path),
    "hash followed": lambda t, path: t.metadata_hash_at(FOLLOW, path),
    "read": opened(READ, NOTHING),
    "read followed": opened(READ, NOTHING, FOLLOW),
    "nothing": opened(Flags(0), NOTHING),
    "write": opened(WRITE, NOTHING),
    "write followed": opened(WRITE, NOTHING, FOLLOW),
    "read and write": opened(READ | WRITE, NOTHING),
    "read and change": opened(READ | CHANGE, NOTHING),
    "directory": opened(READ, DIRECTORY),
    "directory followed": opened(READ, DIRECTORY, FOLLOW),
    "directory for writing": opened(READ | WRITE, DIRECTORY),
    "exclusive": opened(READ, EXCLUSIVE),
    "readlink": lambda t, path: t.readlink_at(path),
    "times": lambda t, path: t.set_times_at(NO_FOLLOW, path, PAST, KEEP),
    "times followed": lambda t, path: t.set_times_at(FOLLOW, path, PAST, KEEP),
}

CHANGING = {
    "create": opened(READ | WRITE, CREATE),
    "create followed": opened(READ | WRITE, CREATE, FOLLOW),
    "create only": opened(Flags(0), CREATE),
    "create exclusive": opened(WRITE, CREATE | EXCLUSIVE),
    "create exclusive followed": opened(WRITE, CREATE | EXCLUSIVE, FOLLOW),
    "truncate": opened(WRITE, TRUNCATE),
    "truncate followed": opened(READ, TRUNCATE, FOLLOW),
    "create and truncate": opened(WRITE, CREATE | TRUNCATE),
    "create a directory": opened(READ, CREATE | DIRECTORY),
    "mkdir": lambda t, path: t.create_directory_at(path),
    "rmdir": lambda t, path: t.remove_directory_at(path),
    "unlink": lambda t, path: t.unlink_file_at(path),
    "symlink at": lambda t, path: t.symlink_at("f", path),
    "symlink to": lambda t, path: t.symlink_at(path, "new"),
    "link from": lambda t, path: t.link_at(NO_FOLLOW, path, t, "new"),
    "link from followed": lambda t, path: t.link_at(FOLLOW, path, t, "new"),
    "link to": lambda t, path: t.link_at(NO_FOLLOW, "f", t, path),
    "link to slashed": lambda t, path: t.link_at(NO_FOLLOW, "f", t, path + "/"),
    "rename from": lambda t, path: t.rename_at(path, t, "new"),
    "rename from to slashed": lambda t, path: t.rename_at(path, t, "new/"),
    "rename a file to": lambda t, path: t.rename_at("f", t, path),
    "rename a directory to": lambda t, path: t.rename_at("d", t, path),
    "rename an empty directory to": lambda t, path: t.rename_at("e", t, path),
    "rename a link to": lambda t, path: t.rename_at("lf", t, path),
}

root = preopens.get_directories()[int(os.environ.get("ROOT", "0"))][0]
root.create_directory_at("t")
with root.open_at(NO_FOLLOW, "t", DIRECTORY, READ | CHANGE) as t:
    plant(t)
    before = listed(t)
    say(before)
    for name, act in LOOKING.items():
        for path in PATHS:
            say(f"{name} {shown(path)}: {told(lambda act=act, path=path: act(t, path))}")
    for name, act in CHANGING.items():
        for path in PATHS:
            line = f"{name} {shown(path)}: {told(lambda act=act, path=path: act(t, path))}"
            after = listed(t)
            if after != before:
                line += f": {after}"
                remove(t)
                plant(t)
            say(line)
