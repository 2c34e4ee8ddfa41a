"""
A client of a server on loopback, killed at every entry.

Each program is run once without disturbance while `tests.support.moments` keeps what a kill would
leave: before each entry, with what was appended on disk or lost.  On each of these a new host goes
on, with the server still there and every connection of before gone.

Invariants: a program that tries again after an error ends with the same answers; it loses at most
one connection for each kill; nobody is given bytes that the server did not send; and a replay of
what came of it agrees, with no server at all.

The short test draws some of the moments with ``GOLEM_HOST_TEST_SEED``, the long one takes all.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support import loopback
from tests.support.loopback import serving
from tests.support.net_programs import replay_agrees
from tests.support.program_kills import (
    Case,
    begin,
    check,
    drawn,
    finish,
    goes_on,
    moments_of,
    opened,
)
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S

DRAWN: Final = 4
"""Moments that the short test takes of each program, each way."""

CASES: Final = {
    "sockets": Case(
        """
lost = 0

def ask(text):
    global lost
    for _ in range(3):
        try:
            with socket.create_connection(("127.0.0.1", int(args[0]))) as s:
                s.sendall(text)
                s.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := s.recv(4):
                    answer += piece
                return answer
        except OSError:
            lost += 1

print(ask(b"one"), ask(b"two two two"), "lost", lost)
""",
        loopback.echo,
        r"b'ONE' b'TWO TWO TWO' lost (\d)\n",
    ),
    "urllib, trying again": Case(
        """
lost = 0
for path in ("/a", "/b"):
    while True:
        try:
            print(urllib.request.urlopen(f"http://127.0.0.1:{args[0]}{path}", timeout=20).read())
            break
        except OSError:
            lost += 1
print("lost", lost)
""",
        loopback.answer_http,
        r"b'you asked for /a'\nb'you asked for /b'\nlost (\d)\n",
    ),
    "urllib": Case(
        """
for path in ("/a", "/b"):
    print(urllib.request.urlopen(f"http://127.0.0.1:{args[0]}{path}", timeout=20).read())
""",
        loopback.answer_http,
        # Given up for lost, it fails as any program without a network.
        r"(?:b'you asked for /a'\n)?(?:b'you asked for /b'\n|Traceback (?s:.*)"
        r"(?:OSError|URLError|ConnectionResetError|RemoteDisconnected|BrokenPipeError).*\n)(?s:.*)",
    ),
}


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", CASES)
def test_a_kill_breaks_at_most_a_connection(name: str, flushing: bool, tmp_path: Path) -> None:
    """At some of the moments."""
    case = CASES[name]
    with serving(case.handle) as server:
        begin(case, server, tmp_path)
        moments = moments_of(case, server, tmp_path, flushing=flushing)
        for moment in drawn(name, flushing).sample(moments, min(len(moments), DRAWN)):
            goes_on(case, server, tmp_path, moment)


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", CASES)
def test_a_kill_at_every_entry_breaks_at_most_a_connection(
    name: str, flushing: bool, tmp_path: Path
) -> None:
    """At all moments, one after the other."""
    case = CASES[name]
    with serving(case.handle) as server:
        begin(case, server, tmp_path)
        for moment in moments_of(case, server, tmp_path, flushing=flushing):
            goes_on(case, server, tmp_path, moment)


@pytest.mark.parametrize("name", CASES)
def test_a_killed_process_breaks_at_most_a_connection(name: str, tmp_path: Path) -> None:
    """It dies by SIGKILL when some entry is about to be appended, and so does the next one."""
    case = CASES[name]
    with serving(case.handle) as server:
        begin(case, server, tmp_path)
        # On a copy: the worker of the processes has done nothing yet.
        moments = moments_of(case, server, tmp_path, flushing=True)
        appended = sum(moment.label.startswith("before") for moment in moments)
        kills = 0
        for number in sorted(drawn("process", name).sample(range(2, appended), 2)):
            command = [sys.executable, "-m", "tests.support.net_child", str(tmp_path)]
            child = subprocess.run(
                [*command, str(server.port), str(number)],
                cwd=ROOT,
                capture_output=True,
                timeout=PATIENCE_S,
                check=False,
            )
            kills += child.returncode == -signal.SIGKILL
        assert kills
        with opened(tmp_path, server) as host:
            seen = finish(host)

    check(case, seen, kills)
    replay_agrees(tmp_path, seen)
