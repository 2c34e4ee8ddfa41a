"""
Standard input that a client lends: what the guest wants, as lines, and the pieces that answer.

``{"input": "..."}`` comes first and names the loan; ``{"key": "...", "position": 4}`` asks for what
is at a position of what that invocation reads, in bytes, ``"size": 0`` to be told when there is
something, else for at most so much; ``{}`` says "I am still there".  The loan ends with the stream.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Final
from weakref import WeakValueDictionary

from golem_host.errors import ConflictError, HostError, InvalidRequestError
from golem_host.rest.actions.lookup import path_worker
from golem_host.rest.bell import Bell
from golem_host.rest.bodies import InputLoan, InputPiece, InputTaken
from golem_host.rest.errors import document_of
from golem_host.rest.exchange import LINES, Exchange, Stream
from golem_host.rest.lent_input import LentInput, Piece, Want
from golem_host.system import SystemRandom
from golem_host.worker.worker import Worker
from golem_oplog.errors import OplogError

_lent: Final[WeakValueDictionary[str, LentInput]] = WeakValueDictionary()
"""By names that cannot be guessed; each lives as long as its stream."""


async def lend_input(x: Exchange) -> Stream:
    loan = x.body(InputLoan)
    worker = await x.work(lambda: path_worker(x))
    return Stream(_wants(x, worker, loan), LINES)


async def _wants(x: Exchange, worker: Worker, loan: InputLoan) -> AsyncIterator[bytes]:
    bell = Bell(x.waits)
    name = SystemRandom().uuid()
    lent = _lent[name] = LentInput(bell.ring, is_terminal=loan.terminal)
    lending = ExitStack()

    def lend() -> None:
        attached = worker.attach(_unheard, _unheard, stdin=lent, stdin_for=loan.keys)
        lending.enter_context(attached)

    begun = asyncio.ensure_future(x.work(lend))
    try:
        # Not cancelled in the middle: what has begun must be ended.
        await asyncio.shield(begun)
        yield _line({"input": name})
        while True:
            if (want := lent.take_want()) is not None:
                yield _line(want._asdict())
            elif not await bell.rung():
                yield _line({})
    except (HostError, OplogError) as error:
        yield _line(document_of(error))
    finally:
        begun.add_done_callback(lambda _: lending.close())


def give_input(x: Exchange) -> InputTaken:
    piece = x.body(InputPiece)
    lent = _lent.get(x.named("input"))
    if lent is None:
        raise ConflictError(reason="this input is not lent any more: its stream has ended")
    try:
        data = b64decode(piece.base64, validate=True)
    except ValueError as error:
        raise InvalidRequestError(reason=f"body.base64: {error}") from error
    want = Want(piece.key, piece.position, piece.size)
    return InputTaken(lent.give(Piece(want, data, piece.error)))


def _unheard(*_: object) -> None:
    """Output is watched elsewhere."""


def _line(document: dict[str, object]) -> bytes:
    return f"{json.dumps(document)}\n".encode()
