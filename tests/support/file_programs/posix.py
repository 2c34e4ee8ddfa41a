"""
What programs do to files, through Python's own modules: results, and the names of errors.
"""

# Runs inside of the guest of `tests/support/file_checks`.
# ruff: noqa: ANN001, ANN201, D200, INP001, PLW0108, PTH101, PTH102, PTH103, PTH104, PTH105, PTH106, PTH108, PTH110, PTH115, PTH116, PTH118, PTH120, PTH121, PTH123, PTH207, PTH208, PTH211, SIM115, TRY301
# mypy: ignore-errors

import errno
import glob
import itertools
import json
import os
import shutil
import sqlite3
import stat
import sys
import tempfile

TOP = os.environ.get("TOP", "/").rstrip("/")
numbers = itertools.count(1)


def at(path):
    return f"{TOP}/{path}"


def told(name, act):
    try:
        value = act()
    except OSError as error:
        value = f"{type(error).__name__} {errno.errorcode.get(error.errno, error.errno)}"
    except (sqlite3.Error, ValueError, UnicodeError, shutil.Error) as error:
        value = f"{type(error).__name__} {str(error).replace(TOP or chr(0), '')}"
    sys.stdout.write(f"{next(numbers)} {name}: {value!r}\n")


def put(path, data=b"data", mode="wb"):
    with open(at(path), mode) as file:
        return file.write(data)


def got(path):
    with open(at(path), "rb") as file:
        return file.read()


def tree():
    found = []
    for folder, folders, names in os.walk(at("")):
        folders.sort()
        found += [os.path.join(folder, name)[len(TOP) :] for name in sorted(names)]
    return sorted(found)


def opened(path, flags):
    descriptor = os.open(at(path), flags)
    try:
        found = os.fstat(descriptor)
        return stat.S_ISREG(found.st_mode) and found.st_size
    finally:
        os.close(descriptor)


def check_open():
    put("f", b"hello")
    os.mkdir(at("d"))
    os.symlink("f", at("lf"))
    os.symlink("d", at("ld"))
    os.symlink("lost", at("gone"))
    os.symlink("round", at("round"))
    for path in ("f", "d", "lf", "ld", "gone", "round", "none", "none/x", "f/x", "d/x", "d/../f"):
        for name in ("O_RDONLY", "O_WRONLY", "O_RDWR"):
            told(f"{name} {path}", lambda p=path, n=name: opened(p, getattr(os, n)))
    for path in ("f", "d", "lf", "gone", "new", "none/x"):
        told(f"excl {path}", lambda p=path: opened(p, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        told(f"nofollow {path}", lambda p=path: opened(p, os.O_RDONLY | os.O_NOFOLLOW))
        told(f"directory {path}", lambda p=path: opened(p, os.O_RDONLY | os.O_DIRECTORY))
        told(f"exists {path}", lambda p=path: (os.path.exists(at(p)), os.path.lexists(at(p))))
        told(f"kind {path}", lambda p=path: stat.S_IFMT(os.lstat(at(p)).st_mode))
        told(f"list {path}", lambda p=path: sorted(os.listdir(at(p))))
    told("truncating", lambda: (put("f", b"hi"), got("f")))
    told("appending", lambda: (put("f", b"!", "ab"), put("lf", b"?", "ab"), got("f")))
    told("in place", lambda: (put("f", b"H", "r+b"), got("f")))
    told("exclusive", lambda: put("f", b"", "xb"))
    told("text", lambda: (put("t", "ä\nö\n", "w"), got("t"), open(at("t")).read().splitlines()))
    told("past the end", seek_behind)
    told("truncate", lambda: (os.truncate(at("f"), 2), got("f")))
    told("truncate a directory", lambda: os.truncate(at("d"), 0))
    told("reading what is open for writing", lambda: open(at("f"), "wb").raw.read())
    told("tree", tree)


def seek_behind():
    with open(at("gap"), "wb") as file:
        file.seek(10_000)
        file.write(b"x")
    return len(got("gap")), got("gap").strip(b"\0")


def check_names():
    for name, act in {
        "rename": lambda: os.rename(at("f"), at("g")),
        "rename over a directory": lambda: os.rename(at("g"), at("d")),
        "rename a directory over a file": lambda: os.rename(at("d"), at("g")),
        "rename into itself": lambda: os.rename(at("d"), at("d/e")),
        "rename what is not there": lambda: os.rename(at("none"), at("x")),
        "replace": lambda: os.replace(at("g"), at("t")),
        "unlink a directory": lambda: os.unlink(at("d")),
        "rmdir a file": lambda: os.rmdir(at("t")),
        "rmdir what is full": lambda: (put("d/x"), os.rmdir(at("d"))),
        "rmdir": lambda: (os.unlink(at("d/x")), os.rmdir(at("d"))),
        "mkdir over": lambda: os.mkdir(at("t")),
        "makedirs": lambda: os.makedirs(at("a/b/c")),
        "makedirs again": lambda: os.makedirs(at("a/b/c")),
        "makedirs below a file": lambda: os.makedirs(at("t/b")),
        "link": lambda: (os.link(at("t"), at("t2")), os.stat(at("t")).st_nlink),
        "link over": lambda: os.link(at("t"), at("t2")),
        "link a directory": lambda: os.link(at("a"), at("a2")),
        "readlink": lambda: os.readlink(at("lf")),
        "readlink of a file": lambda: os.readlink(at("t")),
        "symlink over": lambda: os.symlink("x", at("lf")),
        "symlink to the top": lambda: os.symlink("/etc", at("abs")),
        "above": lambda: os.stat(at("../" * 8 + "etc/passwd")),
        "a long name": lambda: put("n" * 255) and len(got("n" * 255)),
        "a longer name": lambda: put("n" * 256),
        "a long path": lambda: os.stat(at("d/" * 3000)),
        "a NUL": lambda: os.stat(at("a\0b")),
        "not ASCII": lambda: (put("ä🐍"), got("ä🐍")),
        "no Unicode": lambda: put("\udcff"),
        "empty": lambda: os.stat("").st_mode,
        "a slash behind a file": lambda: open(at("t/")),
        "scandir": lambda: sorted(
            (e.name, e.is_dir(), e.is_symlink()) for e in os.scandir(at("a"))
        ),
        "glob": lambda: sorted(n[len(TOP) :] for n in glob.glob(at("*"))),
        "chmod": lambda: os.chmod(at("t"), 0o600),
        "access": lambda: (os.access(at("t"), os.R_OK), os.access(at("none"), os.R_OK)),
        "same": lambda: (os.path.samefile(at("t"), at("t2")), os.path.samefile(at("t"), at("a"))),
        "tree": tree,
    }.items():
        told(name, act)


def check_times():
    for name, act in {
        "utime": lambda: (os.utime(at("t"), (1, 2)), os.stat(at("t")).st_mtime),
        "utime ns": lambda: (os.utime(at("t"), ns=(3, 4)), os.stat(at("t")).st_mtime_ns),
        "utime of a directory": lambda: (os.utime(at("a"), (5, 6)), os.stat(at("a")).st_atime),
        "utime now": lambda: (os.utime(at("t")), os.stat(at("t")).st_mtime > 1_700_000_000),
        "utime of nothing": lambda: os.utime(at("none")),
        "order": in_order,
    }.items():
        told(name, act)


def in_order():
    put("first")
    put("second")
    return os.stat(at("first")).st_mtime_ns <= os.stat(at("second")).st_mtime_ns


def check_programs():
    for name, act in {
        "copy": lambda: (shutil.copyfile(at("t"), at("copy")), got("copy") == got("t"))[1],
        "copytree": lambda: (put("a/b/x"), shutil.copytree(at("a"), at("a2")), tree())[2],
        "move": lambda: (shutil.move(at("a2"), at("a3")), tree())[1],
        "rmtree": lambda: (shutil.rmtree(at("a3")), tree())[1],
        "temporary": temporary,
        "json": lambda: (put("j", json.dumps({"a": [1]}), "w"), json.load(open(at("j")))),
        "sqlite": lambda: transactions(":memory:") == transactions(at("db")),
        "sqlite again": lambda: (
            sqlite3.connect(at("db")).execute("SELECT sum(n) FROM t").fetchone()
        ),
        "sqlite on a directory": lambda: sqlite3.connect(at("a")).execute("SELECT 1"),
        "large": lambda: (put("large", bytes(range(256)) * 4096), sum(got("large"))),
        "unlinked and open": unlinked,
        "many": lambda: ([put(f"a/{n}") for n in range(200)], len(os.listdir(at("a"))))[1],
        "many open": many_open,
    }.items():
        told(name, act)


def temporary():
    with tempfile.NamedTemporaryFile(dir=at("")) as file:
        file.write(b"x")
        file.flush()
        return os.stat(file.name).st_size, os.path.dirname(file.name)[len(TOP) :].strip("/")


def transactions(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS t (n)")
    with connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(1000)])
    try:
        with connection:
            connection.execute("DELETE FROM t")
            raise KeyError
    except KeyError:
        pass
    return connection.execute("SELECT count(*), sum(n) FROM t").fetchone()


def unlinked():
    with open(at("u"), "w+b") as file:
        file.write(b"still here")
        file.flush()
        os.unlink(at("u"))
        file.seek(0)
        return file.read(), os.path.exists(at("u"))


def many_open():
    files = [open(at(f"a/{n}"), "rb") for n in range(100)]
    found = {file.read() for file in files}
    for file in files:
        file.close()
    return found


check_open()
check_names()
check_times()
check_programs()
