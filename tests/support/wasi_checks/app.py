"""
A guest that looks at everything a program can see of its host, for `test_wasi_oracle.py`.

The first argument says what to do.  ``checks`` asserts what must hold for every host, and prints one
line per check with what must be the same for two of them; the others each end or write in one way.
"""

# A guest is written as its author would write it, in a folder that is no package, and calls what
# programs call.
# ruff: noqa: ANN001, ANN201, INP001, PLW0108, SIM115
# ruff: noqa: PTH102, PTH104, PTH107, PTH109, PTH110, PTH116, PTH123, PTH208, PTH211
# mypy: ignore-errors

import asyncio
import encodings.idna  # noqa: F401 - looking up a name needs it, and a guest cannot import later
import errno
import locale
import os
import random
import secrets
import select
import socket
import sqlite3
import sys
import tempfile
import threading
import time
import uuid

from wit_world import exports
from wit_world.imports import environment

BIG_BYTES = 300_000
SLEEP_NS = 20_000_000


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show(name, value):
    """One line that has to be the same wherever the guest runs."""
    say(f"{name}: {value!r}")


def holds(name, condition):
    """One line for what is another value on each host, but not any value."""
    say(f"{name}: {'holds' if condition else 'BROKEN'}")


def fails(name, act):
    """One line with the way in which something is refused."""
    try:
        value = act()
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, error.errno)
        say(f"{name}: {type(error).__name__} {code}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        say(f"{name}: {type(error).__name__} {error}")
    else:
        say(f"{name}: {value!r}")


def check_surroundings():
    show("the folder here", os.getcwd())
    show("arguments", environment.get_arguments())
    show("a variable", os.environ.get("GREETING"))
    show("a variable that is not ASCII", os.environ.get("GRÜSSE"))
    show("an empty variable", os.environ.get("EMPTY"))
    show("a variable that is not set", os.environ.get("NOT_SET"))
    show("platform", sys.platform)
    show("encoding", (sys.stdout.encoding, sys.getfilesystemencoding(), locale.getencoding()))
    os.environ["SET_INSIDE"] = "yes"
    show("a variable set inside", os.environ.get("SET_INSIDE"))
    fails("a second thread", lambda: threading.Thread(target=int).start())
    fails("a second process", lambda: os.getppid() and None)


def check_input():
    show("standard input as text", sys.stdin.read())
    show("standard input once more", sys.stdin.readline())
    show("standard input as bytes", os.read(0, 10))
    show("terminals", [os.isatty(number) for number in (0, 1, 2)])
    show("standard input is a terminal", sys.stdin.isatty())
    fails("the size of the terminal", lambda: os.get_terminal_size(1))
    fails("reading from standard output", lambda: os.read(1, 1))
    fails("writing to standard input", lambda: os.write(0, b"x"))
    fails("a closed descriptor", lambda: os.read(99, 1))


def check_output():
    show("an empty write", os.write(1, b""))
    show("a write of all bytes", write_all(1, bytes(range(256))))
    say("")
    show("a write to standard error", write_all(2, b"to the other stream\n"))
    fails("seeking in standard output", lambda: os.lseek(1, 0, os.SEEK_CUR))


def write_all(descriptor, data):
    written = 0
    while written < len(data):
        written += os.write(descriptor, data[written:])
    return written


def check_clocks():
    seen = [time.monotonic_ns() for _ in range(100)]
    holds("the monotonic clock does not go back", seen == sorted(seen))
    holds("this century", 1_700_000_000 < time.time() < 4_000_000_000)
    holds("one time of day", abs(time.time_ns() / 1e9 - time.time()) < 1)
    holds("the year", 2024 <= time.gmtime().tm_year < 2100)
    show("the time zone", (time.localtime().tm_gmtoff, time.timezone, time.daylight))
    resolution = time.get_clock_info("monotonic").resolution
    holds("the resolution of the monotonic clock", 0 < resolution <= 1)
    holds("the resolution of the time of day", 0 < time.clock_getres(time.CLOCK_REALTIME) <= 1)
    monotonic, wall = time.monotonic_ns(), time.time_ns()
    time.sleep(SLEEP_NS / 1e9)
    slept, passed = time.monotonic_ns() - monotonic, time.time_ns() - wall
    holds("a sleep is not too short", slept >= SLEEP_NS)
    holds("a sleep is not too long", slept < 100 * SLEEP_NS)
    holds("both clocks agree about it", abs(slept - passed) < 50 * SLEEP_NS)
    show("no sleep at all", time.sleep(0))
    fails("a sleep into the past", lambda: time.sleep(-1))
    holds("a counter for benchmarks", time.perf_counter_ns() <= time.perf_counter_ns())
    fails("setting the clock", lambda: time.clock_settime(time.CLOCK_REALTIME, 0))


def check_random():
    sizes = (0, 1, 31, 32, 33, 256, 4096, 65_536, 100_000)
    show("sizes of random bytes", [len(os.urandom(size)) for size in sizes])
    holds("random bytes differ", os.urandom(32) != os.urandom(32))
    holds("random bytes are of every kind", len(set(os.urandom(65_536))) == 256)
    holds("a random number", 0 <= random.random() < 1)
    holds("random numbers differ", random.random() != random.random())
    holds("of the system, too", random.SystemRandom().random() != random.random())
    holds("tokens differ", secrets.token_hex() != secrets.token_hex())
    holds("identifiers differ", uuid.uuid4() != uuid.uuid4())
    fails("random bytes, less than none", lambda: os.urandom(-1))


def check_files():
    fails("a missing file", lambda: open("/missing"))
    fails("a new file", lambda: open("/new", "w"))
    fails("a new file here", lambda: open("new", "w"))
    fails("a folder", lambda: os.listdir("/"))
    fails("what is in the folder here", lambda: os.listdir("."))
    fails("a new folder", lambda: os.mkdir("/new"))
    fails("what a file is", lambda: os.stat("/missing"))
    fails("removing", lambda: os.remove("/missing"))
    fails("renaming", lambda: os.rename("/missing", "/new"))
    fails("linking", lambda: os.symlink("/missing", "/new"))
    fails("going elsewhere", lambda: os.chdir("/missing"))
    show("existence", os.path.exists("/"))
    fails("a temporary file", lambda: tempfile.TemporaryFile())
    show("a database in memory", sqlite3.connect(":memory:").execute("select 6 * 7").fetchone())


def check_network():
    stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
    fails("waiting for nothing", lambda: select.select([], [], [], 0.001))
    show("socket types", (int(stream), int(datagram)))


def check_apart():
    """What hosts do differently by design; the test says how each of them answers."""
    show("variables", sorted(name for name in os.environ if name.startswith("GOLEM_")))
    fails("a pair of sockets", lambda: socket.socketpair() and None)
    fails("an event loop", lambda: asyncio.run(asyncio.sleep(0.001)))
    fails("looking up a name", lambda: socket.getaddrinfo("example.invalid", 80))
    show("instants count from 1970", time.monotonic_ns() > 1_700_000_000 * 10**9)


def big():
    line = b"0123456789abcde\n"
    os.write(2, b"begin\n")
    write_all(1, line * (BIG_BYTES // len(line)))
    sys.stdout.buffer.write(bytes(range(256)) * 1024)
    sys.stdout.flush()


def interleaved():
    for number in range(50):
        os.write(1, b"out %d\n" % number)
        os.write(2, b"err %d\n" % number)


def checks():
    for check in (
        check_surroundings,
        check_input,
        check_output,
        check_clocks,
        check_random,
        check_files,
        check_network,
    ):
        check()


class Run(exports.Run):
    def run(self):
        what, *rest = environment.get_arguments()[1:]
        match what:
            case "checks":
                checks()
            case "apart":
                check_apart()
            case "big":
                big()
            case "interleaved":
                interleaved()
            case "exit":
                sys.exit(
                    None if rest == ["None"] else int(rest[0]) if rest[0].isdigit() else rest[0]
                )
            case "os-exit":
                sys.stdout.write("lost")
                os._exit(int(rest[0]))
            case "raise":
                raise ValueError("on purpose")
            case "unflushed":
                sys.stdout.write("no line end")
            case _:
                raise AssertionError(what)
