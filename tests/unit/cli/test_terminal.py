"""What is only for terminals stays on terminals."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from golem_cli.dump import _wants_color
from golem_cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """From here to the end of the test; a fixture would come before pytest's own capture."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return shown


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that goes on now, as it was told; and the line is gone afterwards."""
    terminal = on_terminal(monkeypatch)

    with progress(quiet=False) as show:
        show("building [shop]")
        show("compiling [shop]")

    assert "compiling [shop]" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize(("term", "quiet"), [("dumb", False), ("xterm", True)])
def test_progress_is_not_shown_elsewhere(
    monkeypatch: pytest.MonkeyPatch, term: str, quiet: bool
) -> None:
    """Not where a line cannot be drawn anew, and not to whoever asked for silence."""
    terminal = on_terminal(monkeypatch)
    monkeypatch.setenv("TERM", term)

    with progress(quiet=quiet) as show:
        show("building")

    assert "" == terminal.getvalue()


def test_progress_that_is_not_shown_costs_nothing() -> None:
    """A pipe gets no progress, and nobody waits for the library that would draw it."""
    program = (
        "import sys; from golem_cli.progress import progress\n"
        "with progress(quiet=False) as show: show('building')\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert (b"False\n", b"") == (done.stdout, done.stderr)


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and dumb terminals have none."""
    on_terminal(monkeypatch)
    assert _wants_color()

    monkeypatch.setenv("NO_COLOR", "1")
    assert not _wants_color()

    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert not _wants_color()


def test_a_pipe_has_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read by programs is plain."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    assert not _wants_color()
