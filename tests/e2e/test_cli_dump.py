"""Oplogs as people meet them: while in use, filtered, followed, damaged."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Cli


@pytest.fixture
def used(cli: Cli) -> Cli:
    """With a worker whose log has a bit of everything, from index 1 to 12."""
    cli.ok("guest.wasm", "--invoke", "add(41)", "--invoke", "nap(1)", "--invoke", "check(1)")
    return cli


def kinds(cli: Cli, *args: str | Path) -> list[str]:
    return [json.loads(line)["kind"] for line in cli.ok("dump", *args, "--json").splitlines()]


def test_a_dump_tells_the_story(used: Cli) -> None:
    """One line per entry, functions by name, values in WAVE."""
    shown = used.ok("dump", "guest")

    assert shown.splitlines()[0].split()[2:] == ["create", "main", "version", "0"]
    assert "exported-function-invoked   test:cli/api@1.0.0.{add}(41) key=run-" in shown
    assert "exported-function-completed -> 41" in shown
    assert r'log                         stdout "napping\n"' in shown
    assert "-> ok(1)" in shown
    assert "\x1b" not in shown


def test_every_form_has_every_entry(used: Cli) -> None:
    """The same indexes in each of them."""
    plain = [line.split()[0] for line in used.ok("oplog", "dump", "guest").splitlines()]
    documents = [json.loads(line) for line in used.ok("dump", "guest", "--json").splitlines()]
    raw = [
        line.partition(",")[0]
        for line in used.ok("dump", "guest", "--raw").splitlines()
        if line.startswith('{"index"')
    ]

    assert [str(n + 1) for n in range(len(plain))] == plain
    assert plain == [str(document["index"]) for document in documents]
    assert plain == [line.removeprefix('{"index": ') for line in raw]


def test_filters_choose_entries(used: Cli) -> None:
    """By index, by kind, by text, and all of them together."""
    everything = kinds(used, "guest")

    assert everything[3:6] == kinds(used, "guest", "--from", "4", "--to", "6")
    assert ["log", "log"] == kinds(used, "guest", "--kind", "log")
    assert {"log", "create"} == set(kinds(used, "guest", "--kind", "log", "--kind", "create"))
    assert ["log"] == kinds(used, "guest", "--grep", "NAPP")
    assert [] == kinds(used, "guest", "--grep", "napp", "--kind", "create")
    assert [] == kinds(used, "guest", "--from", "1000")


def test_a_search_understands_the_query_language(used: Cli) -> None:
    """Printed as a dump prints them, in its forms and over its ranges."""

    def found(*args: str) -> list[str]:
        return used.ok("oplog", "search", "guest", *args).splitlines()

    dumped = used.ok("dump", "guest").splitlines()
    logged = [line for line in dumped if "napping" in line]

    assert len(logged) == 1
    assert logged == found("NAPP")
    assert logged == found("level:stdout napping NOT kind:create")
    assert logged == found("/^nap+ing$/ OR (message:/nap+ing/ AND log)")
    assert [] == found('"NAPPING"')
    assert [line for line in dumped if "{add}" in line] == found("function-name:{add}")
    assert [] == found("NAPP", "--to", "2")
    assert dumped[4:6] == found("", "--from", "5", "--to", "6")
    assert ["log"] == [json.loads(line)["kind"] for line in found("napping", "--json")]


def test_a_dump_from_the_middle_still_types_results(used: Cli) -> None:
    """The call that a result belongs to lies before the first entry shown."""
    completed = used.ok("dump", "guest", "--kind", "exported-function-completed").splitlines()
    index = completed[-1].split()[0]

    assert completed[-1:] == used.ok("dump", "guest", "--from", index, "--to", index).splitlines()


def test_long_values_are_whole_on_request(cli: Cli) -> None:
    """Here an environment."""
    cli.ok("guest.wasm", "--env", f"LONG={'x' * 500}", "--invoke", "add(1)")

    assert "..." in cli.ok("dump", "guest", "--to", "1")
    assert "x" * 500 in cli.ok("dump", "guest", "--to", "1", "--full")


def test_a_log_is_a_directory_or_a_segment(used: Cli, tmp_path: Path) -> None:
    """Wherever it lies, with nothing but itself at hand, and without its manifest."""
    expected = used.ok("dump", "guest")
    segment = used.log_file("guest")
    copy = tmp_path / "copy"
    shutil.copytree(segment.parent, copy)

    assert expected == used.ok("dump", segment)
    assert expected == used.ok("dump", copy)
    (copy / "manifest").unlink()
    assert expected == used.ok("dump", copy)


def test_what_is_no_log_is_refused(used: Cli) -> None:
    """A file, or a directory with other things in it."""
    file, folder = used.run("dump", "guest.wasm"), used.run("dump", ".")

    assert 4 == file.code
    assert "no oplog" in file.error
    assert 3 == folder.code


def test_following_shows_what_is_written_meanwhile(used: Cli) -> None:
    """Until Ctrl-C, which is no failure to talk about."""
    with used.start("dump", "guest", "--follow", "--json") as running:
        running.wait_for(b'"ok": 1')
        used.ok("guest.wasm", "--invoke", "add(1)")
        running.wait_for(b'"value": 42')
        done = running.finish(signal.SIGINT)

    indexes = [json.loads(line)["index"] for line in done.out.splitlines()]
    assert (130, "") == (done.code, done.err)
    assert list(range(1, len(indexes) + 1)) == indexes


def test_tail_shows_the_last_entries(used: Cli) -> None:
    """As many as asked for; of a short log all."""
    everything = used.ok("dump", "guest").splitlines()

    assert everything[-2:] == used.ok("oplog", "tail", "guest", "-n", "2").splitlines()
    assert everything == used.ok("oplog", "tail", "guest", "-n", "1000").splitlines()


def test_tail_follows(used: Cli) -> None:
    """From the last entries on."""
    with used.start("oplog", "tail", "guest", "-n", "1", "-f", "--json") as running:
        running.wait_for(b"\n")
        used.ok("guest.wasm", "--invoke", "add(2)")
        running.wait_for(b'"value": 43')


def test_a_closed_pipe_ends_a_dump_quietly(used: Cli) -> None:
    """`dump | head -1` says nothing on stderr."""
    for _ in range(2):
        pipeline = f"{PROGRAM} dump guest --full --json | head -n 1"
        done = subprocess.run(
            ["/bin/sh", "-c", pipeline],
            cwd=used.folder,
            env=used.env,
            capture_output=True,
            check=True,
        )

        assert b"" == done.stderr
        assert 1 == done.stdout.count(b"\n")


def test_damage_is_reported_and_the_rest_shown(used: Cli) -> None:
    """Code 5, everything before the damage, and what to do about it."""
    whole = used.ok("dump", "guest").splitlines()
    log = used.log_file("guest")
    data = log.read_bytes()
    place = data.index(b"napping")
    log.write_bytes(data[:place] + b"N" + data[place + 1 :])

    done = used.run("dump", "guest")
    shown = done.out.splitlines()
    report = used.run("oplog", "check", "guest", "--json")
    checked = json.loads(report.out)

    assert (5, 5) == (done.code, report.code)
    assert 1 <= len(shown) < len(whole)
    assert whole[: len(shown)] == shown
    assert f"entries up to {len(shown)} are readable" in done.error
    assert "golem-host oplog check --salvage" in done.error
    assert len(shown) == checked["readable_to"]
    assert 1 == len(checked["damage"])


def test_salvage_writes_the_readable_part_to_a_new_log(used: Cli) -> None:
    """The damaged one stays as it is; nothing is ever written over."""
    log = used.log_file("guest")
    data = log.read_bytes()
    place = data.index(b"napping")
    log.write_bytes(data[:place] + b"N" + data[place + 1 :])
    damaged = log.read_bytes()
    readable = used.run("dump", "guest").out

    saved = used.run("oplog", "check", "guest", "--salvage", "rescued")
    again = used.run("oplog", "check", "guest", "--salvage", "rescued")

    assert 5 == saved.code
    assert "are saved in rescued" in saved.err
    assert readable == used.ok("dump", "rescued")
    assert damaged == log.read_bytes()
    assert 4 == again.code
    assert "exists already" in again.error


def test_a_torn_tail_is_no_damage(used: Cli) -> None:
    """What a crash left of the last write is told, and dropped when the worker runs next."""
    log = used.log_file("guest")
    data = log.read_bytes()
    end = len(data.rstrip(b"\x00"))
    log.write_bytes(data[:end] + b"half a chunk" + data[end + 12 :])

    done = used.run("oplog", "check", "guest")

    assert 0 == done.code
    assert "intact" in done.out
    assert "42\n" == used.ok("guest.wasm", "--invoke", "add(1)")


def test_stat_counts(used: Cli) -> None:
    """Entries by kind and host calls by name."""
    document = json.loads(used.ok("oplog", "stat", "guest", "--json"))
    text = used.ok("oplog", "stat", "guest")

    assert 3 == document["kinds"]["exported-function-invoked"]
    assert document["last_index"] == sum(document["kinds"].values())
    assert "exported-function-invoked:   3" in text
