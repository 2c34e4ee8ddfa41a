"""
``golem:rpc/types.future-invoke-result``: a call under way.

The call begins at once.  After a replay that the log did not see the end of, it is asked for again
under its key when the guest, live again, wants something of it.  Each look is recorded.

Source: spec 2.16, with the project's remark R20.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, WRITE_REMOTE, Recorded, function, resource
from golem_host.dispatch import recorded_call
from golem_host.errors import ConflictError, HostError
from golem_host.failures import GuestError
from golem_host.interfaces.golem.rpc.asked import (
    ASKED,
    RESULT,
    RPC_ERROR,
    Answer,
    Asked,
    failure,
    was_submitted,
)
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable
from golem_host.wire import Public, Wire
from golem_oplog.types import FunctionType, VariantType
from golem_oplog.values import from_wire
from golem_oplog.wit_nodes import WIT_VALUE

GET: Final = Recorded(
    WRITE_REMOTE,
    FunctionType(
        "golem::rpc::future-invoke-result::get",
        ASKED,
        VariantType((("pending", None), ("completed", WIT_VALUE), ("failed", RPC_ERROR))),
    ),
)
_PENDING, _COMPLETED, _FAILED = range(3)


class Future:
    """Behind a handle ``future-invoke-result``."""

    def __init__(self, context: InstanceContext, asked: Asked) -> None:
        self._context = context
        self._asked = asked
        self._is_submitted = False
        """Whether the log says so; then it is not put there again."""
        self._is_started = False
        self._error: HostError | None = None
        self._is_taken = False
        self.is_told = False
        """Whether the guest knows that there is a result, and may count on it."""
        if context.replay.live:
            # No remote write leaves the process while an earlier entry could still be lost.
            context.oplog.commit()
            self.start()

    def start(self) -> None:
        """Live only: see to it that the other worker has the call, or know why it has not."""
        if self._is_started or self._error is not None:
            return
        if self._is_submitted or was_submitted(self._context, self._asked):
            self._asked.go_on(self._context)
        else:
            try:
                self._asked.submit(self._context)
            except HostError as error:
                self._error = error
                return
        self._is_submitted = self._is_started = True

    def fail(self, error: HostError) -> None:
        self._error = error

    @property
    def has_failed(self) -> bool:
        return self._error is not None

    def answer(self) -> _FutureAnswer:
        return _FutureAnswer(self._context, self._asked, self)

    def get(self) -> Wire | None:
        """
        The result in wire form; None while there is none.

        Raises:
            GuestError: It was taken before.
        """
        if self._is_taken:
            raise GuestError("the result of this call was taken before")
        request = self._asked.request()
        case, value = recorded_call(self._context, GET, request, self._look, keyed=True)
        if case == _PENDING:
            # So it had been accepted: should it be canceled, it is not asked for anew.
            self._is_submitted = True
            return None
        self._is_taken = True
        return (0, value) if case == _COMPLETED else (1, value)

    def _look(self) -> Wire:
        self.start()
        if self.is_told:
            # By an earlier instance, of a result that a revert of the other worker took back.
            wait_for(self._context, [self.answer()])
        try:
            if self._error is not None:
                raise self._error
            value = self._asked.outcome(self._context)
        except HostError as error:
            return (_FAILED, failure(error))
        return (_PENDING, None) if value is None else (_COMPLETED, value)


class _FutureAnswer(Answer):
    """As `Answer`, for a call that may have to be asked for first."""

    __slots__ = ("_future",)

    def __init__(self, context: InstanceContext, asked: Asked, future: Future) -> None:
        super().__init__(context, asked)
        self._future = future

    def ready(self, now_ns: int) -> bool:
        self._future.start()
        return self._future.has_failed or super().ready(now_ns)

    @contextmanager
    def alone(self) -> Iterator[None]:
        self._future.start()
        with ExitStack() as stack:
            if not self._future.has_failed:
                try:
                    stack.enter_context(super().alone())
                except ConflictError as error:
                    # It was taken back: `get` says why.
                    self._future.fail(error)
            yield

    def told(self) -> None:
        self._future.is_told = True


@resource("golem:rpc/types", "future-invoke-result")
class FutureInvokeResultResource:
    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, future: Future) -> Pollable:
        return future.answer()

    @function(UNRECORDED)
    def get(self, context: InstanceContext, future: Future) -> Public:
        """Recorded inside."""
        found = future.get()
        return None if found is None else from_wire(RESULT)(found)
