"""
A guest's output on its way to ours, and what the host has to say in between.

The host calls from its own threads, one call at a time for each worker.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Lock

import click

from golem_cli.exits import discard
from golem_cli.render import note


class GuestOutput:
    """Writes guest bytes to stdout and stderr as they come, whole and once."""

    def __init__(self, *, stdout_is_data: bool, quiet: bool, on_closed: Callable[[], None]) -> None:
        """
        Args:
            stdout_is_data: Guest output goes to stderr, for stdout carries JSON.
            quiet: The host's remarks are not shown.
            on_closed: Called once, when nobody reads what the guest writes any more.
        """
        self._stdout_is_data = stdout_is_data
        self._quiet = quiet
        self._on_closed = on_closed
        self._closed = False
        self._at_line_start = True
        self._lock = Lock()

    def write(self, stream: str, data: bytes) -> None:
        with self._lock:
            if self._closed or not data:
                return
            to_stdout = stream == "stdout" and not self._stdout_is_data
            target = sys.stdout if to_stdout else sys.stderr
            try:
                target.buffer.write(data)
                target.buffer.flush()
            except OSError:
                # Nobody reads it, or there is no room where it goes.
                discard(target)
                self._closed = True
            if to_stdout:
                self._at_line_start = data.endswith(b"\n")
        if self._closed:
            self._on_closed()

    def remark(self, text: str) -> None:
        """What the host has to say, line by line; it never stands inside a line of the guest."""
        with self._lock:
            for line in text.splitlines():
                note(line, quiet=self._quiet)

    def result(self, text: str) -> None:
        """A result, on a line of its own."""
        with self._lock:
            click.echo(text if self._at_line_start else f"\n{text}")
            self._at_line_start = True
