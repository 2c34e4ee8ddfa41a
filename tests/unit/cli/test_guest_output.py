"""Guest output goes through as it is; results and remarks never stand inside a line of it."""

from __future__ import annotations

import io
import sys

import pytest

from golem_cli.guest_output import GuestOutput


class Closed(io.RawIOBase):
    """A pipe that nobody reads."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        del data
        raise BrokenPipeError


def output(*, stdout_is_data: bool = False, quiet: bool = False) -> GuestOutput:
    return GuestOutput(stdout_is_data=stdout_is_data, quiet=quiet, on_closed=lambda: None)


def test_bytes_pass_unchanged(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """They are the guest's, whatever they are."""
    shown = output()
    shown.write("stdout", b"\xff\x00")
    shown.write("stderr", b"\x1b[0m")
    shown.write("stdout", b"")

    assert (b"\xff\x00", b"\x1b[0m") == capfdbinary.readouterr()


def test_a_result_stands_on_its_own_line(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Also after a line that the guest did not end."""
    shown = output()
    shown.write("stdout", b"half")
    shown.result("1")
    shown.write("stdout", b"whole\n")
    shown.result("2")

    assert b"half\n1\nwhole\n2\n" == capfdbinary.readouterr().out


def test_with_json_stdout_is_for_documents(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Guest output moves to stderr."""
    shown = output(stdout_is_data=True)
    shown.write("stdout", b"hello")
    shown.result("{}")

    assert (b"{}\n", b"hello") == capfdbinary.readouterr()


def test_remarks_are_ours_and_can_be_silenced(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Each line of one is marked, and carries no control characters."""
    output().remark("one\ntwo\x1b")
    output(quiet=True).remark("three")

    assert (b"", b"golem-host: one\ngolem-host: two\\u{1b}\n") == capfdbinary.readouterr()


def test_a_closed_pipe_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on the guest's words go nowhere, and nothing is raised into the host."""
    told: list[str] = []
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(Closed(), 1)))
    shown = GuestOutput(stdout_is_data=False, quiet=False, on_closed=lambda: told.append("x"))

    shown.write("stdout", b"hello")
    shown.write("stdout", b"again")

    assert ["x"] == told
