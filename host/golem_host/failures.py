"""
What a live action may raise, and what each means for the guest that called it.

An error that the interface itself declares is never one of these: it is a value.
"""

from __future__ import annotations


class GuestError(Exception):
    """The guest did what the interface forbids: it traps, as it would by its own fault."""


class GuestLimitError(GuestError):
    """The guest asked for more than a documented bound allows."""


class WorldError(Exception):
    """
    Something outside failed in a way that the interface has no error for.

    The call traps unrecorded while retries remain, so that the next attempt performs it again;
    the last attempt records it (spec 2.0.2, R1).
    """


class RecordedFailureError(WorldError):
    """It is in the log now: every further attempt would be given the same answer."""


class EmbedderError(Exception):
    """A method that an embedder lends has raised something of its own: this attempt has failed."""
